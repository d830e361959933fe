"""From a petition as received to what model, rules, logs and storage may see: normalised and masked.

Training and serving both come through here, so that the model is served exactly the text it was trained on.
"""

from nlp.normalise import normalise
from nlp.petition import Masked, Petition
from nlp.privacy import mask


def prepare(petition: Petition) -> Masked:
    """Return the normalised, masked text of `petition`, with the map back to `petition.content`."""
    return mask(normalise(petition.content))
