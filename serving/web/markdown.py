"""A model card in Markdown made into HTML; the only importer of markdown-it."""

from markdown_it import MarkdownIt
from markupsafe import Markup


def as_html(text: str) -> Markup:
    """Return `text` as HTML. Raw HTML in it is escaped, images are not fetched, links are not followed."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink"])
    return Markup(parser.render(text))  # noqa: S704  the parser escapes every piece of text
