"""Which literal pieces must stand in a text before a regular expression can match it.

Hundreds of signals are looked for in every petition, few can match: an index of their pieces by first two
characters says which ones are worth trying.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any


def anchors_of(pattern: str) -> frozenset[str]:
    """Return pieces of text of which every match of `pattern` contains at least one; empty if none can be told.

    Uses the standard library's own parser of regular expressions, so that nothing is understood differently here.
    """
    return _anchors(_parser.parse(pattern))


def _anchors(tokens: Iterable[tuple[Any, Any]]) -> frozenset[str]:
    """Choose the most telling pieces of a sequence: long ones, then few."""
    candidates: list[frozenset[str]] = []
    run = ""
    for kind, value in tokens:
        if kind is op.LITERAL:
            run += chr(value)
            continue
        if run:
            candidates.append(frozenset({run}))
        run = ""
        candidates.append(_pieces(kind, value))
    if run:
        candidates.append(frozenset({run}))
    telling = [candidate for candidate in candidates if candidate]
    return max(telling, key=lambda pieces: (min(2, *map(len, pieces)), -len(pieces)), default=frozenset())


def _pieces(kind: object, value: Any) -> frozenset[str]:
    """Return the pieces of one element that is no plain character."""
    if kind is op.SUBPATTERN:
        return _anchors(value[3])
    if kind is op.BRANCH:
        branches = [_anchors(branch) for branch in value[1]]
        return frozenset().union(*branches) if all(branches) else frozenset()
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT) and value[0] > 0:
        return _anchors(value[2])
    if kind is op.IN and all(item is op.LITERAL for item, _ in value):
        return frozenset(chr(code) for _, code in value)
    return frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """Which of many regular expressions can match a text.

    `by_start` maps the first two characters of a piece (or its only one) to the pieces and the numbers of
    the expressions that need it; `always` are those for which no piece is known.
    """

    by_start: Mapping[str, tuple[tuple[str, int], ...]]
    always: frozenset[int]

    def worth_trying(self, text: str) -> set[int]:
        """Return the numbers of the expressions that may match `text`."""
        found = set(self.always)
        starts = {*text, *map("".join, pairwise(text))}
        for start in starts & self.by_start.keys():
            found.update(number for piece, number in self.by_start[start] if piece in text)
        return found


def index_of(patterns: Sequence[re.Pattern[str]]) -> Index:
    """Index `patterns` by the pieces they need."""
    by_start: dict[str, list[tuple[str, int]]] = {}
    always = set()
    for number, pattern in enumerate(patterns):
        pieces = anchors_of(pattern.pattern)
        if not pieces:
            always.add(number)
        for piece in pieces:
            by_start.setdefault(piece[:2], []).append((piece, number))
    return Index(by_start={start: tuple(entries) for start, entries in by_start.items()}, always=frozenset(always))
