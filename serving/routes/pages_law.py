"""Drafts of letters from the desk: a page to read and print, a file to edit. Nothing is sent or stored."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from nlp.notices import Draft, NoticeCode, PersonDecision
from serving.access import Allowed
from serving.context import Context, Ctx
from serving.law import day_of
from serving.roles import Actor
from serving.routes.law import events_given
from serving.routes.notices import DOCX, docx_response, load, make
from serving.routes.petitions import PetitionId
from serving.schemas.notices import PersonDecisionIn
from serving.store.accounts import SignedIn
from serving.web.law import DECIDED_ONLY, facts_of
from serving.web.visiting import Visiting

router = APIRouter(include_in_schema=False)

Visitor = Annotated[SignedIn, Depends(Visiting("draft_notice"))]
Drafting = Annotated[Actor, Depends(Allowed("draft_notice"))]

LETTER_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
"""A letter brings its own style, so that it can be saved and printed; it can load or run nothing."""


@router.get("/petitions/{petition_id}/notices/{code}")
def letter(
    request: Request,
    context: Ctx,
    visitor: Visitor,
    petition_id: PetitionId,
    code: NoticeCode,
    form: Literal["html", "docx"] = "html",
) -> Response:
    """Return the draft of a letter filled with what is known of a petition."""
    days = {name: day for name, day in request.query_params.items() if name != "form"}
    kind = DOCX if form == "docx" else "text/html"
    made = _drafted(context, visitor.actor, petition_id, code, kind=kind, days=days)
    return docx_response(made) if form == "docx" else HTMLResponse(made.html, headers=LETTER_POLICY)


@router.post("/desk/petitions/{petition_id}/turn-away")
def turn_away(body: PersonDecisionIn, context: Ctx, actor: Drafting, petition_id: PetitionId) -> Response:
    """Return the 不予受理告知单 of a petition as a file, from the decision that a person wrote down."""
    return docx_response(_drafted(context, actor, petition_id, DECIDED_ONLY, kind=DOCX, decision=body.record()))


def _drafted(
    context: Context,
    actor: Actor,
    petition_id: str,
    code: NoticeCode,
    *,
    kind: str,
    decision: PersonDecision | None = None,
    days: Mapping[str, str] | None = None,
) -> Draft:
    petition = load(context, actor, petition_id)
    events = events_given((days or {}).items(), received_on=day_of(petition.received_at))
    classifier = context.host.classifier
    facts = facts_of(
        petition,
        knowledge=classifier.knowledge,
        taxonomy=classifier.taxonomy,
        book=context.host.labels,
        events=events,
    )
    return make(context, actor, code, facts=facts, decision=decision, petition=petition, kind=kind)
