"""Speed and memory of the related-petitions index on synthetic petitions.

    python -m bench.related 100000 1000000

Signatures are drawn at random, matter keys around themes, so that a query meets relatives; texts are not stored.
"""

import argparse
import statistics
import time

import numpy as np

from bench.synthetic import batches, keys_around, themes
from nlp.related import RelatedIndex, matter_keys, sign, text_digest

N_QUERIES = 200


def main() -> None:
    """Print one line for each number of stored petitions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sizes", nargs="+", type=int)
    for size in parser.parse_args().sizes:
        measure(size)


def measure(size: int) -> None:
    """Build an index of `size` petitions and time `N_QUERIES` queries one by one."""
    random = np.random.default_rng(1)
    index = RelatedIndex()
    built = 0.0
    for batch in batches(size):
        began = time.perf_counter()
        index.add_many(batch.ids, signatures=batch.signatures, digests=batch.digests, keys=batch.keys)
        built += time.perf_counter() - began
    text = "".join(chr(point) for point in random.integers(0x4E00, 0x9FA0, 370))
    signature, digest = sign(text), text_digest(text)
    began = time.perf_counter()
    for _ in range(N_QUERIES):
        sign(text), matter_keys(text)
    signing = (time.perf_counter() - began) / N_QUERIES
    asked = keys_around(themes()[:N_QUERIES], random)
    times, cpu, n_found = [], time.process_time(), 0
    for keys in asked:
        began = time.perf_counter()
        n_found += index.query_signed(signature, digest=digest, keys=keys).n_found
        times.append(time.perf_counter() - began)
    cpu = (time.process_time() - cpu) / N_QUERIES
    print(  # noqa: T201
        f"{size} stored, {n_found / N_QUERIES:.0f} found: query median {1e3 * statistics.median(times):.1f} ms, p95"
        f" {1e3 * sorted(times)[int(0.95 * N_QUERIES)]:.1f} ms, processor {1e3 * cpu:.1f} ms;"
        f" signing {1e3 * signing:.2f} ms; add {1e6 * built / size:.0f} µs; arrays {index.n_bytes / 2**20:.0f} MiB"
    )


if __name__ == "__main__":
    main()
