"""How Chinese names are typed: full pinyin and initials; the only importer of pypinyin."""

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, kw_only=True, slots=True)
class Spelling:
    """Pinyin of a name without tones: `full` such as `chengguanju`, `initials` such as `cgj`."""

    full: str
    initials: str


@lru_cache(maxsize=4096)
def spell(name: str) -> Spelling:
    """Return how `name` is typed; Latin letters and digits stay, in lower case."""
    from pypinyin import lazy_pinyin  # its dictionaries take a while: not before somebody types

    # Units are written with brackets and commas, but nobody types those.
    letters = "".join(sign for sign in name if sign.isalnum())
    syllables = [part.lower() for part in lazy_pinyin(letters)]
    return Spelling(full="".join(syllables), initials="".join(part[0] for part in syllables))
