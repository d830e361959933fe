"""The panel 法律与办理: the law beside a petition that is kept, and the facts its letters are filled with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from nlp.accused import ACCUSATION
from nlp.assessment import Assessment
from nlp.choices import channels_to_choose
from nlp.knowledge import Knowledge, Notice
from nlp.knowledge.citations import in_full
from nlp.notices import NOTICES, Facts, NoticeCode, Stage
from nlp.notices.recipient import warn_of_recipient
from nlp.petition import RouteOption
from nlp.taxonomy import Taxonomy
from serving.classifier import Classifier
from serving.events import GIVEN
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


_STAGES: Mapping[str, tuple[Stage, str]] = {
    "petition_review": ("recheck", "recheck_decide"),
    "petition_opinion": ("review", "review_decide"),
}
"""By what the text says was decided: which level the petition is at, and the clock of that level."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LawView:
    """What the panel shows: the law, clocks with a day, without one and by condition, and the letters to draft.

    `startable` are the events, with their names, whose day would start a clock shown here; `given` the days entered.
    `warnings` is what must be checked before the petition goes to the department that stands.
    """

    law: LawOut
    dated: Sequence[ClockOut]
    undated: Sequence[ClockOut]
    conditional: Sequence[ClockOut]
    letters: Sequence[Notice]
    turning_away: Notice | None
    startable: Mapping[str, str]
    given: Mapping[str, str]
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
    events: Mapping[str, date] | None = None,
    warnings: Sequence[str] = (),
) -> LawView:
    """Return the panel of a petition answered with `answer`, under `channel`; `n_choices` channels are open with it."""
    shown = {clock.code for clock in assessment.clocks}
    starts = {deadline.starts for deadline in knowledge.deadlines if deadline.code in shown}
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
        startable={event: name for event, name in GIVEN.items() if event in starts},
        given={event: day.isoformat() for event, day in (events or {}).items() if event in GIVEN},
        warnings=warnings,
    )


def law_of_kept(
    petition: PetitionOut, *, knowledge: Knowledge, taxonomy: Taxonomy, events: Mapping[str, date] | None = None
) -> LawView | None:
    """Return the panel of a petition; None under blind review and once the text is purged."""
    assessment = assess_kept(petition, knowledge=knowledge, events=events)
    if assessment is None or petition.answer is None:
        return None
    return law_view(
        assessment,
        answer=petition.answer,
        channel=channel_of(petition),
        n_choices=len(_choices(petition, knowledge=knowledge, taxonomy=taxonomy)),
        knowledge=knowledge,
        events=events,
        warnings=_warnings(petition, knowledge=knowledge, taxonomy=taxonomy),
    )


def law_of_trial(view: MaskedView, received_on: date, classifier: Classifier) -> LawView:
    """Return the panel of a text that is not kept, as if it had come on `received_on`."""
    channel = view.answer.predictions["channel"].code
    assessment = assess_view(
        view,
        channel=channel,
        n_departments=len(view.answer.departments),
        events={"received": received_on},
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


def facts_of(
    petition: PetitionOut,
    *,
    knowledge: Knowledge,
    taxonomy: Taxonomy,
    book: LabelBook,
    events: Mapping[str, date] | None = None,
) -> Facts:
    """Return what is known of a petition for its letters; its text is masked, so the petitioner stays a blank."""
    assessment = assess_kept(petition, knowledge=knowledge, events=events)
    requests = assessment.elements.of_type("request") if assessment else ()
    clocks = {clock.code: clock for clock in assessment.clocks} if assessment else {}
    stage, clock = _stage(assessment, clocks.keys())
    handling, registering = clocks.get(clock), clocks.get("dept_register_handle")
    department = (petition.labels or {}).get("department", "")
    basis = registering.basis if registering else ""
    if channel_of(petition) == ACCUSATION:
        basis = next(route.basis for route in knowledge.routes if route.code == ACCUSATION)
    return Facts(
        stage=stage,
        office=knowledge.office,
        number=petition.external_id or petition.id,
        source=SOURCE_NAMES.get(petition.source, ""),
        received_on=day_of(petition.received_at),
        accepted_on=(events or {}).get("accepted"),
        transferred_on=(events or {}).get("forwarded"),
        appeals=tuple(" ".join(petition.content[e.start : e.end].split()) for e in requests),
        handler=book.name("department", department) if department else "",
        transfer_basis=in_full(basis),
        limit=f"自{handling.starts}起{handling.length}内，{in_full(handling.basis)}" if handling else "",
        due_on=handling.ends_on if handling else None,
        options=_choices(petition, knowledge=knowledge, taxonomy=taxonomy),
    )


def _stage(assessment: Assessment | None, running: Collection[str]) -> tuple[Stage, str]:
    """Return the level a petition is at and the code of its clock."""
    told = {situation.code for situation in assessment.situations} if assessment else set()
    for code, (stage, clock) in _STAGES.items():
        if code in told and clock in running:
            return stage, clock
    return "handling", "petition_handle"


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
