"""Measure a bundle on the frozen test rows, beside the baselines, and write figures, report and worst mistakes.

    petition-train evaluate BUNDLE --data ../shared/data --out runs/evaluation

`metrics.json` holds every figure as plain nested values, `summary.json` the few that go into the bundle and its card,
`report.html` shows them in one self-contained page and `mistakes.csv` lists the 100 worst answers by id. No text of a
petition is written anywhere.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from scipy.stats import binomtest

from nlp.bundle import Bundle
from nlp.decide import UNSURE, joint_confidence
from nlp.knowledge import Knowledge
from nlp.petition import HEADS, Head, Suggestion
from nlp.router import Router
from nlp.taxonomy import Taxonomy
from training.blind_reading import blind_figures
from training.card import render_card
from training.classifier import label_arrays
from training.data import DATASETS, Example, read_examples, read_urgent_letters, read_urgent_sentences
from training.evaluate_rules import READ, part_of
from training.excerpts import quiet_excerpts
from training.export import seal
from training.figures import BUDGET, JOINT, count_labels, head_figures, is_accepted, joint_figures
from training.folds import linear_learner, repeat_figures
from training.law_figures import alarm_figures, changed_by_rules, flag_figures, let_through
from training.measures import N_BINS
from training.mistakes import worst_mistakes, write_mistakes
from training.provenance import hash_path, revision
from training.public_task import check_origin, evaluate_public
from training.report import write_report
from training.robustness import robustness
from training.settings import RecipeError
from training.significance import N_DRAWS
from training.split import HELD, Split, read_splits, split_examples
from training.systems import System, baseline_systems, bundle_systems, served_system


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings:
    """What to measure: `run` adds the public task, `folds` cross-validation and learning curve of the linear branch."""

    data: Path = Path("../shared/data")
    datasets: Path = DATASETS
    run: Path | None = None
    folds: bool = False
    robustness_rows: int = 400
    n_draws: int = N_DRAWS

    def __post_init__(self) -> None:
        """Refuse what cannot be measured before anything is read."""
        if self.n_draws < 2 or self.robustness_rows < 0:
            raise RecipeError(f"need n_draws ≥ 2 and robustness_rows ≥ 0, got {self.n_draws}, {self.robustness_rows}")


def evaluate_bundle(
    bundle_dir: Path | None, *, out: Path, settings: EvaluateSettings, console: Console | None = None
) -> dict[str, Any]:
    """Measure the bundle in `bundle_dir` (None: the bundled default), write four files to `out`, return the figures.

    Raises BundleError, DataError or RecipeError if bundle, data or run do not fit.
    """
    console = console or Console(quiet=True)
    router = Router.load(bundle_dir)
    taxonomy, bundle = router.taxonomy, router.bundle
    if settings.run is not None:
        check_origin(bundle, settings.run)
    examples = read_examples(settings.data, taxonomy, datasets=settings.datasets)
    frozen = read_splits(settings.datasets / "annotations" / "splits.csv")
    dealt = split_examples(examples, splits=frozen)
    fit, rows = ([e for e in dealt[name] if e.labels] for name in ("fit", "test"))
    held = [e for name in HELD for e in dealt[name] if e.labels]
    console.print(f"{len(rows)} labelled test rows; training the baselines on {len(fit)}")
    suggestions = [router.suggest(e.petition) for e in rows]
    systems = [served_system(suggestions, taxonomy), *bundle_systems(bundle, held=held, rows=rows, taxonomy=taxonomy)]
    systems += baseline_systems(fit, held=held, rows=rows, taxonomy=taxonomy)
    metrics: dict[str, Any] = {
        "about": about(bundle, taxonomy, settings, dealt),
        "heads": {
            head: head_figures(
                head,
                systems,
                rows,
                fit_counts=count_labels(fit, head),
                taxonomy=taxonomy,
                n_draws=settings.n_draws,
            )
            for head in HEADS
        },
        "joint": joint_figures(systems, rows, taxonomy),
    }
    metrics["decisions"] = decision_figures(router, suggestions, rows)
    metrics["let_through"] = let_through(suggestions, rows, router.knowledge)
    metrics["flags"] = unread_flag_figures(suggestions, rows, router.knowledge)
    metrics |= _alarms(router, rows, settings)
    metrics["rules"] = changed_by_rules(systems[0], systems[1], rows, taxonomy)
    reread = settings.datasets / "annotations" / "blind_reading.csv"
    if reread.exists():
        metrics["blind_reading"] = blind_figures(reread, systems[0], rows, taxonomy)
    console.print("robustness")
    metrics["robustness"] = robustness(
        router.runtime, router.calibration, sample(rows, settings.robustness_rows), taxonomy, n_draws=settings.n_draws
    )
    if settings.run is not None:
        console.print("the public seven-class task")
        metrics["public"] = evaluate_public(settings.run, dealt, taxonomy, n_draws=settings.n_draws)
    if settings.folds:
        console.print("cross-validation and learning curve of the linear branch")
        found = repeat_figures(linear_learner(taxonomy), dealt, taxonomy, frozen=frozen)
        metrics["repeats"] = {"learner": "linear", **found}
    mistakes = worst_mistakes(systems[0], rows, taxonomy=taxonomy, knowledge=router.knowledge)
    _write(out, metrics, mistakes=mistakes, taxonomy=taxonomy)
    return metrics


def _alarms(router: Router, rows: Sequence[Example], settings: EvaluateSettings) -> dict[str, Any]:
    """Return what alarming and harmless texts raise, per set of them; `rows` are the messages measured on."""
    sets = {
        "urgent_sentences": read_urgent_sentences("held", settings.datasets),
        "urgent_letters": read_urgent_letters(settings.datasets),
        "quiet_excerpts": list(quiet_excerpts(rows)),
    }
    return {
        name: alarm_figures([router.suggest(text.petition) for text in texts], texts) for name, texts in sets.items()
    }


def sample(rows: Sequence[Example], n_rows: int, *, seed: int = 0) -> list[Example]:
    """Return `n_rows` of `rows` drawn at random, or all of them if there are fewer."""
    chosen = np.random.default_rng(seed).permutation(len(rows))[:n_rows]
    return [rows[i] for i in chosen]


def about(
    bundle: Bundle, taxonomy: Taxonomy, settings: EvaluateSettings, dealt: dict[Split, list[Example]]
) -> dict[str, Any]:
    """Return what was measured on what, and how the figures are defined."""
    return {
        "bundle": bundle.id,
        "taxonomy": taxonomy.version,
        "revision": revision(),
        "data": {"messages": hash_path(settings.data), "labels": hash_path(settings.datasets / "annotations")},
        "rows": {name: sum(bool(e.labels) for e in part) for name, part in dealt.items()},
        "definitions": {
            "macro_f1": "测试件中出现的类别的平均 F1",
            "interval": f"95%，按近似重复组的自助法，抽 {settings.n_draws} 次",
            "ece": f"首选答案的期望校准误差，{N_BINS} 个等量分箱",
            "ece_by_chance": "完全校准的模型在这些件上也会显示的值",
            "coverage_at_budget": f"差错不超过 {BUDGET:.0%} 的最大比例，界限取自测试件",
        },
    }


def decision_figures(router: Router, suggestions: Sequence[Suggestion], rows: Sequence[Example]) -> dict[str, Any]:
    """Return what the served decisions do: how much goes through alone, how often wrongly, and why the rest does not.

    An automatic answer counts as right if all heads of JOINT are; `with_accepted` also takes accepted channels, and so
    do the figures of the `other_budgets` that an office may choose.
    """
    model = served_system(suggestions, router.taxonomy)
    truth = label_arrays(rows, router.taxonomy)
    right = {head: model.answers[head].predicted == truth[head] for head in HEADS}
    accepted = is_accepted(model.answers["channel"].predicted, rows, router.taxonomy.labels["channel"])
    others = np.logical_and.reduce([right[head] for head in JOINT if head != "channel"])
    decisions = [suggestion.decision for suggestion in suggestions]
    auto = np.asarray([decision.action == "auto" for decision in decisions])
    reasons = Counter(code for decision in decisions for code in {reason.code for reason in decision.reasons})
    alone = Counter(d.reasons[0].code for d in decisions if len({r.code for r in d.reasons}) == 1)
    thresholds = router.thresholds
    lawful = others & (right["channel"] | accepted)
    # What nothing but confidence can send to a person: another budget would move the line among these alone.
    free = np.asarray([all(reason.code in UNSURE for reason in decision.reasons) for decision in decisions])
    joint = np.asarray([joint_confidence(s.predictions, thresholds.needed) for s in suggestions])
    return {
        "rows": len(rows),
        "budget": thresholds.budget,
        "per_head_budget": thresholds.per_head_budget,
        "joint_threshold": thresholds.joint,
        "auto": _accepted(auto, others & right["channel"]),
        "auto_with_accepted": _accepted(auto, lawful),
        "other_budgets": {
            budget: {"threshold": line, **_accepted(free & (joint >= (np.inf if line is None else line)), lawful)}
            for budget, line in thresholds.other_budgets.items()
        },
        "reasons": dict(reasons.most_common()),
        "only_reason": dict(alone.most_common()),
        "per_head": {
            head: {
                "threshold": thresholds.per_head.get(head),
                **_accepted(_cleared(model, head, thresholds.per_head.get(head)), right[head]),
            }
            for head in HEADS
        },
    }


def unread_flag_figures(
    suggestions: Sequence[Suggestion], rows: Sequence[Example], knowledge: Knowledge
) -> dict[str, Any]:
    """Return the figures of the flags on the test rows that were not among those the rules were written on.

    The half of the annotated messages that was read for the rules was cut without regard to the frozen splits.
    """
    unread = [part_of(row) != READ for row in rows]
    return {
        "rows": sum(unread),
        "left_out": len(rows) - sum(unread),
        **flag_figures(list(compress(suggestions, unread)), list(compress(rows, unread)), knowledge),
    }


def _cleared(model: System, head: Head, threshold: float | None) -> NDArray[np.bool_]:
    confidence = model.answers[head].confidence
    return np.zeros(len(confidence), dtype=bool) if threshold is None else confidence >= threshold


def _accepted(chosen: NDArray[np.bool_], right: NDArray[np.bool_]) -> dict[str, Any]:
    """Return share and error rate of the `chosen` rows, with the exact 95 % interval of the error rate."""
    n, wrong = int(chosen.sum()), int((chosen & ~right).sum())
    interval = binomtest(wrong, n).proportion_ci() if n else None
    return {
        "share": round(n / max(1, len(chosen)), 4),
        "errors": wrong,
        "error_rate": round(wrong / n, 4) if n else None,
        "error_interval": [round(float(interval.low), 4), round(float(interval.high), 4)] if interval else None,
    }


def summarise(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the main figures per head and system, small enough to travel with the bundle."""
    heads: dict[str, Any] = {}
    for head, found in metrics["heads"].items():
        heads[head] = {
            system: {
                "accuracy": figures["accuracy"]["value"],
                "accuracy_interval": [figures["accuracy"]["low"], figures["accuracy"]["high"]],
                "macro_f1": figures["macro_f1"]["value"],
                "macro_f1_interval": [figures["macro_f1"]["low"], figures["macro_f1"]["high"]],
                **{name: figures[name] for name in ("top3", "ece", "coverage_at_budget")},
            }
            for system, figures in found["systems"].items()
        }
        if head == "channel":
            for system, figures in found["systems"].items():
                heads[head][system]["accuracy_with_accepted"] = figures["accuracy_with_accepted"]["value"]
    together = {
        system: {name: figures[name] for name in ("accuracy", "coverage_at_budget", "coverage_at_twice_the_budget")}
        for system, figures in metrics["joint"]["systems"].items()
    }
    decisions = metrics["decisions"]
    return {
        "about": metrics["about"],
        "heads": heads,
        "together": together,
        "decisions": {
            name: decisions[name]
            for name in ("budget", "joint_threshold", "auto", "auto_with_accepted", "other_budgets", "per_head")
        },
        "urgent_flags": {
            figures["name"]: {name: figures[name] for name in ("annotated", "right", "raised")}
            for figures in metrics["flags"]["per_code"].values()
            if figures["level"] == "S"
        },
    }


def update_bundle(folder: Path, metrics: dict[str, Any]) -> None:
    """Put the main figures and a card made from them into the bundle in `folder` and seal it anew."""
    bundle = Bundle(folder=folder, id=folder.name)
    summary = summarise(metrics)
    (folder / "metrics.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")
    card = render_card(summary, bundle.settings, bundle.thresholds)
    (folder / "card.md").write_text(card, encoding="utf-8")
    seal(folder)


def _write(out: Path, metrics: dict[str, Any], *, mistakes: Sequence[Any], taxonomy: Taxonomy) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "metrics.json").write_text(json.dumps(metrics, ensure_ascii=False, indent=1), encoding="utf-8")
    (out / "summary.json").write_text(json.dumps(summarise(metrics), ensure_ascii=False, indent=1), encoding="utf-8")
    write_mistakes(out / "mistakes.csv", mistakes)
    write_report(out / "report.html", metrics, mistakes=mistakes, taxonomy=taxonomy)
