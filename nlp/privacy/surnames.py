"""The surnames and the false friends that decide whether a few characters can be a personal name."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, kw_only=True, slots=True)
class Surnames:
    """The contents of `nlp/gazetteer/surnames.txt` and `not_names.txt` as sets of characters and words."""

    single: frozenset[str]
    double: frozenset[str]
    wordlike: frozenset[str]
    transliterated: frozenset[str]
    not_names: frozenset[str]


@cache
def load_surnames() -> Surnames:
    """Read the two gazetteer files once."""
    classes: dict[str, str] = {}
    for line in _lines("surnames.txt"):
        label, _, entries = line.partition(" ")
        classes[label] = entries
    return Surnames(
        single=frozenset(classes["single"]),
        double=frozenset(classes["double"].split()),
        wordlike=frozenset(classes["wordlike"]),
        transliterated=frozenset(classes["transliterated"]),
        not_names=frozenset(word for line in _lines("not_names.txt") for word in line.split()),
    )


def _lines(name: str) -> list[str]:
    """Return the lines of a gazetteer file that are neither empty nor comments."""
    text = (files("nlp") / "gazetteer" / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
