"""The figures in README.md are those of the bundle in the repository."""

import json
from copy import deepcopy

from nlp.bundle import DEFAULT
from training.readme import README, figures_block


def test_readme_holds_the_bundled_figures() -> None:
    figures = json.loads((DEFAULT / "metrics.json").read_text(encoding="utf-8"))
    assert figures_block(figures) in README.read_text(encoding="utf-8")


def test_share_is_that_of_the_served_threshold() -> None:
    figures = deepcopy(json.loads((DEFAULT / "metrics.json").read_text(encoding="utf-8")))
    figures.setdefault("urgent_flags", {})
    served = figures["decisions"]["per_head"]
    served["category_l1"] = {"threshold": 0.9, "share": 0.71, "error_rate": 0.0512}
    served["category_l2"] = {"threshold": None, "share": 0.0, "error_rate": None}
    served["nature"] = {"threshold": 0.99, "share": 0.0, "error_rate": None}
    rows = {line.split(" | ")[0]: line for line in figures_block(figures).splitlines() if line.startswith("| ")}
    assert rows["| 一级分类"].endswith("| 71%（5.1%） |")
    assert rows["| 二级分类"].endswith("| 无 |")
    assert rows["| 信访性质"].endswith("| 0% |")
    assert "一级分类、法定途径在测试件上超出了 5%。" in figures_block(figures)
    served["channel"]["error_rate"] = served["category_l1"]["error_rate"] = 0.05
    assert "超出了" not in figures_block(figures)
