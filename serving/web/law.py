"""The panel 法律与办理: the law beside a petition that is kept, and the facts its letters are filled with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from nlp.assessment import Assessment
from nlp.choices import channels_to_choose
from nlp.knowledge import Knowledge, Notice
from nlp.knowledge.citations import in_full
from nlp.notices import NOTICES, Facts, NoticeCode
from nlp.notices.recipient import warn_of_recipient
from nlp.petition import RouteOption
from nlp.routes import ACCUSATION
from nlp.taxonomy import Taxonomy
from serving.classifier import Classifier
from serving.labels import LabelBook
from serving.law import assess_kept, assess_view, day_of
from serving.letters import (
    TRANSFER,
    TRANSFER_OF_ACCUSATION,
    accuses_officials,
    channel_of,
)
from serving.redaction import MaskedView
from serving.schemas.law import ClockOut, LawOut
from serving.schemas.petitions import PetitionOut
from serving.schemas.suggestion import AnswerOut
from serving.web.names import SOURCE_NAMES

PETITION_PROCEDURE = "petition_procedure"
DECIDED_ONLY: NoticeCode = "notice_not_accept"
"""The letter that is drafted from a form in which a person's decision is written down."""
_PROCEDURE_ONLY = frozenset({"notice_accept", "handling_opinion"})
"""Letters of the petition procedure (条例31条(六)); another channel has its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LawView:
    """What the panel shows: the law, clocks with a day, without one and by condition, and the letters to draft.

    `warnings` is what must be checked before the petition goes to the department that stands.
    """

    law: LawOut
    dated: Sequence[ClockOut]
    undated: Sequence[ClockOut]
    conditional: Sequence[ClockOut]
    letters: Sequence[Notice]
    turning_away: Notice | None
    warnings: Sequence[str] = ()

    @property
    def appeal_spans(self) -> list[list[tuple[int, int]]]:
        """Return the spans of each appeal; nothing where there is only one, which is the whole text."""
        items = self.law.appeals.items
        return [list(appeal.spans) for appeal in items] if len(items) > 1 else []


def law_view(
    assessment: Assessment,
    *,
    answer: AnswerOut,
    channel: str,
    n_choices: int,
    knowledge: Knowledge,
    warnings: Sequence[str] = (),
) -> LawView:
    """Return the panel of a petition answered with `answer`, under `channel`; `n_choices` channels are open with it."""
    law = LawOut.of(assessment, answer=answer, knowledge=knowledge)
    known = {notice.code: notice for notice in knowledge.notices if notice.code in NOTICES}
    fitting = [
        notice
        for code, notice in known.items()
        if code != DECIDED_ONLY
        and (code not in _PROCEDURE_ONLY or channel == PETITION_PROCEDURE)
        and (code != "notice_choice" or n_choices > 1)
        and code != (TRANSFER if channel == ACCUSATION else TRANSFER_OF_ACCUSATION)
    ]
    return LawView(
        law=law,
        dated=[clock for clock in law.clocks if clock.ends_on and not clock.conditional],
        undated=[clock for clock in law.clocks if not clock.ends_on and not clock.conditional],
        conditional=[clock for clock in law.clocks if clock.conditional],
        letters=fitting,
        turning_away=known.get(DECIDED_ONLY),
        warnings=warnings,
    )


def law_of_kept(petition: PetitionOut, *, knowledge: Knowledge, taxonomy: Taxonomy) -> LawView | None:
    """Return the panel of a petition; None under blind review and once the text is purged."""
    assessment = assess_kept(petition, knowledge=knowledge)
    if assessment is None or petition.answer is None:
        return None
    return law_view(
        assessment,
        answer=petition.answer,
        channel=channel_of(petition),
        n_choices=len(_choices(petition, knowledge=knowledge, taxonomy=taxonomy)),
        knowledge=knowledge,
        warnings=_warnings(petition, knowledge=knowledge, taxonomy=taxonomy),
    )


def law_of_trial(view: MaskedView, received_on: date, classifier: Classifier) -> LawView:
    """Return the panel of a text that is not kept, as if it had come on `received_on`."""
    channel = view.answer.predictions["channel"].code
    assessment = assess_view(
        view,
        channel=channel,
        n_departments=len(view.answer.departments),
        received_on=received_on,
        knowledge=classifier.knowledge,
    )
    return law_view(
        assessment,
        answer=view.answer,
        channel=channel,
        n_choices=1 + len(view.answer.channel_alternatives),
        knowledge=classifier.knowledge,
    )


def _department(petition: PetitionOut, taxonomy: Taxonomy) -> str:
    """Return the name of the department that stands; empty under blind review."""
    suggested = petition.answer.predictions["department"].code if petition.answer else ""
    standing = (petition.labels or {}).get("department", suggested)
    return taxonomy.name("department", standing) if standing else ""


def _warnings(petition: PetitionOut, *, knowledge: Knowledge, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Return what must be checked before an accusation goes to the department that stands."""
    if not accuses_officials(petition):
        return ()
    return warn_of_recipient(_department(petition, taxonomy), petition.content, knowledge=knowledge, taxonomy=taxonomy)


def facts_of(petition: PetitionOut, *, knowledge: Knowledge, taxonomy: Taxonomy, book: LabelBook) -> Facts:
    """Return what is known of a petition for its letters; its text is masked, so the petitioner stays a blank."""
    assessment = assess_kept(petition, knowledge=knowledge)
    requests = assessment.elements.of_type("request") if assessment else ()
    clocks = {clock.code: clock for clock in assessment.clocks} if assessment else {}
    handling, registering = clocks.get("petition_handle"), clocks.get("dept_register_handle")
    department = (petition.labels or {}).get("department", "")
    basis = registering.basis if registering else ""
    if channel_of(petition) == ACCUSATION:
        basis = next(route.basis for route in knowledge.routes if route.code == ACCUSATION)
    return Facts(
        office=knowledge.office,
        number=petition.external_id or petition.id,
        source=SOURCE_NAMES.get(petition.source, ""),
        received_on=day_of(petition.received_at),
        appeals=tuple(" ".join(petition.content[e.start : e.end].split()) for e in requests),
        handler=book.name("department", department) if department else "",
        transfer_basis=in_full(basis),
        limit=f"自{handling.starts}起{handling.length}内，{in_full(handling.basis)}" if handling else "",
        due_on=handling.ends_on if handling else None,
        options=_choices(petition, knowledge=knowledge, taxonomy=taxonomy),
    )


def _choices(petition: PetitionOut, *, knowledge: Knowledge, taxonomy: Taxonomy) -> tuple[RouteOption, ...]:
    """Return the channels open under the one that stands, that one first; none where the text may not be read."""
    if petition.answer is None or not petition.content:
        return ()
    return channels_to_choose(
        petition.content,
        channel=channel_of(petition),
        department=_department(petition, taxonomy),
        accused=accuses_officials(petition),
        knowledge=knowledge,
        taxonomy=taxonomy,
    )
