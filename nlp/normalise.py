"""Bring text to the one spelling the model knows, and remember where every character came from.

Full-width letters and digits become half-width, traditional characters simplified, white space one space (or one
line break where there was one), zero-width characters vanish, long runs of one repeated mark are cut to three. The
polite opening that carries no content ("尊敬的领导：您好！") is dropped. Every step is local, so the map back is exact.
"""

import re
import unicodedata
from functools import cache

from opencc import OpenCC

from nlp.petition import Normalised

_MAX_RUN = 3
"""Longest run of one punctuation mark that is kept: "！！！！！！" says no more than "！！！"."""

_OPENING = re.compile(
    r"^(?:(?:尊敬|敬爱|亲爱)的(?:各位)?[^\s。,.:!?;]{0,16}?(?:领导|书记|市长|县长|区长|省长|局长|厅长|主任|同志|您|你)们?"
    r"(?:[,: ]*(?:(?:您|你|大家)们?)?好)?[,:!。.\s]*)+",
    re.MULTILINE,
)


def normalise(content: str) -> Normalised:
    """Return `content` in the model's spelling together with the map back to it; empty input gives empty output."""
    text, origin = _squeeze(*_respell(content))
    return _without_openings(text, origin)


def _respell(content: str) -> tuple[list[str], list[int]]:
    """Map each character on its own; the invisible ones vanish."""
    characters: list[str] = []
    origin: list[int] = []
    for offset, character in enumerate(content):
        spelling = _spelling(character)
        characters.extend(spelling)
        origin.extend([offset] * len(spelling))
    return characters, origin


@cache
def _spelling(character: str) -> str:
    """Return what one character becomes: usually one character, none for invisible ones, several for ligatures."""
    if character in "\n\u2028\u2029":
        return "\n"
    if character.isspace():
        return " "
    if unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Cn"}:
        return ""
    if "①" <= character <= "⑳":
        # Their plain digits would run into what follows: ①5号楼 is no 15号楼.
        return f"({ord(character) - ord('①') + 1})"
    # Full-width comma, semicolon and the like become ASCII too: citizens mix both freely.
    folded = unicodedata.normalize("NFKC", character)
    return "".join(" " if part.isspace() else _simplified(part) for part in folded)


def _simplified(character: str) -> str:
    """Return the simplified form; two steps, because one character (薴) has a form that has one itself (苧, 苎)."""
    return str(_simplifier().convert(_simplifier().convert(character)))


@cache
def _simplifier() -> OpenCC:
    """Load the traditional-to-simplified table once."""
    return OpenCC("t2s")


def _squeeze(characters: list[str], origin: list[int]) -> tuple[str, list[int]]:
    """Fold white space, drop spaces beside Chinese characters, cut runs of one repeated mark to `_MAX_RUN`."""
    kept: list[str] = []
    kept_origin: list[int] = []
    run = 0
    pending: tuple[str, int] | None = None
    for character, offset in zip(characters, origin, strict=True):
        if character in " \n":
            if pending is None or (character == "\n" and pending[0] == " "):
                pending = (character, offset)
            continue
        if pending is not None and kept and (pending[0] == "\n" or _both_words(kept[-1], character)):
            kept.append(pending[0])
            kept_origin.append(pending[1])
        pending = None
        run = run + 1 if kept and character == kept[-1] else 1
        if run <= _MAX_RUN or character.isalnum():
            kept.append(character)
            kept_origin.append(offset)
    return "".join(kept), kept_origin


def _both_words(before: str, after: str) -> bool:
    """Tell whether a space between two characters carries meaning: only between ASCII words."""
    return before.isascii() and after.isascii() and before.isalnum() and after.isalnum()


def _without_openings(text: str, origin: list[int]) -> Normalised:
    """Drop polite openings at the start of lines, unless nothing else would be left."""
    kept, kept_origin = text, origin
    for opening in reversed(list(_OPENING.finditer(text))):
        kept = kept[: opening.start()] + kept[opening.end() :]
        kept_origin = kept_origin[: opening.start()] + kept_origin[opening.end() :]
    # An opening on the last line leaves the line break before it.
    kept = kept.rstrip()
    if not kept:
        kept, kept_origin = text, origin
    return Normalised(text=kept, origin=tuple(kept_origin[: len(kept)]))
