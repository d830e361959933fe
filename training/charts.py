"""The pictures of the evaluation report as SVG, drawn with matplotlib's Figure API (no pyplot, no global state).

Words in the pictures are the product's codes, so that no Chinese font is needed where the report is made.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {
    "model": "#0b6e99",
    "blend": "#3388b0",
    "encoder": "#58a4c4",
    "linear": "#a9cfe0",
    "char_svm": "#8a8a8a",
    "word_logistic": "#c4c4c4",
}
"""One colour per system throughout; the model and its branches in blue, the baselines in grey."""

HEAD_COLOURS = ("#0b6e99", "#d1495b", "#edae49", "#3d8361", "#7a5195", "#333333", "#9a9a9a")

_MUTED = "#777777"


def systems_chart(heads: Mapping[str, Any], measure: str, title: str) -> str:
    """Draw one group of bars per head, one bar per system, with the bootstrap interval."""
    figure, axes = _figure(9.5, 3.2)
    systems = [s for s in COLOURS if any(s in h["systems"] for h in heads.values())]
    width = 0.82 / len(systems)
    for place, system in enumerate(systems):
        found = [h["systems"].get(system, {}).get(measure) for h in heads.values()]
        offsets = [i + (place - (len(systems) - 1) / 2) * width for i in range(len(found))]
        kept = [(x, f) for x, f in zip(offsets, found, strict=True) if f]
        values = [f["value"] for _, f in kept]
        errors = [[f["value"] - f["low"] for _, f in kept], [f["high"] - f["value"] for _, f in kept]]
        axes.bar([x for x, _ in kept], values, width * 0.92, color=COLOURS[system], label=system)
        axes.errorbar(
            [x for x, _ in kept], values, yerr=errors, fmt="none", ecolor="#222222", elinewidth=0.8, capsize=1.5
        )
        for x, f in kept if system == "model" else []:
            axes.text(x, f["high"] + 0.012, f"{f['value']:.3f}".lstrip("0"), ha="center", fontsize=7.5)
    axes.set_xticks(range(len(heads)), list(heads))
    axes.set_ylim(0, 1.08)
    axes.set_title(title, loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8, ncols=len(systems), loc="lower right", bbox_to_anchor=(1, 1))
    return _svg(figure)


def reliability_chart(heads: Mapping[str, Any]) -> str:
    """Draw a reliability diagram per head: promised confidence against kept accuracy."""
    figure = Figure(figsize=(2.05 * len(heads), 2.5), layout="constrained")
    for place, (head, found) in enumerate(heads.items()):
        axes = _plain(figure.add_subplot(1, len(heads), place + 1))
        points = found["reliability"]
        axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=0.8, linestyle="--")
        x, y = [p["confidence"] for p in points], [p["accuracy"] for p in points]
        axes.plot(x, y, color=COLOURS["model"], linewidth=1.2, marker="o", markersize=3)
        error = found["systems"]["model"]["ece"]
        axes.set_title(f"{head}\nECE {error:.3f}", fontsize=8.5)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1] if place == 0 else [])
        axes.set_xlabel("confidence", fontsize=8)
        if place == 0:
            axes.set_ylabel("accuracy", fontsize=8)
    return _svg(figure)


def risk_coverage_chart(curves: Mapping[str, Sequence[Sequence[float]]], budget: float) -> str:
    """Draw the error rate among the surest answers against how many are accepted, one curve per name."""
    figure, axes = _figure(7.2, 3.2)
    for colour, (name, points) in zip(HEAD_COLOURS, curves.items(), strict=False):
        axes.plot([p[0] for p in points], [p[1] for p in points], label=name, color=colour, linewidth=1.5)
    axes.axhline(budget, color=_MUTED, linewidth=0.8, linestyle="--")
    axes.text(0.01, budget + 0.004, f"budget {budget:.0%}", fontsize=7.5, color=_MUTED)
    highest = max(p[1] for points in curves.values() for p in points if p[0] > 0.05)
    axes.set(xlim=(0, 1), ylim=(0, max(2 * budget, 1.05 * highest)))
    axes.set_xlabel("coverage", fontsize=8)
    axes.set_ylabel("error rate", fontsize=8)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return _svg(figure)


def lines_chart(series: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, x_label: str, title: str) -> str:
    """Draw one line per name through its points (all x, all y)."""
    figure, axes = _figure(6.5, 3)
    for place, (name, (x, y)) in enumerate(series.items()):
        marker = "o" if len(x) < 30 else ""
        colour = HEAD_COLOURS[place % len(HEAD_COLOURS)]
        axes.plot(x, y, color=colour, linewidth=1.5, marker=marker, markersize=3, label=name)
    axes.set_xlabel(x_label, fontsize=8)
    axes.set_title(title, loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return _svg(figure)


def curve_chart(points: Sequence[Mapping[str, Any]], measure: str, title: str) -> str:
    """Draw the learning curve of every head over the number of labels."""
    rows = [p["rows"] for p in points]
    series = {head: (rows, [p["heads"][head][measure] for p in points]) for head in points[0]["heads"]}
    return lines_chart(series, x_label="labelled messages", title=title)


def slices_chart(heads: Mapping[str, Any], name: str) -> str:
    """Draw the model's accuracy (bar) and the baseline's (tick) by slice `name`, one panel per head."""
    figure = Figure(figsize=(2.05 * len(heads), 2.4), layout="constrained")
    for place, (head, found) in enumerate(heads.items()):
        axes = _plain(figure.add_subplot(1, len(heads), place + 1))
        rows = found["slices"][name]
        places = range(len(rows))
        axes.bar(places, [r["model"] for r in rows], 0.7, color=COLOURS["model"])
        if all("char_svm" in r for r in rows):
            axes.scatter(
                places, [r["char_svm"] for r in rows], marker="_", s=160, color="#111111", linewidth=1.4, zorder=3
            )
        for x, row in enumerate(rows):
            axes.text(x, 0.02, str(row["rows"]), ha="center", fontsize=6.5, color="white")
        axes.set_xticks(places, [str(r["slice"]) for r in rows], fontsize=6.5, rotation=35, ha="right")
        axes.set_title(head, fontsize=8.5)
        axes.set(ylim=(0, 1.02), yticks=[0, 0.5, 1] if place == 0 else [])
    return _svg(figure)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = _plain(figure.add_subplot())
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
    return figure, axes


def _plain(axes: Axes) -> Axes:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#bbbbbb")
    axes.tick_params(labelsize=8, color="#bbbbbb")
    axes.set_axisbelow(True)
    return axes


def _svg(figure: Figure) -> str:
    """Return the figure as an SVG element to stand in a page; equal figures give equal text."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "petition", "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
