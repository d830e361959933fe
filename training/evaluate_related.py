"""Precision and recall of related petitions on the known near-duplicate groups of the data, and where to set the bar.

    python -m training.evaluate_related ../shared/data [--text-only | --vectors FILE.npy]

All messages are stored, then each is queried. `--vectors` holds the encoder's sentence vectors (messages, width) in
the order of the two files; without it latent semantic vectors of character n-grams stand in, fitted on the same texts.
Groups (`group`) hold near-duplicates by text and messages with equal titles; a pair of one group is a hit.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from nlp.petition import Petition
from nlp.prepare import prepare
from nlp.related import RelatedIndex

BARS = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def main() -> None:
    """Print pairwise precision and recall for text relations and for each bar of the sentence vectors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--text-only", action="store_true", help="signatures alone, no vectors")
    arguments = parser.parse_args()
    texts, groups = read_groups(arguments.folder)
    if arguments.text_only:
        vectors = np.zeros((len(texts), 1), np.float32)
    else:
        vectors = np.load(arguments.vectors) if arguments.vectors else stand_in(texts)
    found = query_all(texts, vectors)
    wanted = _pairs_in(groups)
    print(f"{len(texts)} messages, {wanted} pairs in groups")  # noqa: T201
    by_text = [pair for pair in found if pair[2] != "same_matter"]
    print("same text or near-duplicate:", _figures(by_text, groups, wanted))  # noqa: T201
    for bar in () if arguments.text_only else BARS:
        kept = [pair for pair in found if pair[2] != "same_matter" or pair[3] >= bar]
        print(f"and same matter, bar {bar}:", _figures(kept, groups, wanted))  # noqa: T201


def read_groups(folder: Path) -> tuple[list[str], list[str]]:
    """Return the masked texts of all messages and their groups."""
    texts, groups = [], []
    for name in ("messages_labelled.csv", "messages_unlabelled.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                texts.append(prepare(Petition(title=row["title"], text=row["text"])).text)
                groups.append(row["group"])
    return texts, groups


def stand_in(texts: list[str]) -> NDArray[np.float32]:
    """Return latent semantic vectors (texts, 128) of character 2- and 3-grams."""
    features = TfidfVectorizer(analyzer="char", ngram_range=(2, 3), min_df=3, sublinear_tf=True, max_features=60_000)
    reduced = TruncatedSVD(128, random_state=0).fit_transform(features.fit_transform(texts))
    return np.asarray(reduced, np.float32)


def query_all(texts: list[str], vectors: NDArray[np.float32]) -> list[tuple[int, int, str, float]]:
    """Store every text, query each, and return the pairs found: both places, relation, cosine; each pair once."""
    index = RelatedIndex(width=vectors.shape[1], same_matter=min(BARS))
    for place, text in enumerate(texts):
        index.add(str(place), text=text, vector=vectors[place])
    found = {}
    for place, text in enumerate(texts):
        for match in index.query(text, vector=vectors[place], most=60, ignore=(str(place),)).matches:
            other = int(match.petition_id)
            found[min(place, other), max(place, other)] = (match.relation, match.matter_share)
    return [(first, second, relation, matter) for (first, second), (relation, matter) in found.items()]


def _pairs_in(groups: list[str]) -> int:
    """Count the pairs of messages that share a group."""
    _, sizes = np.unique(groups, return_counts=True)
    return int((sizes * (sizes - 1) // 2).sum())


def _figures(pairs: list[tuple[int, int, str, float]], groups: list[str], wanted: int) -> str:
    """Return precision and recall of the pairs against the groups."""
    right = sum(groups[first] == groups[second] for first, second, _, _ in pairs)
    return f"{len(pairs)} pairs, precision {right / max(1, len(pairs)):.3f}, recall {right / max(1, wanted):.3f}"


if __name__ == "__main__":
    main()
