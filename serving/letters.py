"""What must hold and be told before a letter is drafted: accusations have their own, and not every recipient may do."""

from collections.abc import Sequence

from nlp.accused import ACCUSATION, ACCUSATION_FLAG, accusation_in
from nlp.knowledge import Knowledge
from nlp.notices import NoticeCode
from nlp.notices.recipient import warn_of_recipient
from nlp.petition import Masked, Petition
from nlp.prepare import prepare
from nlp.rules import find_firings
from nlp.taxonomy import Taxonomy
from serving.errors import Problem
from serving.schemas.petitions import PetitionOut

TRANSFER: NoticeCode = "notice_transfer"
TRANSFER_OF_ACCUSATION: NoticeCode = "notice_transfer_accusation"
"""The letter of an accusation: without its content and without a duty that 条例23条末款 excludes."""


def channel_of(petition: PetitionOut) -> str:
    """Return the channel that stands; empty under blind review."""
    suggested = petition.answer.predictions["channel"].code if petition.answer else ""
    return (petition.labels or {}).get("channel", suggested)


def accuses_officials(petition: PetitionOut) -> bool:
    """Tell whether a petition accuses somebody in office, by its channel or by what its text gives away."""
    firings = petition.answer.firings if petition.answer else ()
    return channel_of(petition) == ACCUSATION or any(firing.code == ACCUSATION_FLAG for firing in firings)


def check_fit(code: NoticeCode, petition: PetitionOut) -> None:
    """Raise the 422 problem for a letter that the channel of `petition` does not allow."""
    if code == TRANSFER and channel_of(petition) == ACCUSATION:
        raise Problem(
            422,
            code="letter_of_accusation",
            detail="此件途径为检举控告：转送（交办）告知单会写出反映的内容和不适用的15日告知（条例23条末款、30条3款），"
            "请改用检举控告转送告知单（notice_transfer_accusation）。",
        )


def warnings_for(
    code: NoticeCode,
    handler: str,
    *,
    petition: PetitionOut | None,
    appeals: Sequence[str],
    knowledge: Knowledge,
    taxonomy: Taxonomy,
) -> tuple[str, ...]:
    """Return Chinese sentences on what a person must check before a letter of transfer goes out."""
    if code not in {TRANSFER, TRANSFER_OF_ACCUSATION}:
        return ()
    if petition is not None:
        masked = Masked(text=petition.content, origin=tuple(range(len(petition.content))))
    else:
        masked = prepare(Petition(text="\n".join(appeals)))
    found = find_firings(masked, knowledge=knowledge)
    accused = accusation_in(found)
    accused = accused or code == TRANSFER_OF_ACCUSATION or (petition is not None and accuses_officials(petition))
    if not accused:
        return ()
    warnings = warn_of_recipient(handler, masked.text, knowledge=knowledge, taxonomy=taxonomy)
    if code == TRANSFER:
        own = "文中似有检举控告：这部分不得写进本告知单，应另用检举控告转送告知单（条例23条末款、30条3款），须人工核定"
        return (own, *warnings)
    return warnings
