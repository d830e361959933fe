"""How far each flag should be looked for where no rule raised it: what a lower cut finds and what it costs.

    python -m training.flag_study nlp/bundles/default --data ../shared/data

Blends are fitted on four fifths of the labelled messages of the splits `calibration` and `thresholds` and asked about
the last fifth, five times over; the test split is not read. One line per flag and cut: messages raised by rule or
model, recall and precision against the annotation (docs/decisions/0017-flags-looked-for.md).
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp.bundle import Bundle, load_bundle
from nlp.knowledge import load_knowledge
from nlp.taxonomy import load_taxonomy
from training.cross_fit import fit_flags, read_held
from training.data import MISSING, Example, read_examples, read_urgent_sentences
from training.flags import LEARNED, flag_array, rules_fired
from training.folds import deal_folds, joined_groups
from training.split import HELD, split_examples

CUTS = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
"""1 is the rules alone."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the annotated messages")
    options = parser.parse_args()
    taxonomy = load_taxonomy()
    dealt = split_examples(read_examples(options.data, taxonomy, written=False))
    examples = [example for name in HELD for example in dealt[name] if example.labels]
    for line in lines(load_bundle(options.bundle, taxonomy), examples):
        print(line)  # noqa: T201


def lines(bundle: Bundle, examples: list[Example]) -> Iterator[str]:
    """Return a line per learned flag and cut."""
    fired, chances = looked_at(bundle, examples)
    truth = flag_array(examples)
    for flag, code in enumerate(LEARNED):
        known = truth[:, flag] != MISSING
        wanted = truth[known, flag] == 1
        for cut in CUTS:
            raised = (fired | (chances >= cut))[known, flag]
            right = (raised & wanted).sum()
            recall, precision = right / max(1, wanted.sum()), right / max(1, raised.sum())
            yield (
                f"{code:24} {cut:4.2f}  annotated {wanted.sum():4}  raised {raised.sum():4}  "
                f"recall {recall:.3f}  precision {precision:.3f}"
            )


def looked_at(bundle: Bundle, examples: list[Example]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Tell per message and learned flag whether its rule fired and what chance a model fitted elsewhere gives it."""
    runtime, knowledge = bundle.runtime(), load_knowledge()
    held = read_held(runtime, examples, knowledge, title="held messages")
    sentences = read_held(runtime, read_urgent_sentences("dev"), knowledge, title="sentences")
    strong, weak = rules_fired(held.firings, knowledge)
    chances = np.zeros(strong.shape)
    for learnt, left in deal_folds(examples, joined_groups(examples)):
        blends = fit_flags(held.take(learnt.tolist()), sentences, knowledge).blends
        for row in left.tolist():
            scores = held.readings[row].flags
            for flag, code in enumerate(LEARNED):
                chances[row, flag] = blends[code].probability(
                    float(scores.encoder[flag]),
                    float(scores.linear[flag]),
                    strong=bool(strong[row, flag]),
                    weak=bool(weak[row, flag]),
                )
    return strong | weak, chances


if __name__ == "__main__":
    main()
