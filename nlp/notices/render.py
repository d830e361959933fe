"""Lay out the filled blocks of a letter as a page of HTML or a DOCX file (A4, 仿宋, as official letters are)."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from jinja2 import Environment

DRAFT_MARK = "草稿：由系统起草，供经办人核对修改；未经签发不得送达"


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One paragraph: its kind (title, number, heading, paragraph, plain, right, note) and its text."""

    kind: str
    text: str


def html_of(blocks: Sequence[Block], *, title: str, warnings: Sequence[str] = ()) -> str:
    """Return a page of HTML that stands alone; every text is escaped, `warnings` are not printed."""
    page = (files("nlp") / "notices" / "templates" / "page.html").read_text(encoding="utf-8")
    template = Environment(autoescape=True).from_string(page)
    return template.render(blocks=blocks, title=title, mark=DRAFT_MARK, warnings=warnings)


def docx_of(blocks: Sequence[Block]) -> bytes:
    """Return the bytes of a DOCX file with the draft mark in its header."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.top_margin, section.bottom_margin = Cm(3.7), Cm(3.5)
    section.left_margin, section.right_margin = Cm(2.8), Cm(2.6)
    normal = document.styles["Normal"]
    _font(normal, "仿宋", 16)
    _write(section.header.paragraphs[0], DRAFT_MARK, name="楷体", size=10.5)
    for block in blocks:
        for line in block.text.split("\n"):
            _add(document, Block(kind=block.kind, text=line))
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def _add(document: Any, block: Block) -> None:
    """Add one paragraph in the layout of its kind."""
    paragraph = document.add_paragraph()
    layout = paragraph.paragraph_format
    layout.line_spacing, layout.space_after = Pt(28), Pt(0)
    if block.kind == "title":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        layout.line_spacing, layout.space_after = Pt(36), Pt(12)
        _write(paragraph, block.text, name="黑体", size=22)
    elif block.kind == "number":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        layout.space_after = Pt(12)
        _write(paragraph, block.text, name="仿宋", size=16)
    elif block.kind == "right":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        _write(paragraph, block.text, name="仿宋", size=16)
    else:
        if block.kind in {"paragraph", "heading", "note"}:
            layout.first_line_indent = Pt(32)
        font, size = {"heading": ("黑体", 16.0), "note": ("楷体", 12.0)}.get(block.kind, ("仿宋", 16.0))
        _write(paragraph, block.text, name=font, size=size)


def _write(paragraph: Any, text: str, *, name: str, size: float) -> None:
    """Write text in one font."""
    _font(paragraph.add_run(text), name, size)


def _font(holder: Any, name: str, size: float) -> None:
    """Set the font of a run or a style, for Chinese characters too."""
    holder.font.name, holder.font.size = name, Pt(size)
    holder.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), name)
