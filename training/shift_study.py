"""What the shifts of the calibration bring, and how large their penalty should be.

    python -m training.shift_study nlp/bundles/default --data ../shared/data

Fits on one of the splits `calibration` and `thresholds` and measures on the other, both ways; the test split is not
read. One line per pair of penalties: means over both ways of accuracy, macro-F1 and calibration error, first of all
heads together, then of each. Penalties of None leave the shifts out.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp.bundle import load_bundle
from nlp.calibrate import Calibration, best_label
from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy, load_taxonomy
from training.calibrate import BIAS_PENALTY, WEIGHT_PENALTY, fit_blends, fit_calibration
from training.classifier import label_arrays
from training.data import read_examples
from training.measures import accuracy, calibration_error, macro_f1
from training.split import HELD, split_examples
from training.systems import ByHead, read_branches

Part = tuple[ByHead, ByHead, Mapping[Head, NDArray[np.int64]]]
"""Raw scores of encoder and linear branch, and the labels."""

PENALTIES = (None, (0.005, 0.003), (BIAS_PENALTY, WEIGHT_PENALTY), (0.02, 0.003), (0.005, 0.01), (0.005, 0.001))


def main() -> None:
    """Read both splits once, then print a line per pair of penalties."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the annotated messages")
    options = parser.parse_args()
    taxonomy = load_taxonomy()
    runtime = load_bundle(options.bundle, taxonomy).runtime()
    dealt = split_examples(read_examples(options.data, taxonomy, written=False))
    parts: list[Part] = []
    for split in (dealt[name] for name in HELD):
        rows = [example for example in split if example.labels]
        truth = label_arrays(rows, taxonomy)
        parts.append((*read_branches(runtime, [row.text for row in rows]), {head: truth[head] for head in HEADS}))
    for penalties in PENALTIES:
        print(f"{penalties}: {both_ways(parts, taxonomy, penalties)}")  # noqa: T201


def both_ways(parts: Sequence[Part], taxonomy: Taxonomy, penalties: tuple[float, float] | None) -> str:
    """Fit on one of two parts, measure on the other and the other way round; return the means as a line."""
    ways = (tuple(parts), tuple(reversed(parts)))
    figures = np.mean([_measured(fit, held, taxonomy, penalties) for fit, held in ways], axis=0)
    heads = "  ".join(f"{head} {_line(row)}" for head, row in zip(HEADS, figures, strict=True))
    return f"all {_line(figures.mean(axis=0))}  {heads}"


def _measured(fit: Part, held: Part, taxonomy: Taxonomy, penalties: tuple[float, float] | None) -> NDArray[np.float64]:
    """Return accuracy, macro-F1 and calibration error (heads, 3) on `held`."""
    if penalties is None:
        calibration = Calibration(blends=fit_blends(*fit, taxonomy.labels), labels=taxonomy.labels)
    else:
        calibration = fit_calibration(*fit, taxonomy.labels, penalties=penalties)
    encoder, linear, truth = held
    scores = calibration.scores(encoder, linear)
    figures = []
    for head in HEADS:
        best = best_label(scores, head, taxonomy.labels)
        confidence = scores.probabilities[head][np.arange(len(best)), best]
        right = best == truth[head]
        error = calibration_error(confidence, right)
        figures.append([accuracy(truth[head], best), macro_f1(truth[head], best), error])
    return np.asarray(figures)


def _line(figures: Sequence[float] | NDArray[np.float64]) -> str:
    return " ".join(f"{value:.3f}" for value in figures)


if __name__ == "__main__":
    main()
