"""The evaluation as one self-contained HTML page in Chinese: pictures as SVG inside, nothing loaded from elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from nlp.decide import HEAD_NAMES
from nlp.taxonomy import Taxonomy
from training.charts import curve_chart, reliability_chart, risk_coverage_chart, slices_chart, systems_chart
from training.figures import BUDGET
from training.mistakes import Mistake

SYSTEM_NAMES = {
    "model": "模型（整机，实际服务）",
    "blend": "融合（不含途径规则）",
    "encoder": "仅编码器",
    "linear": "仅线性分支",
    "char_svm": "基线：字 n-gram＋SVM",
    "word_logistic": "基线：词＋逻辑回归",
    "public_blend": "精调辅助输出＋字 SVM（不在模型包内）",
    "public_auxiliary": "仅精调辅助输出（不在模型包内）",
}
SHORT_NAMES = {"category_l1": "一级", "category_l2": "二级", "nature": "性质", "channel": "途径", "department": "部门"}
CHANGE_NAMES = {
    "typos": "错别字（约3%的字）",
    "without_punctuation": "去掉标点",
    "shortened": "只留前60%",
    "other_town": "换地名代号",
    "personal_data_masked": "加入个人信息（遮盖后）",
    "personal_data_unmasked": "加入个人信息（不遮盖）",
}
SLICE_NAMES = {
    "length": "按字数",
    "labels_from": "按标注来源",
    "file": "按数据来源",
    "fitted_rows_of_class": "按该类训练件数",
}
_N_SHOWN = 30


def write_report(path: Path, metrics: Mapping[str, Any], *, mistakes: Sequence[Mistake], taxonomy: Taxonomy) -> None:
    """Write the page of `metrics` (as in metrics.json) to `path`."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(figure=_figure, interval=_interval, p=_p)
    page = environment.get_template("report.html.j2").render(
        metrics=metrics,
        charts=_charts(metrics),
        mistakes=mistakes[:_N_SHOWN],
        head_names=HEAD_NAMES,
        short_names=SHORT_NAMES,
        system_names=SYSTEM_NAMES,
        change_names=CHANGE_NAMES,
        slice_names=SLICE_NAMES,
        name=lambda head, code: f"{taxonomy.name(head, code)}" if head in HEAD_NAMES else code,
        shade=_shade,
        budget=BUDGET,
    )
    path.write_text(page, encoding="utf-8")


def _charts(metrics: Mapping[str, Any]) -> dict[str, Markup]:
    heads = metrics["heads"]
    curves = {head: found["risk_coverage"] for head, found in heads.items()}
    curves["together"] = metrics["joint"]["risk_coverage"]
    curves["together, accepted"] = metrics["joint"]["risk_coverage_with_accepted"]
    charts = {
        "accuracy": systems_chart(heads, "accuracy", "accuracy"),
        "macro_f1": systems_chart(heads, "macro_f1", "macro-F1"),
        "reliability": reliability_chart(heads),
        "risk_coverage": risk_coverage_chart(curves, BUDGET),
        **{f"slices_{name}": slices_chart(heads, name) for name in SLICE_NAMES},
    }
    if "repeats" in metrics:
        points = metrics["repeats"]["curve"]
        charts["curve_accuracy"] = curve_chart(points, "accuracy", "accuracy")
        charts["curve_macro_f1"] = curve_chart(points, "macro_f1", "macro-F1")
    # Drawn by us from figures; holds no text from outside.
    return {name: Markup(svg) for name, svg in charts.items()}  # noqa: S704


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(value: Mapping[str, float] | None) -> str:
    return "–" if value is None else f"{value['value']:.3f}（{value['low']:.3f} … {value['high']:.3f}）"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _shade(value: float, low: float, high: float) -> str:
    """Return a background between white (at or below `low`) and orange (at or above `high`)."""
    strength = min(1.0, max(0.0, (value - low) / (high - low)))
    return f"background: rgba(224, 122, 60, {0.55 * strength:.2f})"
