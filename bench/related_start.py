"""Start-up time and memory of the related petitions of one server process, read from a SQLite database.

    python -m bench.related_start 100000

The fingerprints are drawn at random; no petition stands behind them. One size per run, so that the memory is its own.
"""

import argparse
import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.synthetic import batches
from serving.related import RelatedPetitions
from serving.store.engine import Store
from serving.store.fingerprints import Fingerprint

N_QUESTIONS = 50


def main() -> None:
    """Print one line for the size given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("size", type=int)
    size = parser.parse_args().size
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.sqlite3"
        store = Store(f"sqlite:///{path}")
        store.prepare(auto_migrate=True)
        fill(path, size)
        measure(store, size)
        store.close()


def fill(path: Path, size: int) -> None:
    """Write `size` fingerprints; foreign keys are off on this connection, as there are no petitions."""
    with sqlite3.connect(path) as connection:
        for rows in _rows(size):
            connection.executemany(
                "INSERT INTO fingerprints (seq, petition_id, signature, digest, matter_keys) VALUES (?, ?, ?, ?, ?)",
                rows,
            )
    connection.close()


def _rows(size: int) -> Iterator[list[tuple[Any, ...]]]:
    for batch in batches(size):
        numbers = zip(batch.digests, batch.signatures, batch.keys, strict=True)
        yield [
            (seq, f"P260302-{seq:010d}", signature.tobytes(), seq.to_bytes(8, "little"), keys.tobytes())
            for seq, signature, keys in numbers
        ]


def measure(store: Store, size: int) -> None:
    """Time the first reading and some questions after it."""
    before = _mebibytes()
    related = RelatedPetitions(store)
    fingerprint = Fingerprint.of("路灯不亮" * 90)
    began, cpu = time.perf_counter(), time.process_time()
    related.start()
    related.like(fingerprint, ignore="", patience=3600)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    grown = _mebibytes() - before
    times, cpu_before = [], time.process_time()
    for _ in range(N_QUESTIONS):
        began = time.perf_counter()
        related.like(fingerprint, ignore="", patience=0)
        times.append(time.perf_counter() - began)
    per_question = (time.process_time() - cpu_before) / N_QUESTIONS
    print(  # noqa: T201
        f"{size} stored: read in {wall:.1f} s (processor {cpu:.1f} s), memory grown by {grown:.0f} MiB;"
        f" question median {1e3 * sorted(times)[N_QUESTIONS // 2]:.1f} ms, processor {1e3 * per_question:.1f} ms"
    )


def _mebibytes() -> float:
    """Return the most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
