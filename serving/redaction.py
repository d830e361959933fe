"""What may be kept of a petition: its normalised, masked text, and the router's answer counted in it.

The router's spans count in the original, which is not kept; here they are moved into the masked text.
"""

from bisect import bisect_left
from dataclasses import dataclass

from nlp.normalise import normalise
from nlp.petition import Masked, Petition, Suggestion
from nlp.privacy import PLACEHOLDER, mask
from serving.schemas.suggestion import AnswerOut, RedactionOut, Span


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskedView:
    """Masked title and text joined by a newline, its placeholders, the answer with moved spans."""

    content: str
    title_length: int
    chips: tuple[RedactionOut, ...]
    answer: AnswerOut


def masked_view(petition: Petition, suggestion: Suggestion) -> MaskedView:
    """Return what may be kept of `petition`, judged as `suggestion`."""
    masked = mask(normalise(petition.content))
    answer = AnswerOut.of(suggestion)
    firings = [f.model_copy(update={"span": _moved(masked, f.span)}) for f in answer.firings]
    evidence = [e.model_copy(update={"span": _moved(masked, e.span)}) for e in answer.evidence]
    appeals = [
        appeal.model_copy(update={"spans": [_moved(masked, span) for span in appeal.spans]})
        for appeal in answer.appeals
    ]
    return MaskedView(
        content=masked.text,
        title_length=_moved(masked, (0, len(petition.title)))[1],
        chips=tuple(
            RedactionOut(kind=found[0][1:-1], span=found.span()) for found in PLACEHOLDER.finditer(masked.text)
        ),
        answer=answer.model_copy(
            update={"firings": firings, "evidence": [e for e in evidence if e.span[0] < e.span[1]], "appeals": appeals}
        ),
    )


def _moved(masked: Masked, span: Span) -> Span:
    """Return the part of the masked text that stands for `span` of the original, empty for nothing."""
    return bisect_left(masked.origin, span[0]), bisect_left(masked.origin, span[1])


def masked_note(text: str) -> str:
    """Return what a person typed, with personal data replaced."""
    return mask(normalise(text)).text
