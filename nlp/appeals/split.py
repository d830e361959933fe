"""Join the pieces of a text that share a matter, and say how many appeals are left and how sure that is."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.appeals.matters import Score, word_scores
from nlp.appeals.pieces import Cue, Piece, cut
from nlp.petition import Masked

_OWN_MATTER: dict[Cue, float] = {"numbered": 0.4, "connective": 0.4, "request": 0.4, "question": 0.6, "whole": 1.1}
"""Share of its best department from which a piece has a matter of its own, by what set the piece off."""
_SAME_MATTER = 0.3
"""Likeness (shared mass of the departments) from which two pieces are one appeal."""
_SHORTEST = 8
"""Characters below which a piece cannot stand as an appeal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Appeal:
    """One appeal: its spans in the original, the same in the masked text, and the department its words point to.

    The first span is where the matter first comes up. `department` is what pieces were joined by, not where the appeal
    should go, which the router's model says; it is "" where nothing points to one or nothing was joined.
    """

    spans: tuple[tuple[int, int], ...]
    masked_spans: tuple[tuple[int, int], ...]
    department: str = ""

    @property
    def start(self) -> int:
        """Where the appeal begins in the original."""
        return self.spans[0][0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Appeals:
    """The appeals of one petition, at least one, in text order.

    `unsure` asks a person to look; `suspected` is the number of appeals there may be, at least `len(items)`.
    """

    items: tuple[Appeal, ...]
    unsure: bool
    suspected: int

    @property
    def count(self) -> int:
        """How many appeals were split off."""
        return len(self.items)


@dataclass(slots=True)
class _Group:
    """Pieces joined so far and the departments they point to."""

    pieces: list[Piece]
    shares: dict[str, float]


def split_appeals(masked: Masked, *, title_length: int = 0, score: Score = word_scores) -> Appeals:
    """Return the appeals of a petition with their spans in the original.

    `title_length` is that of the title at the start of the original (0 without a title). `score` tells what a piece is
    about; the default knows words only, `accusations_apart` keeps what accuses officials by itself.
    """
    if not masked.text:
        nothing = Appeal(spans=((0, 0),), masked_spans=((0, 0),))
        return Appeals(items=(nothing,), unsure=False, suspected=1)
    body_start = bisect_left(masked.origin, title_length)
    while body_start < len(masked.text) and masked.text[body_start].isspace():
        body_start += 1
    pieces = cut(masked.text, body_start=min(body_start, len(masked.text) - 1))
    if len(pieces) == 1:
        alone = _appeal(_Group(pieces=[*pieces], shares={}), masked)
        return Appeals(items=(alone,), unsure=False, suspected=1)
    groups, doubtful = _grouped(masked.text, pieces, score)
    items = tuple(_appeal(group, masked) for group in groups)
    return Appeals(items=items, unsure=doubtful > 0, suspected=len(items) + doubtful)


def _grouped(text: str, pieces: Sequence[Piece], score: Score) -> tuple[list[_Group], int]:
    """Join pieces of one matter; also count the pieces that were joined without being sure."""
    groups: list[_Group] = []
    doubtful = 0
    preface = pieces[0] if len(pieces) > 1 and pieces[1].cue == "numbered" and pieces[0].cue == "whole" else None
    for piece in pieces[1:] if preface else pieces:
        words = text[piece.start : piece.end]
        shares = dict(score(words)) if len(words.strip()) >= _SHORTEST else {}
        home = _home(groups, shares)
        if home is None and (not groups or _stands_alone(piece, shares)):
            groups.append(_Group(pieces=[piece], shares=shares))
            continue
        doubtful += home is None and bool(shares)
        target = home or groups[-1]
        target.pieces.append(piece)
        _add(target.shares, shares)
    if preface:
        # What stands before a list introduces it; it goes with the first item.
        groups[0].pieces.insert(0, preface)
    return groups, doubtful


def _home(groups: Sequence[_Group], shares: Mapping[str, float]) -> _Group | None:
    """Return the group a piece belongs to: the last one for a piece without a matter, else the most alike."""
    if not groups:
        return None
    if not shares or not groups[-1].shares:
        return groups[-1]
    best = max(groups, key=lambda group: _likeness(group.shares, shares))
    return best if _likeness(best.shares, shares) >= _SAME_MATTER else None


def _stands_alone(piece: Piece, shares: Mapping[str, float]) -> bool:
    """Tell whether a piece unlike all others is an appeal of its own."""
    return max(shares.values(), default=0.0) >= _OWN_MATTER[piece.cue]


def _likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return the mass two share distributions have in common, each scaled to sum to 1."""
    one_total, other_total = sum(one.values()) or 1.0, sum(other.values()) or 1.0
    return sum(min(share / one_total, other.get(code, 0.0) / other_total) for code, share in one.items())


def _add(shares: dict[str, float], more: Mapping[str, float]) -> None:
    """Let a joined piece count towards what its group is about."""
    for code, share in more.items():
        shares[code] = shares.get(code, 0.0) + share


def _appeal(group: _Group, masked: Masked) -> Appeal:
    """Report a group with spans in the original; touching pieces become one span."""
    spans: list[tuple[int, int]] = []
    for piece in group.pieces:
        if spans and spans[-1][1] == piece.start:
            spans[-1] = (spans[-1][0], piece.end)
        else:
            spans.append((piece.start, piece.end))
    return Appeal(
        spans=tuple(masked.original_span(start, end) for start, end in spans),
        masked_spans=tuple(spans),
        department=max(group.shares, key=lambda code: group.shares[code], default=""),
    )
