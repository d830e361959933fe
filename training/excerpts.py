"""Beginnings and titles of real messages that say nothing urgent.

The texts of ours that teach the urgent flags are short, real messages are long: without these a model learns that what
is short is urgent (docs/decisions/0017-flags-looked-for.md).
"""

from collections.abc import Iterable, Iterator
from zlib import crc32

from nlp.petition import Petition
from training.data import Example
from training.urgent_reading import URGENT

_ONE_IN = 4
_SHORTEST, _LONGEST = 12, 80
"""Characters of an excerpt that is not a title."""


def quiet_excerpts(examples: Iterable[Example]) -> Iterator[Example]:
    """Yield the title or the first words of every fourth annotated message in which no urgent flag was found.

    They teach that the four flags are absent, and nothing else. Chosen and cut by the message's id, so always the same.
    """
    for example in examples:
        draw = crc32(example.id.encode())
        if example.source not in ("annotated", "reread") or set(URGENT) & set(example.flags) or draw % _ONE_IN:
            continue
        title, text = example.petition.title or "", example.petition.text
        end = _SHORTEST + draw // _ONE_IN % (_LONGEST - _SHORTEST)
        yield Example(
            id=f"{example.id}-excerpt",
            petition=Petition(text=title if title and draw // _ONE_IN % 2 else text[:end]),
            group=example.group,
            source="excerpt",
            looked_for=URGENT,
        )
