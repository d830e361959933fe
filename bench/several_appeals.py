"""What judging every appeal by itself costs: processor time of one suggestion by the number of appeals in the text.

    python -m bench.several_appeals

Over the written set `datasets/appeals/multi.jsonl`, the model on one thread.
"""

import json
import statistics
import time
from pathlib import Path

from nlp.petition import Petition
from nlp.router import Router

WRITTEN = Path(__file__).parents[1] / "datasets" / "appeals" / "multi.jsonl"
N_WARM_UP = 10


def main() -> None:
    """Print the median per number of appeals."""
    router = Router.load(n_threads=1)
    lines = WRITTEN.read_text(encoding="utf-8").splitlines()
    petitions = [Petition(text=json.loads(line)["text"]) for line in lines]
    for petition in petitions[:N_WARM_UP]:
        router.suggest(petition)
    times: dict[int, list[float]] = {}
    for petition in petitions:
        began = time.process_time()
        suggestion = router.suggest(petition)
        times.setdefault(max(1, len(suggestion.appeals)), []).append(time.process_time() - began)
    for n_appeals, found in sorted(times.items()):
        print(f"{n_appeals} appeals: {len(found)} texts, median {1e3 * statistics.median(found):.1f} ms")  # noqa: T201


if __name__ == "__main__":
    main()
