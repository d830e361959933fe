"""How Chinese names are typed: full pinyin and initials; the only importer of pypinyin."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Spelling:
    """Pinyin of a name without tones: `full` such as `chengguanju`, `initials` such as `cgj`."""

    full: str
    initials: str


def spell(name: str) -> Spelling:
    """Return how `name` is typed; what is not Chinese stays as it is, in lower case."""
    from pypinyin import lazy_pinyin  # its dictionaries take a while: not before somebody types

    syllables = [part.lower() for part in lazy_pinyin(name)]
    return Spelling(full="".join(syllables), initials="".join(part[0] for part in syllables if part))
