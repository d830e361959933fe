"""What the mean of several fine-tuning runs' logits would bring over one of them.

    python -m training.ensemble_study runs/a runs/b runs/c --data ../shared/data

For every choice of runs, with the linear branch beside them: fits the calibration on one of the splits `calibration`
and `thresholds` and measures on the other, both ways; the test split is not read. One line per choice: accuracy,
macro-F1 and calibration error, means over both ways, first of all heads together, then of each.
"""

import argparse
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from nlp.petition import HEADS
from nlp.taxonomy import load_taxonomy
from training.calibrate import BIAS_PENALTY, WEIGHT_PENALTY
from training.classifier import label_arrays, load_run
from training.data import Example, read_examples
from training.linear import feature_matrix, fit_linear_branch
from training.shift_study import Part, both_ways
from training.split import HELD, split_examples
from training.systems import ByHead


def main() -> None:
    """Read the splits once with every run, then print a line per choice of runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True, help="folder of the annotated messages")
    options = parser.parse_args()
    taxonomy = load_taxonomy()
    dealt = split_examples(read_examples(options.data, taxonomy))
    splits = [[example for example in dealt[name] if example.labels] for name in HELD]
    branch = fit_linear_branch(dealt["fit"], taxonomy)
    linear = [branch.scores(feature_matrix([e.text for e in rows], branch.vocabulary)) for rows in splits]
    encoders = {run: _read(run, splits) for run in options.runs}
    truth = [{head: label_arrays(rows, taxonomy)[head] for head in HEADS} for rows in splits]
    for size in range(1, len(options.runs) + 1):
        for chosen in combinations(options.runs, size):
            means = [_mean([encoders[run][place] for run in chosen]) for place in range(len(splits))]
            parts: list[Part] = list(zip(means, linear, truth, strict=True))
            name = " + ".join(run.name for run in chosen)
            line = both_ways(parts, taxonomy, (BIAS_PENALTY, WEIGHT_PENALTY))
            print(f"{name}: {line}", flush=True)  # noqa: T201


def _read(run: Path, splits: Sequence[Sequence[Example]]) -> list[ByHead]:
    trained = load_run(run, load_taxonomy())
    found = [trained.logits([example.text for example in rows]) for rows in splits]
    return [{head: logits[head] for head in HEADS} for logits in found]


def _mean(members: Sequence[ByHead]) -> ByHead:
    return {head: np.mean([member[head] for member in members], axis=0) for head in HEADS}


if __name__ == "__main__":
    main()
