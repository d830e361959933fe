"""How far each flag should be looked for where no rule raised it, and from where on a farewell is urgent.

    python -m training.flag_study nlp/bundles/default --data ../shared/data

Blends are fitted on four fifths of the labelled messages of the splits `calibration` and `thresholds` and asked about
the last fifth, five times over; the test split is not read. One line per flag and cut: messages raised by rule or
model, recall and precision against the annotation. Then level S of all its flags together, with self-harm called urgent
from a share of the others' cut on (docs/decisions/0017-flags-looked-for.md).
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp.bundle import load_bundle
from nlp.knowledge import Knowledge, load_knowledge
from nlp.runtime import Runtime
from nlp.taxonomy import load_taxonomy
from training.cross_fit import fit_flags, read_held
from training.data import MISSING, Example, read_examples, read_urgent_sentences
from training.flags import LEARNED, URGENT_PRECISION, cut_for_precision, flag_array, rules_fired
from training.folds import deal_folds, joined_groups
from training.split import HELD, split_examples

CUTS = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
"""1 is the rules alone."""
SHARES = (1.0, 0.5, 0.25, 0.125)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the annotated messages")
    options = parser.parse_args()
    taxonomy, knowledge = load_taxonomy(), load_knowledge()
    dealt = split_examples(read_examples(options.data, taxonomy, written=False))
    examples = [example for name in HELD for example in dealt[name] if example.labels]
    fired, chances = looked_at(load_bundle(options.bundle, taxonomy).runtime(), examples, knowledge)
    truth = flag_array(examples)
    for line in (*look_lines(fired, chances, truth), *urgent_lines(chances, truth, knowledge)):
        print(line)  # noqa: T201


def looked_at(
    runtime: Runtime, examples: Sequence[Example], knowledge: Knowledge
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Tell per message and learned flag whether its rule fired and what chance a model fitted elsewhere gives it."""
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


def look_lines(fired: NDArray[np.bool_], chances: NDArray[np.float64], truth: NDArray[np.int64]) -> Iterator[str]:
    """Return a line per learned flag and cut."""
    for flag, code in enumerate(LEARNED):
        for cut in CUTS:
            raised = (fired | (chances >= cut))[:, flag]
            yield f"{code:24} from {cut:4.2f} on  {_against(raised, truth[:, flag])}"


def urgent_lines(chances: NDArray[np.float64], truth: NDArray[np.int64], knowledge: Knowledge) -> Iterator[str]:
    """Return a line per share: level S where half of it deserves it, self-harm from that share of the cut on."""
    urgent = [LEARNED.index(rule.code) for rule in knowledge.rules if rule.level == "S" and rule.code in LEARNED]
    p, known = chances[:, urgent], truth[:, urgent]
    cut = cut_for_precision(p[known != MISSING], known[known != MISSING], precision=URGENT_PRECISION)
    sooner = np.asarray([LEARNED[flag] == "self_harm" for flag in urgent])
    for share in SHARES:
        raised = p >= np.where(sooner, cut * share, cut)
        yield (
            f"level S, self-harm from {share:5.3f} of the cut on  {_against(raised.ravel(), known.ravel())}  "
            f"self-harm alone  {_against(raised[:, sooner].ravel(), known[:, sooner].ravel())}"
        )


def _against(raised: NDArray[np.bool_], truth: NDArray[np.int64]) -> str:
    wanted = truth == 1
    raised = raised & (truth != MISSING)
    right = (raised & wanted).sum()
    recall, precision = right / max(1, wanted.sum()), right / max(1, raised.sum())
    return f"annotated {wanted.sum():4}  raised {raised.sum():4}  recall {recall:.3f}  precision {precision:.3f}"


if __name__ == "__main__":
    main()
