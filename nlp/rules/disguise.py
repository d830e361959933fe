"""See through marks that are put between characters to hide a word: 自/杀, 自-杀, 跳*楼."""

import re
from dataclasses import dataclass

_HIDING = re.compile(r"(?<=[\u4e00-\u9fff])[/\\|_*+~^·•.\- ]{1,3}(?=[\u4e00-\u9fff])")
"""Marks between two Chinese characters that carry no clause boundary of ordinary writing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plain:
    """Text without hiding marks; `origin[i]` is the offset of `text[i]` in the text it was made from."""

    text: str
    origin: range | tuple[int, ...]


def undisguise(text: str) -> Plain:
    """Return `text` without the marks that stand between two Chinese characters."""
    if not _HIDING.search(text):
        return Plain(text=text, origin=range(len(text)))
    pieces: list[str] = []
    origin: list[int] = []
    position = 0
    for mark in _HIDING.finditer(text):
        pieces.append(text[position : mark.start()])
        origin.extend(range(position, mark.start()))
        position = mark.end()
    pieces.append(text[position:])
    origin.extend(range(position, len(text)))
    return Plain(text="".join(pieces), origin=tuple(origin))
