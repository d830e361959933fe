"""docs/labels.md says exactly what the label systems hold."""

from pathlib import Path

from nlp.taxonomy import load_taxonomy
from nlp.taxonomy.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "labels.md"


def test_the_page_is_generated_from_the_taxonomy() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == reference(load_taxonomy()), "run: python -m nlp.taxonomy.reference > docs/labels.md"


def test_the_page_names_every_label() -> None:
    written = PAGE.read_text(encoding="utf-8")
    taxonomy = load_taxonomy()
    for head in ("nature", "channel", "department"):
        for code in taxonomy.labels[head]:
            assert f"| `{code}` | {taxonomy.name(head, code)} |" in written
    for category in taxonomy.categories:
        assert f"### {category.code} {category.name}\n" in written
        for sub in category.second_level:
            assert f"| {sub.code} | {sub.name} |" in written
