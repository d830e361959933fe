"""Two bundles on the same test rows: whether the new one is better, and whether int8 is as good as fp32."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from nlp.petition import HEADS, Head, Suggestion
from nlp.router import Router
from nlp.taxonomy import Taxonomy
from training.classifier import label_arrays
from training.data import Example, read_examples
from training.significance import mcnemar
from training.split import split_examples
from training.systems import served_system


@dataclass(frozen=True, kw_only=True)
class Comparison:
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


def compare_bundles(first: Path | None, second: Path | None, *, data: Path) -> list[Comparison]:
    """Return the comparison of every head on the frozen test rows of `data`; None is the bundled default.

    Raises BundleError or DataError if a bundle or the data do not fit.
    """
    routers = [Router.load(folder) for folder in (first, second)]
    taxonomy = routers[0].taxonomy
    rows = [e for e in split_examples(read_examples(data, taxonomy))["test"] if e.labels]
    answers = [
        [router.suggest(row.petition) for row in track(rows, description=router.bundle.id)] for router in routers
    ]
    return compare_answers(*answers, rows=rows, taxonomy=taxonomy)


def compare_answers(
    first: Sequence[Suggestion], second: Sequence[Suggestion], *, rows: Sequence[Example], taxonomy: Taxonomy
) -> list[Comparison]:
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
            Comparison(
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
