"""Speed and memory of the related-petitions index on synthetic petitions.

    python -m bench.related 100000 1000000 [--width 320]

Signatures and vectors are drawn at random around themes, so that a query meets relatives; texts are not stored.
"""

import argparse
import statistics
import time

import numpy as np

from nlp.related import RelatedIndex, sign

N_QUERIES = 200
BATCH = 10_000


def main() -> None:
    """Print one line for each number of stored petitions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sizes", nargs="+", type=int)
    parser.add_argument("--width", type=int, default=320)
    arguments = parser.parse_args()
    for size in arguments.sizes:
        measure(size, width=arguments.width)


def measure(size: int, *, width: int) -> None:
    """Build an index of `size` petitions and time `N_QUERIES` queries one by one."""
    random = np.random.default_rng(1)
    themes = random.standard_normal((2_000, width)).astype(np.float32)
    index = RelatedIndex(width=width)
    began = time.perf_counter()
    for first in range(0, size, BATCH):
        numbers = range(first, min(size, first + BATCH))
        noise = random.standard_normal((len(numbers), width), dtype=np.float32)
        index.add_many(
            [str(number) for number in numbers],
            signatures=random.integers(0, 2**16, (len(numbers), 64), dtype=np.uint16),
            digests=[number + 1 for number in numbers],
            vectors=themes[np.array(numbers) % len(themes)] + 0.8 * noise,
        )
    built = time.perf_counter() - began
    text = "".join(chr(point) for point in random.integers(0x4E00, 0x9FA0, 370))
    began = time.perf_counter()
    for _ in range(N_QUERIES):
        sign(text)
    signing = (time.perf_counter() - began) / N_QUERIES
    times, cpu = [], time.process_time()
    for number in range(N_QUERIES):
        vector = themes[number] + 0.3 * random.standard_normal(width).astype(np.float32)
        began = time.perf_counter()
        index.query(text, vector=vector)
        times.append(time.perf_counter() - began)
    cpu = (time.process_time() - cpu) / N_QUERIES
    print(  # noqa: T201
        f"{size} stored, width {width}: query median {1e3 * statistics.median(times):.1f} ms, p95"
        f" {1e3 * sorted(times)[int(0.95 * N_QUERIES)]:.1f} ms, processor {1e3 * cpu:.1f} ms;"
        f" signing {1e3 * signing:.2f} ms; add {1e6 * built / size:.0f} µs; arrays {index.n_bytes / 2**20:.0f} MiB"
    )


if __name__ == "__main__":
    main()
