"""Cut masked text into the pieces that may be appeals of their own.

Cuts stand at numbered items, at 另外, 此外 …, and behind sentences that ask for something.

The cuts are generous; `nlp.appeals.split` joins what belongs together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Cue = Literal["numbered", "connective", "request", "question", "whole"]

_NUMERALS = "一二三四五六七八九十"
_STYLES: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"(?:(?<=[。;:!?\n,])|^)\s*(?:第|问题|诉求|建议|事项)?(?P<n>[一二三四五六七八九十])(?:[、.:,)]|是(?!否)|"
        r"个?问题[:,]?|点[:,]?)"
    ),
    re.compile(r"(?:(?<=[。;:!?\n,一-龥)])|^)\s*(?P<n>\d{1,2})(?:[、)]|\.(?!\d)|:(?!\d)|,(?!\d))(?!\d)"),
    re.compile(r"\((?P<n>[一二三四五六七八九十]|\d{1,2})\)"),
    re.compile(r"(?:(?<=[。;:!?\n,])|^)\s*(?P<n>首先|其次|再次|再者|最后|其一|其二|其三|第一|第二|第三)[,:、个]?"),
)
_ORDINALS = {
    "首先": 1,
    "其一": 1,
    "第一": 1,
    "其次": 2,
    "其二": 2,
    "第二": 2,
    "再次": 3,
    "再者": 3,
    "其三": 3,
    "第三": 3,
    "最后": 9,
}
_CONNECTIVE = re.compile(
    r"(?:(?<=[。;!?\n,])|^)\s*(?:另外|此外|除此之外|另一?(?:个|件)(?:事|问题|情况)|再者|顺便|与此同时|另[,:]|"
    r"同时(?=[,还也我请希望要反]))"
    r"|(?<=[。;!?\n])\s*(?:还有(?:就是|一[个点件]|,)?|再有|其次|还想|也想|还(?:请|希望)|最后(?:还|再)?(?:想|请|希望))"
)
_SENTENCE = re.compile(r"[^。;!?\n]+[。;!?\n]*")
_REQUEST = re.compile(
    r"(?:^|[,:])[^,]{0,6}?(?:恳请|请求|请(?!客|假|问题|了|过|律师)|希望|建议|要求|望|能不能|能否|怎么办|想(?:申请|问|"
    r"把)|投诉|举报)"
)
_INQUIRY = re.compile(r"咨询|请问|想问|问一下|请教|了解")
_QUESTION = re.compile(r"(?<=\?)(?=[^?]{6})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A part of the masked text at `[start, end)` and what set it off from the one before."""

    start: int
    end: int
    cue: Cue


def cut(text: str, *, body_start: int = 0) -> tuple[Piece, ...]:
    """Return the pieces of `text` from `body_start` (after the title) to the end, in order and without gaps.

    The longest numbering decides; without one, connectives and the ends of requests; without those, questions one
    after another.
    """
    numbered = _numbering(text, body_start)
    if len(numbered) >= 2:
        return tuple(_between(text, body_start, dict.fromkeys(numbered, "numbered")))
    connectives = [match.start() for match in _CONNECTIVE.finditer(text, body_start) if match.start() - body_start > 8]
    requests = [place for place in _after_requests(text, body_start) if not _near(place, connectives)]
    if connectives or requests:
        cues: dict[int, Cue] = {**dict.fromkeys(requests, "request"), **dict.fromkeys(connectives, "connective")}
        return tuple(_between(text, body_start, cues))
    questions = [match.start() for match in _QUESTION.finditer(text, body_start)]
    if questions and _INQUIRY.search(text, 0, body_start + 60):
        return tuple(_between(text, body_start, dict.fromkeys(questions, "question")))
    return (Piece(start=body_start, end=len(text), cue="whole"),)


def _numbering(text: str, body_start: int) -> list[int]:
    """Return where the items of the longest ascending numbering start; empty without one."""
    best: list[int] = []
    for style in _STYLES:
        places: list[int] = []
        expected = 1
        for match in style.finditer(text, body_start):
            number = _number(match.group("n"))
            if number == expected or (number == 9 and places):
                places.append(match.start())
                expected += 1
            elif number == 1 and len(places) < 2:
                places, expected = [match.start()], 2
        if len(places) > len(best):
            best = places
    return best


def _number(mark: str) -> int:
    """Read the number of an item."""
    if mark.isdigit():
        return int(mark)
    return _ORDINALS[mark] if mark in _ORDINALS else _NUMERALS.find(mark) + 1


def _after_requests(text: str, start: int) -> list[int]:
    """Return where the sentences after a request begin, if a later sentence asks for something too."""
    asking = [match for match in _SENTENCE.finditer(text, start) if _REQUEST.search(match.group())]
    return [match.end() for match in asking[:-1]]


def _near(place: int, others: list[int]) -> bool:
    """Tell whether a cut stands within a few characters of one of `others`."""
    return any(abs(place - other) < 4 for other in others)


def _between(text: str, start: int, cues: dict[int, Cue]) -> Iterator[Piece]:
    """Yield the piece before the first cut, if it holds anything, and one from each cut to the next."""
    cuts = sorted(cues)
    if text[start : cuts[0]].strip(" \n,。:;"):
        yield Piece(start=start, end=cuts[0], cue="whole")
    for first, last in zip(cuts, [*cuts[1:], len(text)], strict=True):
        yield Piece(start=first, end=last, cue=cues[first])
