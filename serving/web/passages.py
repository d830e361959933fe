"""Masked text cut into pieces that carry the same marks: evidence, must-review findings, masked data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nlp.petition import Head
from serving.schemas.suggestion import EvidenceOut, FiringOut, RedactionOut, Span


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A piece of text: the heads it is evidence for, the rule that found it, the kind of what was masked.

    `appeal` is the number of the appeal it belongs to, 0 where appeals are not marked.
    """

    text: str
    heads: tuple[Head, ...] = ()
    firing: FiringOut | None = None
    chip: str = ""
    found: bool = False
    appeal: int = 0


def passages(
    content: str,
    *,
    evidence: Sequence[EvidenceOut] = (),
    firings: Sequence[FiringOut] = (),
    chips: Sequence[RedactionOut] = (),
    appeals: Sequence[Sequence[Span]] = (),
) -> list[Passage]:
    """Cut `content` wherever a mark begins or ends; spans count in `content`. A chip is never cut."""
    spans = [*(e.span for e in evidence), *(f.span for f in firings), *(c.span for c in chips)]
    spans += [span for appeal in appeals for span in appeal]
    inside = {place for chip in chips for place in range(chip.span[0] + 1, chip.span[1])}
    cuts = sorted({0, len(content), *(place for span in spans for place in span if place <= len(content))} - inside)
    pieces = []
    for start, end in pairwise(cuts):
        covering = [e.head for e in evidence if e.span[0] < end and e.span[1] > start]
        pieces.append(
            Passage(
                text=content[start:end],
                heads=tuple(dict.fromkeys(covering)),
                firing=next((f for f in firings if f.span[0] < end and f.span[1] > start), None),
                chip=next((c.kind for c in chips if c.span == (start, end)), ""),
                appeal=next(
                    (number for number, parts in enumerate(appeals, start=1) if any(a <= start < b for a, b in parts)),
                    0,
                ),
            )
        )
    return pieces


def around(content: str, words: Iterable[str], *, n_chars: int = 90) -> list[Passage]:
    """Return the part of `content` around the first of `words`, with every occurrence of them marked."""
    flat = content.replace("\n", " ")
    lower = flat.lower()
    wanted = [word.lower() for word in words if word]
    first = min((place for place in map(lower.find, wanted) if place >= 0), default=0)
    start = max(0, min(first - n_chars // 3, len(flat) - n_chars))
    end = min(len(flat), start + n_chars)
    marks = [False] * len(flat)
    for word in wanted:
        place = lower.find(word, start, end)
        while place >= 0:
            marks[place : place + len(word)] = [True] * len(word)
            place = lower.find(word, place + len(word), end)
    cuts = [start, *(n for n in range(start + 1, end) if marks[n] != marks[n - 1]), end]
    pieces = [Passage(text=flat[a:b], found=marks[a]) for a, b in pairwise(cuts) if a < b]
    return [
        *([Passage(text="…")] if start else []),
        *pieces,
        *([Passage(text="…")] if end < len(flat) else []),
    ]
