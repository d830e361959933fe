"""What a petition is about and what has already happened in it, as far as the signals of the knowledge files tell."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from nlp.knowledge import Alternatives, Circumstance, Knowledge, Neighbour, Prerequisite, Situation
from nlp.knowledge.signals import any_of, expand
from nlp.rules.anchors import Index, index_of


class _Signalled(Protocol):
    """An entry that is recognised by signals."""

    @property
    def signals(self) -> tuple[str, ...]:
        """Expressions, any of which is enough."""


Entry = TypeVar("Entry", bound=_Signalled)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen(Generic[Entry]):
    """An entry whose signals were found: where first (offset in the masked text), and how many different ones."""

    entry: Entry
    start: int
    n_signals: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Matters:
    """Everything recognised in one text."""

    circumstances: tuple[Seen[Circumstance], ...]
    situations: tuple[Seen[Situation], ...]
    prerequisites: tuple[Seen[Prerequisite], ...]
    alternatives: tuple[Seen[Alternatives], ...]
    neighbours: tuple[Seen[Neighbour], ...]

    @property
    def told(self) -> tuple[str, ...]:
        """Return the codes of what the text says has happened, by which clocks start or are ruled out."""
        circumstances = tuple(seen.entry.code for seen in self.circumstances)
        return (*(seen.entry.code for seen in self.situations), *circumstances)


class _Finder(Generic[Entry]):
    """Finds entries of one kind by their signals, past their idioms."""

    def __init__(self, entries: Sequence[Entry], words: dict[str, tuple[str, ...]]) -> None:
        self._entries = [entry for entry in entries if entry.signals]
        patterns = [[re.compile(expand(signal, words)) for signal in entry.signals] for entry in self._entries]
        self._owner = [number for number, signals in enumerate(patterns) for _ in signals]
        self._signals = [signal for signals in patterns for signal in signals]
        self._idioms = [_idioms_of(entry, words) for entry in self._entries]
        self._index: Index = index_of(self._signals)

    def find(self, text: str) -> tuple[Seen[Entry], ...]:
        """Return the entries met in `text`, in the order of the knowledge files."""
        matches: dict[int, list[re.Match[str]]] = {}
        for number in self._index.worth_trying(text):
            matches.setdefault(self._owner[number], []).extend(self._signals[number].finditer(text))
        seen = []
        for owner in sorted(matches):
            standing = list(_standing(matches[owner], self._idioms[owner], text))
            if standing:
                seen.append(
                    Seen(
                        entry=self._entries[owner],
                        start=min(match.start() for match in standing),
                        n_signals=len({match.group() for match in standing}),
                    )
                )
        return tuple(seen)


def _idioms_of(entry: object, words: dict[str, tuple[str, ...]]) -> re.Pattern[str] | None:
    """Compile the idioms of an entry, if it has any."""
    idioms: tuple[str, ...] = getattr(entry, "idioms", ())
    return re.compile(any_of(idioms, words)) if idioms else None


def _standing(matches: Iterable[re.Match[str]], idioms: re.Pattern[str] | None, text: str) -> Iterable[re.Match[str]]:
    """Yield the matches that no idiom overlaps."""
    cancelling = [idiom.span() for idiom in idioms.finditer(text)] if idioms else []
    for match in matches:
        if not any(start < match.end() and match.start() < end for start, end in cancelling):
            yield match


@dataclass(frozen=True, kw_only=True, slots=True)
class _Finders:
    """One finder per kind of entry."""

    circumstances: _Finder[Circumstance]
    situations: _Finder[Situation]
    prerequisites: _Finder[Prerequisite]
    alternatives: _Finder[Alternatives]
    neighbours: _Finder[Neighbour]


@lru_cache(maxsize=8)
def _finders(knowledge: Knowledge) -> _Finders:
    """Compile the signals of one knowledge once."""
    words = dict(knowledge.lexicon.words)
    return _Finders(
        circumstances=_Finder(knowledge.circumstances, words),
        situations=_Finder(knowledge.situations, words),
        prerequisites=_Finder(knowledge.prerequisites, words),
        alternatives=_Finder(knowledge.alternatives, words),
        neighbours=_Finder(knowledge.neighbours, words),
    )


def find_matters(text: str, *, knowledge: Knowledge) -> Matters:
    """Return what the signals of the knowledge files find in masked `text`."""
    finders = _finders(knowledge)
    return Matters(
        circumstances=finders.circumstances.find(text),
        situations=finders.situations.find(text),
        prerequisites=finders.prerequisites.find(text),
        alternatives=finders.alternatives.find(text),
        neighbours=finders.neighbours.find(text),
    )
