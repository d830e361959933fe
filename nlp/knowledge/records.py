"""The law and the office practice the router knows, as frozen records: what the YAML files here hold.

Every record an officer can be shown carries `basis` (the article, as written in the law) and `certainty`;
how the two must fit together is checked in `nlp.knowledge.checks`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from nlp.petition import Certainty, Level

_CLOSED = {"extra": "forbid"}
"""Unknown keys in a YAML entry are faults; pydantic reads this from `__pydantic_config__`."""


def _words(value: object) -> object:
    """Split a YAML block of words at white space, so that regular expressions need no quoting."""
    return value.split() if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""Signals or words: in YAML a list, or one block of text in which white space separates them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clue:
    """One way in which a must-review rule may be met.

    `find` are signals (regular expressions over masked text, `{word}` stands for a word group). One
    match is a hit unless a condition speaks against it: `near` must be found within `within` characters,
    at least `distinct` different signals must occur in the text, a number of at least `at_least` must
    stand in the match, and a negation just before the match cancels it unless `negatable` is false.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = _CLOSED

    find: Words
    near: Words = ()
    within: int = 20
    at_least: int | None = None
    distinct: int = 1
    negatable: bool = True
    level: Level | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """When a person must look, how urgently, on what basis, and what to do.

    `trigger` is set for rules that the state of the suggestion sets off instead of words in the text.
    A match of `idioms` that overlaps a hit cancels it.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = _CLOSED

    code: str
    name: str
    level: Level
    basis: str
    certainty: Certainty
    action: str
    why: str = ""
    trigger: str = ""
    clues: tuple[Clue, ...] = ()
    idioms: Words = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Lexicon:
    """Word groups that signals may name as `{group}`, and the words that negate what follows them."""

    __pydantic_config__: ClassVar[dict[str, str]] = _CLOSED

    words: Mapping[str, Words]
    negators: Words


@dataclass(frozen=True, kw_only=True, eq=False)
class Knowledge:
    """Everything the rules need to know; hashed by identity, so that compiled forms can be kept."""

    lexicon: Lexicon
    rules: tuple[Rule, ...]
