"""The figures in README.md are those of the bundle in the repository."""

import json

from nlp.bundle import DEFAULT
from training.readme import README, figures_block


def test_readme_holds_the_bundled_figures() -> None:
    figures = json.loads((DEFAULT / "metrics.json").read_text(encoding="utf-8"))
    assert figures_block(figures) in README.read_text(encoding="utf-8")
