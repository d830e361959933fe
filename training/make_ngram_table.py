"""Count which 2- and 3-grams are common in messages, for the matter keys of related petitions.

    python -m training.make_ngram_table ../shared/data

Only messages of split `fit` are counted. The table holds hashes and weights, no text. It is part of every stored key:
whoever makes it anew adds a migration that fills the stored keys anew.
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from nlp.related.matter import TABLE, ngram_counts
from nlp.taxonomy import load_taxonomy
from training.data import read_examples
from training.split import split_examples

N_COMMON = 30_000


def main() -> None:
    """Write the table and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    fit = split_examples(read_examples(arguments.folder, load_taxonomy(), written=False))["fit"]
    write_table((example.text for example in fit), arguments.out)
    print(f"{len(fit)} messages, {arguments.out.stat().st_size} bytes in {arguments.out}")  # noqa: T201


def write_table(texts: Iterable[str], out: Path) -> None:
    """Write the hashes (n,) of the most frequent n-grams of masked `texts`, sorted, and their weights (n,).

    The weight is ln(texts / texts with the n-gram).
    """
    found: Counter[int] = Counter()
    n_texts = 0
    for text in texts:
        found.update(ngram_counts(text).keys())
        n_texts += 1
    common = sorted(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:N_COMMON])
    hashes, frequencies = np.array(common, np.int64).T
    weights = np.log(n_texts / frequencies)
    np.savez_compressed(out, hashes=hashes.astype(np.uint32), weights=weights.astype(np.float16))


if __name__ == "__main__":
    main()
