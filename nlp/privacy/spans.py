"""What a finder returns, and the draft of a text in which findings give way to placeholders."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from nlp.normalise import normalise
from nlp.petition import Masked, Normalised, Redaction

Kind = Literal["姓名", "身份证", "电话", "银行卡", "邮箱", "账号", "车牌", "证件", "案号", "地址"]
KINDS: tuple[Kind, ...] = ("姓名", "身份证", "电话", "银行卡", "邮箱", "账号", "车牌", "证件", "案号", "地址")

PLACEHOLDER = re.compile(r"\[(?:" + "|".join(KINDS) + r")\]")
"""Any placeholder, as it stands in masked text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A piece of personal data at `text[start:end]`.

    `kept` is an inner range whose characters stay in front of the placeholder, because routing needs
    them: the type word of a case number (民初, 劳人仲案).
    """

    kind: Kind
    start: int
    end: int
    kept: tuple[int, int] | None = None


class Draft:
    """A text being masked: replaces spans, keeps the map to the original and a list of what was replaced."""

    def __init__(self, normalised: Normalised) -> None:
        """Start from `normalised`; placeholders in it stay as they are."""
        self.text = normalised.text
        self._origin = list(normalised.origin)
        self._redactions: list[Redaction] = []
        self.names: set[str] = set()
        """Whole names replaced so far, to be found again; they live no longer than the draft."""

    def replace(self, spans: Iterable[Span]) -> int:
        """Replace `spans` of the current text, the earlier and longer winning an overlap; return how many."""
        pieces: list[str] = []
        origin: list[int] = []
        done = replaced = 0
        for span in sorted(spans, key=lambda span: (span.start, -span.end)):
            if span.start < done or PLACEHOLDER.search(self.text, span.start, span.end):
                continue
            self._copy(done, span.start, pieces, origin)
            if span.kept:
                self._copy(*span.kept, pieces, origin)
            placeholder = f"[{span.kind}]"
            pieces.append(placeholder)
            first, last = self._origin[span.start], self._origin[span.end - 1]
            # With a kept range the placeholder stands behind it and must not point back before it.
            anchor = self._origin[span.kept[1]] if span.kept and span.kept[1] < span.end else first
            origin.extend([anchor] * len(placeholder))
            self._redactions.append(Redaction(kind=span.kind, start=first, end=last + 1))
            if span.kind == "姓名" and span.end - span.start > 1:
                self.names.add(self.text[span.start : span.end])
            done, replaced = span.end, replaced + 1
        if replaced:
            self._copy(done, len(self.text), pieces, origin)
            self.text, self._origin = "".join(pieces), origin
        return replaced

    def _copy(self, start: int, end: int, pieces: list[str], origin: list[int]) -> None:
        """Take `text[start:end]` over unchanged."""
        pieces.append(self.text[start:end])
        origin.extend(self._origin[start:end])

    def respell(self) -> None:
        """Normalise again: a placeholder can leave a space or a run of brackets that no normalised text has."""
        again = normalise(self.text)
        self.text, self._origin = again.text, [self._origin[place] for place in again.origin]

    def finish(self) -> Masked:
        """Return the masked text as a record."""
        redactions = tuple(sorted(self._redactions, key=lambda redaction: redaction.start))
        return Masked(text=self.text, origin=tuple(self._origin), redactions=redactions)


def windows_near(anchor: re.Pattern[str], text: str, *, before: int = 40, after: int = 40) -> list[tuple[int, int]]:
    """Return the stretches of `text` around the matches of `anchor`, touching ones joined.

    Costly patterns look only there: where a cheap anchor (a digit run, 栋, 号) says that something may stand.
    """
    windows: list[tuple[int, int]] = []
    for found in anchor.finditer(text):
        start, end = max(0, found.start() - before), found.end() + after
        if windows and start <= windows[-1][1]:
            start = windows.pop()[0]
        windows.append((start, end))
    return windows


def search_windows(pattern: re.Pattern[str], text: str, windows: Iterable[tuple[int, int]]) -> Iterator[re.Match[str]]:
    """Yield the matches of `pattern` inside the windows."""
    for start, end in windows:
        for match in pattern.finditer(text, start, end):
            # What touches the edge of the window may go on beyond it and was not seen whole.
            if match.end() < end or end >= len(text):
                yield match
