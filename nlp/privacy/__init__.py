"""Hide personal data before the model, logs or storage see a text, and keep what routing needs.

Kept: places down to the township, village, road and estate names, unit types, amounts, dates, procedure words,
the place codes of texts anonymised at source (A市, B7县). Hidden: what leads to one person or household.
"""

from nlp.petition import Masked, Normalised
from nlp.privacy.addresses import find_addresses
from nlp.privacy.names import find_names, find_repeated
from nlp.privacy.numbers import find_numbers
from nlp.privacy.references import find_references
from nlp.privacy.spans import KINDS, PLACEHOLDER, Draft, Kind

__all__ = ["KINDS", "PLACEHOLDER", "Kind", "mask"]

_FINDERS = (find_references, find_numbers, find_addresses, find_names)


def mask(normalised: Normalised) -> Masked:
    """Replace the personal data in `normalised` by typed placeholders; the redactions refer to the original.

    Finding and respelling repeat until neither changes anything more, so that masking masked text changes nothing.
    """
    draft = Draft(normalised)
    while sum(draft.replace(finder(draft.text)) for finder in _FINDERS):
        draft.replace(find_repeated(draft.text, names=draft.names))
        draft.respell()
    return draft.finish()
