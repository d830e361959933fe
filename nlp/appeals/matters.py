"""What a piece of text is about: a department's words, or the router's model if the caller has one."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

Score = Callable[[str], Mapping[str, float]]
"""Gives the share of each department in a piece of masked text; shares are at least 0 and sum to at most 1.

`word_scores` is the built-in one; the router passes its department head.
"""


_ASKED = re.compile(r"(?:请|希望|由|督促|要求)[^,。;!?]{0,6}$")
_ADDRESSEE = 3
"""How much more a word says behind a request (请教育局 …): it names who is asked."""
_UNKNOWN = 2
"""Weight of the words not seen, in characters."""


def word_scores(text: str) -> Mapping[str, float]:
    """Return the shares of the departments whose words occur in `text`; empty when no word does.

    A word counts once however often it occurs, weighted by its length: longer words say more. Few words leave a part
    of the mass to nobody, so that a piece with one short word is not taken for a matter of its own.
    """
    weights: dict[str, int] = {}
    for match in _pattern().finditer(text):
        asked = _ASKED.search(text, max(0, match.start() - 8), match.start())
        weight = len(match.group()) * (_ADDRESSEE if asked else 1)
        weights[match.group()] = max(weight, weights.get(match.group(), 0))
    found: Counter[str] = Counter()
    departments = _departments()
    for word, weight in weights.items():
        found[departments[word]] += weight
    total = sum(found.values()) + _UNKNOWN
    return {department: weight / total for department, weight in found.items()}


@cache
def _departments() -> dict[str, str]:
    """Load `matters.yaml` once and turn it around: department by word."""
    table = cast(
        "dict[str, list[str]]",
        yaml.safe_load((files("nlp") / "appeals" / "matters.yaml").read_text(encoding="utf-8")),
    )
    return {word: department for department, words in table.items() for word in words}


@cache
def _pattern() -> re.Pattern[str]:
    """Compile all words into one pattern, longest first."""
    return re.compile("|".join(re.escape(word) for word in sorted(_departments(), key=len, reverse=True)))
