"""The words that decide whether a few characters are a personal name; `nlp/gazetteer/` holds them as text."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, kw_only=True, slots=True)
class Gazetteer:
    """Surnames, words that only look like names, and the words that stand around names.

    `context` maps a class of `name_context.txt` (label, told, may, title …) to its words.
    """

    single: frozenset[str]
    double: frozenset[str]
    wordlike: frozenset[str]
    sure: frozenset[str]
    transliterated: frozenset[str]
    given: frozenset[str]
    exception: frozenset[str]
    not_names: frozenset[str]
    context: dict[str, tuple[str, ...]]

    def is_word(self, candidate: str) -> bool:
        """Tell whether `candidate` is, or begins with, a word that only looks like a name."""
        return candidate[:2] in self.not_names or candidate[:3] in self.not_names


@cache
def load_gazetteer() -> Gazetteer:
    """Read the gazetteer once."""
    surnames = _classes("surnames.txt")
    return Gazetteer(
        single=frozenset("".join(surnames["single"])),
        double=frozenset(surnames["double"]),
        wordlike=frozenset("".join(surnames["wordlike"])),
        sure=frozenset("".join(surnames["sure"])),
        transliterated=frozenset("".join(surnames["transliterated"])),
        given=frozenset("".join(surnames["given"])),
        exception=frozenset(surnames["exception"]),
        not_names=frozenset(word for line in _lines("not_names.txt") for word in line.split()),
        context=_classes("name_context.txt"),
    )


def _classes(name: str) -> dict[str, tuple[str, ...]]:
    """Return the words of each class of a gazetteer file, the lines of one class joined."""
    classes: dict[str, tuple[str, ...]] = {}
    for line in _lines(name):
        label, *words = line.split()
        classes[label] = classes.get(label, ()) + tuple(words)
    return classes


def _lines(name: str) -> list[str]:
    """Return the lines of a gazetteer file that are neither empty nor comments."""
    text = (files("nlp") / "gazetteer" / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
