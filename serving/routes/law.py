"""POST /v1/assess: a suggestion with the law beside it, not kept; GET /v1/knowledge: what that rests on."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool

from nlp.assessment import assess
from nlp.knowledge import Knowledge
from nlp.knowledge.loading import SECTIONS
from serving.access import Allowed
from serving.context import Ctx
from serving.errors import Problem
from serving.events import EventFaultsError, events_from
from serving.judging import judge_one
from serving.law import day_of
from serving.roles import Actor
from serving.schemas.law import AssessIn, AssessOut, KnowledgeOut, LawOut
from serving.schemas.suggestion import SuggestionOut

router = APIRouter(prefix="/v1", tags=["law"])

Assessing = Annotated[Actor, Depends(Allowed("classify", open_by="open_classify"))]
Reader = Annotated[Actor, Depends(Allowed("describe_model", open_by="open_classify"))]


@router.post("/assess", summary="研判一件并给出诉求、要素、缺失项、期限与转办层级，不保存")
async def assess_one(body: AssessIn, context: Ctx, _: Assessing) -> AssessOut:
    """Judge one petition and say what the law asks for beside it; nothing is stored.

    All spans count in the original. Every item carries its basis and how sure we are of it.
    """
    classifier = context.host.classifier
    _check_known(body.known, classifier.knowledge)
    events = events_given(body.events.items(), received_on=body.received_on or day_of(context.now()))
    petition = body.petition()
    suggestion = await judge_one(context, petition)
    assessment = await run_in_threadpool(
        assess,
        petition,
        suggestion,
        knowledge=classifier.knowledge,
        events=events,
        receiver=body.receiver,
        known=body.known,
        n_times=body.n_times,
        previous_closed=body.previous_closed,
    )
    told = SuggestionOut.of(suggestion)
    return AssessOut(suggestion=told, law=LawOut.of(assessment, answer=told.answer, knowledge=classifier.knowledge))


def events_given(given: Iterable[tuple[str, str]], *, received_on: date) -> dict[str, date]:
    """Return the days by event, receipt included; raises the 422 problem naming every fault, never what was given."""
    try:
        return events_from(given, received_on=received_on)
    except EventFaultsError as error:
        raise Problem(
            422,
            code="event_days_wrong",
            detail=f"{error}。",
            errors=[
                {"at": "body/events" if event == "events" else f"body/events/{event}", "rule": "day", "message": fault}
                for event, fault in error.faults.items()
            ],
        ) from error


@router.get("/knowledge", summary="法律知识概况")
def describe_knowledge(context: Ctx, _: Reader) -> KnowledgeOut:
    """Return edition, state of the law, number of entries and what is still in doubt."""
    return summary(context.host.classifier.knowledge)


def summary(knowledge: Knowledge) -> KnowledgeOut:
    """Return what is told of `knowledge`."""
    entries = {section: getattr(knowledge, section) for section in SECTIONS}
    return KnowledgeOut(
        edition=knowledge.about.edition,
        law_as_of=knowledge.about.law_as_of,
        office=knowledge.office,
        n_entries={section: len(found) for section, found in entries.items()},
        n_by_certainty=dict(Counter(entry.certainty for found in entries.values() for entry in found)),
        doubts=list(knowledge.about.doubts),
    )


def _check_known(known: list[str], knowledge: Knowledge) -> None:
    allowed = [item.code for item in knowledge.registration]
    unknown = [place for place, code in enumerate(known) if code not in allowed]
    if unknown:
        raise Problem(
            422,
            code="unknown_registration_item",
            detail=f"known 中有 {len(unknown)} 个不认识的登记要素代码；可用：{'、'.join(allowed)}。",
            errors=[{"at": f"body/known/{n}", "rule": "unknown_code", "message": "不认识的代码"} for n in unknown],
        )
