"""Two bundles on the same held-out rows: whether the new one is better, and whether int8 is as good as fp32.

Better is not accuracy alone: a bundle also decides what goes through without review and what is raised as urgent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from nlp.petition import HEADS, Head, Suggestion
from nlp.router import Router
from nlp.taxonomy import Taxonomy
from training.classifier import label_arrays
from training.data import DataError, Example, read_examples
from training.evaluate import decision_figures
from training.law_figures import flag_figures, let_through
from training.significance import mcnemar
from training.split import HELD, Split, split_examples
from training.systems import served_system


@dataclass(frozen=True, kw_only=True)
class HeadComparison:
    """One head under two bundles: accuracies, rows only one of them answers rightly, and what differs.

    `p` is the exact McNemar test; `changed` the share of rows with another answer; `confidence_shift` the mean absolute
    difference of the confidence on rows with the same answer.
    """

    head: Head
    first: float
    second: float
    only_first: int
    only_second: int
    p: float
    changed: float
    confidence_shift: float


@dataclass(frozen=True, kw_only=True)
class Served:
    """What one bundle does beside answering.

    `auto` is the share accepted automatically and its error rate, an accepted channel counting as right as it does for
    the budget, and `other_budgets` says the same of the budgets an office may choose instead; `urgent` holds by code of
    level S how many petitions carry the flag, are raised, and both; `let_through` as from `law_figures.let_through`.
    """

    auto: Mapping[str, Any]
    other_budgets: Mapping[str, Mapping[str, Any]]
    urgent: Mapping[str, Mapping[str, Any]]
    let_through: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two bundles on the same `n_rows` rows."""

    n_rows: int
    heads: Sequence[HeadComparison]
    first: Served
    second: Served


def compare_bundles(
    first: Path | None, second: Path | None, *, data: Path, splits: Sequence[Split] = HELD
) -> Comparison:
    """Return the comparison on the labelled rows of the frozen `splits` of `data`; None is the bundled default.

    Raises BundleError or DataError if a bundle or the data do not fit.
    """
    routers = [Router.load(folder) for folder in (first, second)]
    taxonomy = routers[0].taxonomy
    dealt = split_examples(read_examples(data, taxonomy))
    rows = [example for split in splits for example in dealt[split] if example.labels]
    if not rows:
        raise DataError(f"{data} has no labelled message in {', '.join(splits)}: nothing to compare on")
    answers = [
        [router.suggest(row.petition) for row in track(rows, description=router.bundle.id)] for router in routers
    ]
    served = [served_figures(router, found, rows) for router, found in zip(routers, answers, strict=True)]
    heads = compare_answers(*answers, rows=rows, taxonomy=taxonomy)
    return Comparison(n_rows=len(rows), heads=heads, first=served[0], second=served[1])


def served_figures(router: Router, answers: Sequence[Suggestion], rows: Sequence[Example]) -> Served:
    """Return what the bundle of `router` lets through and raises, from its `answers` to `rows`."""
    flags = flag_figures(answers, rows, router.knowledge)["per_code"]
    decisions = decision_figures(router, answers, rows)
    return Served(
        auto=decisions["auto_with_accepted"],
        other_budgets=decisions["other_budgets"],
        urgent={code: figures for code, figures in flags.items() if figures["level"] == "S"},
        let_through=let_through(answers, rows, router.knowledge),
    )


def as_text(comparison: Comparison) -> str:
    """Return the comparison as two tables: the heads, then what is let through and raised."""
    heads = "{:12} {:>7} {:>7} {:>11} {:>12} {:>8} {:>13} {:>17}"
    lines = [
        heads.format("head", "first", "second", "only first", "only second", "p", "other answer", "confidence shift")
    ]
    for c in comparison.heads:
        figures = (f"{c.first:.4f}", f"{c.second:.4f}", c.only_first, c.only_second, f"{c.p:.2g}")
        lines.append(heads.format(c.head, *figures, f"{c.changed:.1%}", f"{c.confidence_shift:.3f}"))
    served = "{:36} {:>26} {:>26}"
    lines += ["", served.format(f"of {comparison.n_rows} rows", "first", "second")]
    both = (comparison.first, comparison.second)
    lines.append(served.format("accepted automatically", *(f"{one.auto['share']:.1%}" for one in both)))
    lines.append(served.format("of them wrong", *(_error_rate(one.auto) for one in both)))
    for budget in sorted({budget for one in both for budget in one.other_budgets}, key=float):
        other = [one.other_budgets.get(budget) for one in both]
        shares = (f"{figures['share']:.1%}" if figures else "not prepared" for figures in other)
        lines.append(served.format(f"accepted at an error budget of {budget}", *shares))
        lines.append(served.format(f"of them wrong at {budget}", *(_error_rate(f) if f else "" for f in other)))
    for kind in comparison.first.let_through:
        passed = [one.let_through[kind] for one in both]
        lines.append(served.format(f"{kind} let through", *(f"{len(f['automatic'])} of {f['rows']}" for f in passed)))
    for code in comparison.first.urgent:
        flags = [one.urgent[code] for one in both]
        lines.append(served.format(f"{code} found", *(f"{f['right']} of {f['annotated']}" for f in flags)))
        lines.append(served.format(f"{code} false alarms", *(f["raised"] - f["right"] for f in flags)))
    return "\n".join(lines)


def _error_rate(auto: Mapping[str, Any]) -> str:
    if auto["error_rate"] is None:
        return "none accepted"
    low, high = auto["error_interval"]
    return f"{auto['error_rate']:.1%} ({low:.1%} to {high:.1%})"


def compare_answers(
    first: Sequence[Suggestion], second: Sequence[Suggestion], *, rows: Sequence[Example], taxonomy: Taxonomy
) -> list[HeadComparison]:
    """Return the comparison of every head from two bundles' answers to the same `rows`."""
    systems = [served_system(answers, taxonomy) for answers in (first, second)]
    truth = label_arrays(rows, taxonomy)
    found = []
    for head in HEADS:
        one, two = (system.answers[head] for system in systems)
        right_one, right_two = one.predicted == truth[head], two.predicted == truth[head]
        test = mcnemar(right_one, right_two)
        same = one.predicted == two.predicted
        shift = np.abs(one.confidence - two.confidence)[same]
        found.append(
            HeadComparison(
                head=head,
                first=float(right_one.mean()),
                second=float(right_two.mean()),
                only_first=test.only_first,
                only_second=test.only_second,
                p=test.p,
                changed=float(1 - same.mean()),
                confidence_shift=float(shift.mean()) if len(shift) else 0.0,
            )
        )
    return found
