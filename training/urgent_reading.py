"""The urgent flags, read for on purpose.

Whoever fills in ten columns for a petition overlooks flags: two further readers who looked for the four urgent flags
alone agree with each other and find half as many again as the first reading (docs/rules.md). Their answers stand in
`datasets/annotations/urgent_reading.csv`, one line per petition and reader, and take the place of the first reading's
urgent flags: two readers are settled by majority with the first reading, one reader is believed.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sklearn.metrics import cohen_kappa_score

URGENT = ("self_harm", "violence_threat", "group_event", "imminent_safety_risk")
"""The flags of level S that annotations tell."""

Agreement = tuple[str, tuple[int, int, int, int], tuple[float, float]]
"""A flag, how often it was found, and kappas; see `agreement`."""


def read_urgent(path: Path) -> dict[str, list[frozenset[str]]]:
    """Return what each reader found, by petition; in every petition the readers stand in the same order."""
    found: dict[str, list[frozenset[str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in sorted(csv.DictReader(file), key=lambda row: row["reader"]):
            found.setdefault(row["id"], []).append(frozenset(filter(None, row["flags"].split(";"))))
    return found


def settle(first: Sequence[str], readings: Sequence[frozenset[str]]) -> tuple[str, ...]:
    """Return the flags of a petition from its `first` reading and the `readings` for urgent flags alone."""
    if not readings:
        return tuple(first)
    votes = readings if len(readings) == 1 else [frozenset(first), *readings]
    urgent = [code for code in URGENT if 2 * sum(code in vote for vote in votes) > len(votes)]
    return (*urgent, *(code for code in first if code not in URGENT))


def kappa(pairs: Iterable[tuple[bool, bool]]) -> float:
    """Return Cohen's kappa of two readers' answers; 1 if both always say the same of everything."""
    first, second = zip(*pairs, strict=True)
    return 1.0 if first == second else float(cohen_kappa_score(first, second))


def agreement(firsts: Mapping[str, Sequence[str]], readings: Mapping[str, Sequence[frozenset[str]]]) -> list[Agreement]:
    """Return per flag, over petitions with two urgent readings: the flag, how often it is found, and the kappas.

    Counted are the first reading, both urgent ones and what they are settled to; the kappas are those of the first and
    an urgent reading, and of the two urgent ones.
    """
    ids = [id_ for id_, found in readings.items() if len(found) > 1 and id_ in firsts]
    table = []
    for code in URGENT:
        votes = [(code in firsts[id_], *(code in found for found in readings[id_][:2])) for id_ in ids]
        first, second, third = (sum(vote[reader] for vote in votes) for reader in range(3))
        settled = sum(code in settle(firsts[id_], readings[id_]) for id_ in ids)
        with_first, between = (kappa((vote[reader], vote[reader + 1]) for vote in votes) for reader in (0, 1))
        table.append((code, (first, second, third, settled), (with_first, between)))
    return table
