"""How many signs of a court case make a text plain enough to overrule the model.

    python -m training.overruling --data ../shared/data

Reads the splits `fit` and `calibration` only. The model's side is the linear branch, cross-fitted so that no petition
is answered by a branch that has learnt it: weaker than the bundled model, which flatters the rule, so a rule that
loses here loses all the more at the desk. Prints one line per kind and number of signs.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sklearn.model_selection import GroupKFold

from nlp.knowledge import Knowledge, load_knowledge
from nlp.rules.matters import find_matters
from nlp.taxonomy import Taxonomy, load_taxonomy
from training.data import Example, read_examples
from training.folds import joined_groups
from training.linear import choose_vocabulary, feature_matrix, fit_linear
from training.split import split_examples

N_NGRAMS = 60_000
MANY = 5
"""From here on the number of signs is not told apart."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the annotated messages")
    taxonomy = load_taxonomy()
    dealt = split_examples(read_examples(parser.parse_args().data, taxonomy, written=False))
    examples = [example for example in (*dealt["fit"], *dealt["calibration"]) if example.labels]
    counts = count_outcomes(examples, cross_fitted(examples, taxonomy), taxonomy, load_knowledge())
    print("kind, signs: rule right / model right / neither")  # noqa: T201
    for kind, signs in sorted({key[:2] for key in counts}):
        outcomes = (str(counts[kind, signs, outcome]) for outcome in ("rule", "model", "neither"))
        print(f"{kind}, {signs}{'+' if signs == MANY else ''}: {' / '.join(outcomes)}")  # noqa: T201


def cross_fitted(examples: Sequence[Example], taxonomy: Taxonomy) -> list[str]:
    """Return the channel that a linear branch answers for each example without having learnt it or a near-duplicate."""
    names = taxonomy.labels["channel"]
    answers = [""] * len(examples)
    for fit, held in GroupKFold(5).split(examples, groups=joined_groups(examples)):
        texts = [examples[row].text for row in fit]
        branch = fit_linear(
            texts,
            {"channel": [examples[row].labels["channel"] for row in fit]},
            taxonomy.labels,
            vocabulary=choose_vocabulary(texts, n_ngrams=N_NGRAMS),
        )
        features = feature_matrix([examples[row].text for row in held], branch.vocabulary)
        for row, place in zip(held, branch.scores(features)["channel"].argmax(axis=1), strict=True):
            answers[row] = names[place]
    return answers


def count_outcomes(
    examples: Sequence[Example], answers: Sequence[str], taxonomy: Taxonomy, knowledge: Knowledge
) -> Counter[tuple[str, int, str]]:
    """Count (kind of circumstance, number of signs, who is right) where the law's circumstances contradict `answers`.

    A petition with several circumstances counts under the first that leaves only one channel.
    """
    counts: Counter[tuple[str, int, str]] = Counter()
    for example, answer in zip(examples, answers, strict=True):
        if not {"appeal", "request"} & set(taxonomy.channel(answer).natures):
            continue
        met = [seen for seen in find_matters(example.text, knowledge=knowledge).circumstances if seen.entry.excludes]
        if not met or met[0].entry.channel == answer:
            continue
        fact = met[0].entry
        signs = sum(seen.n_signals for seen in met if seen.entry.channel == fact.channel)
        truth = example.labels["channel"]
        outcome = "rule" if truth == fact.channel else "model" if truth == answer else "neither"
        kind = f"{fact.code}, answer {'excluded' if answer in fact.excludes else 'not decided yet'}"
        counts[kind, min(signs, MANY), outcome] += 1
    return counts


if __name__ == "__main__":
    main()
