"""Time of one petition through everything, part by part, over our own sample petitions.

    python -m bench.one_text [--stored 100000] [--bundle FOLDER] [--threads 2]

Medians over the petitions of datasets/samples, one thread asking, the model on `--threads` threads. Related petitions
are looked for among synthetic ones, those of `bench.related`.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from bench.synthetic import batches
from nlp.appeals import accusations_apart, split_appeals
from nlp.assessment import assess
from nlp.elements import find_elements
from nlp.petition import Petition, Suggestion
from nlp.prepare import prepare
from nlp.related import RelatedIndex
from nlp.router import Router
from nlp.rules import find_firings

GOAL_MS = 30.0
SAMPLES = Path(__file__).parents[1] / "datasets" / "samples"
N_WARM_UP = 10
RECEIVED = {"received": date(2026, 3, 2)}

Timed = dict[str, list[float]]
"""Seconds per petition, by the name of the part."""


def main() -> None:
    """Print the median of every part and of the whole beside the goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stored", type=int, default=100_000)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--most", type=int, default=300, help="petitions timed at most")
    arguments = parser.parse_args()
    router = Router.load(arguments.bundle, n_threads=arguments.threads)
    petitions = samples()[: arguments.most]
    index = stored(arguments.stored)
    whole, parts = measured(router, index, petitions)
    characters = statistics.median(len(petition.content) for petition in petitions)
    _say(f"{len(petitions)} petitions, median {characters:.0f} characters; {arguments.stored} stored")
    for name, times in parts.items():
        _say(f"  {name:<36}{_row(times)}")
    verdict = "within" if 1e3 * statistics.median(whole) <= GOAL_MS else "over"
    _say(f"  {'total, as one run':<36}{_row(whole)}   {verdict} the goal of {GOAL_MS:.0f} ms")


def samples() -> list[Petition]:
    """Return our own petitions; they are written by us, no citizen's."""
    lines = (SAMPLES / "petitions.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines if line.strip()]
    return [Petition(text=record["text"], title=record.get("title", "")) for record in records]


def stored(size: int) -> RelatedIndex:
    """Return an index of `size` synthetic petitions."""
    index = RelatedIndex()
    for batch in batches(size):
        index.add_many(batch.ids, signatures=batch.signatures, digests=batch.digests, keys=batch.keys)
    return index


def measured(router: Router, index: RelatedIndex, petitions: Sequence[Petition]) -> tuple[list[float], Timed]:
    """Return the seconds of each petition as one run, and of each part alone; the first petitions only warm up."""
    parts: Timed = {}
    whole: list[float] = []
    apart = accusations_apart(router.knowledge)
    for petition in [*petitions[:N_WARM_UP], *petitions]:
        masked, title_length = prepare(petition), len(petition.title)
        suggestion = router.suggest(petition)
        steps = {
            "normalise and mask": lambda p=petition: prepare(p),
            "model (both branches, calibration)": lambda m=masked: _read(router, m.text),
            "rules": lambda m=masked: find_firings(m, knowledge=router.knowledge),
            "elements": lambda m=masked, n=title_length: find_elements(m, title_length=n),
            "split into appeals": lambda m=masked, n=title_length: split_appeals(m, title_length=n, score=apart),
            "related": lambda m=masked: index.query(m.text),
            "suggestion (all of it)": lambda p=petition: router.suggest(p),
            "assessment (all of it)": lambda p=petition, s=suggestion: _assess(router, p, s),
        }
        for name, step in steps.items():
            parts.setdefault(name, []).append(_seconds(step))
        whole.append(_seconds(lambda p=petition: _everything(router, index, p)))
    return whole[N_WARM_UP:], {name: times[N_WARM_UP:] for name, times in parts.items()}


def _everything(router: Router, index: RelatedIndex, petition: Petition) -> None:
    """Do what intake does; the masked text is a by-product of the suggestion, and is not made twice."""
    suggestion = router.suggest(petition)
    _assess(router, petition, suggestion)
    index.query(suggestion.masked_text)


def _read(router: Router, text: str) -> object:
    reading = router.runtime.read(text)
    return router.calibration.scores(reading.encoder, reading.linear)


def _assess(router: Router, petition: Petition, suggestion: Suggestion) -> object:
    return assess(petition, suggestion, knowledge=router.knowledge, events=RECEIVED)


def _seconds(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def _row(times: Sequence[float]) -> str:
    """Return median and 95th percentile in milliseconds."""
    ordered = sorted(times)
    return f"median {1e3 * statistics.median(ordered):6.1f} ms   p95 {1e3 * ordered[int(0.95 * len(ordered))]:6.1f} ms"


def _say(line: str) -> None:
    print(line)  # noqa: T201


if __name__ == "__main__":
    main()
