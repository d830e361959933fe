"""What the scripts of the desk put in place: the working panel, a history, labels to type ahead, proposals."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from nlp.petition import Petition
from serving import presenting, proposals
from serving.access import Allowed
from serving.context import Context, Ctx
from serving.judging import judge_one
from serving.law import day_of
from serving.redaction import masked_view
from serving.roles import Actor
from serving.routes.law import events_given
from serving.routes.petitions import PetitionId, history
from serving.schemas.base import Clean
from serving.schemas.petitions import EventOut
from serving.schemas.suggestion import PetitionIn
from serving.store import petitions
from serving.web.law import law_of_kept, law_of_trial
from serving.web.pinyin import spell
from serving.web.related import related_view
from serving.web.rendering import render_part
from serving.web.work import Work, basis_of, may, trial, work_on

router = APIRouter(prefix="/desk", include_in_schema=False)

Judging = Annotated[Actor, Depends(Allowed("classify"))]
Reading = Annotated[Actor, Depends(Allowed("read"))]
Deciding = Annotated[Actor, Depends(Allowed("decide"))]
Describing = Annotated[Actor, Depends(Allowed("describe_model"))]


def load_work(context: Context, petition_id: str, actor: Actor, *, days: Mapping[str, str] | None = None) -> Work:
    """Return the working panel of a petition as `actor` may see it; raises 404, and 422 for `days` of events."""
    with context.store.read() as session:
        case = petitions.load(session, petitions.get(session, petition_id, actor=actor))
    shown = presenting.whole(case, actor=actor, now=context.now())
    classifier = context.host.classifier
    events = events_given((days or {}).items(), received_on=day_of(shown.received_at))
    law = law_of_kept(shown, knowledge=classifier.knowledge, taxonomy=classifier.taxonomy, events=events)
    related = related_view(context, petition_id, actor)
    return work_on(
        shown,
        decided_now=case.present_review is not None,
        taxonomy=classifier.taxonomy,
        book=context.host.labels,
        law=law,
        related=related,
    )


def load_events(context: Context, petition_id: str, actor: Actor) -> list[EventOut]:
    """Return what happened to a petition, newest first; raises 404."""
    return list(reversed(history(petition_id, context, actor).items))


@router.post("/trial")
async def try_out(body: PetitionIn, context: Ctx, actor: Judging) -> HTMLResponse:
    """Judge a text without keeping it and return the panel that shows the answer."""
    petition = Petition(text=body.text, title=body.title)
    view = masked_view(petition, await judge_one(context, petition))
    classifier = context.host.classifier
    law = await run_in_threadpool(law_of_trial, view, day_of(context.now()), classifier)
    shown = trial(
        view,
        thresholds=asdict(classifier.thresholds),
        taxonomy=classifier.taxonomy,
        book=context.host.labels,
        law=law,
    )
    return render_part("work.html", work=shown, can=may(shown, actor), may_submit=actor.may("submit"))


@router.get("/petitions/{petition_id}/work")
def panel(context: Ctx, actor: Reading, petition_id: PetitionId) -> HTMLResponse:
    """Return the working panel as it is now."""
    work = load_work(context, petition_id, actor)
    past = load_events(context, petition_id, actor)
    return render_part("work.html", work=work, can=may(work, actor), events=past, may_submit=False)


@router.get("/petitions/{petition_id}/law")
def law_with_days(request: Request, context: Ctx, actor: Reading, petition_id: PetitionId) -> HTMLResponse:
    """Return the panel 法律与办理 with the clocks counted from the days in the query; nothing is stored."""
    work = load_work(context, petition_id, actor, days=request.query_params)
    return render_part("law.html", work=work, can=may(work, actor))


@router.get("/departments")
def departments(
    context: Ctx,
    actor: Deciding,
    category_l2: Annotated[Clean, Query(min_length=1, max_length=60)],
    petition: Annotated[Clean, Query(max_length=40)] = "",
) -> dict[str, Any]:
    """Propose who is responsible once the category is `category_l2`."""
    context.host.labels.check({"category_l2": category_l2}, complete=False)
    with context.store.read() as session:
        model: dict[str, float] = {}
        if petition:
            case = petitions.load(session, petitions.get(session, petition, actor=actor))
            found = {} if case.hidden else case.suggestion.answer["predictions"]["department"]
            model = {c["code"]: c["confidence"] for c in (found, *found.get("alternatives", ())) if c}
        items = proposals.propose(session, context.host.classifier.taxonomy, category_l2, model=model)
    return {"items": [{"code": p.code, "name": p.name, "grounds": p.grounds, "sure": p.sure} for p in items]}


@router.get("/labels")
def labels(context: Ctx, _: Describing) -> dict[str, Any]:
    """Return every label with the ways to type it: name, aliases, each with full pinyin and initials."""
    book, taxonomy = context.host.labels, context.host.classifier.taxonomy
    return {
        "version": book.version,
        "heads": {
            head: [
                {
                    "code": label.code,
                    "name": label.name,
                    "parent": label.parent,
                    "note": basis_of(taxonomy, label.code) if head == "channel" else "",
                    "typed": [_typed(name) for name in (label.name, *label.aliases)],
                }
                for label in known
            ]
            for head, known in book.heads.items()
        },
    }


def _typed(name: str) -> list[str]:
    spelling = spell(name)
    return [name, spelling.full, spelling.initials]
