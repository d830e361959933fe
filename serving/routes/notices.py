"""POST /v1/notices/{code}: drafts of letters. Nothing is sent, and nothing of the letter is stored."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Response
from fastapi.responses import JSONResponse

from nlp.notices import Draft, Facts, NoticeCode, PersonDecision, draft_notice
from serving import presenting
from serving.access import Allowed
from serving.context import Context, Ctx
from serving.errors import Problem
from serving.letters import check_fit, warnings_for
from serving.roles import Actor
from serving.schemas.notices import NoticeIn, NoticeOut
from serving.schemas.petitions import PetitionOut
from serving.store import audit, petitions

router = APIRouter(prefix="/v1", tags=["law"])

Drafting = Annotated[Actor, Depends(Allowed("draft_notice"))]

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
JSON = "application/json"
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "草稿；按 Accept 给 JSON（含 HTML）或 DOCX",
        "content": {DOCX: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/notices/{code}", summary="起草告知文书，不发送、不保存", response_model=NoticeOut, responses=RESPONSES)
def draft(
    code: NoticeCode,
    body: NoticeIn,
    context: Ctx,
    actor: Drafting,
    accept: Annotated[str, Header(max_length=1000, include_in_schema=False)] = JSON,
) -> Response:
    """Return the draft of a letter as JSON or as a DOCX file; what is not known stays a blank and is listed.

    A 不予受理告知单 needs a person's decision. Only that a draft was made is on record, never its text.
    """
    kind = wanted(accept)
    decision = body.decision.record() if body.decision else None
    petition = None if body.petition is None else load(context, actor, body.petition)
    made = make(context, actor, code, facts=body.facts(), decision=decision, petition=petition, kind=kind)
    if kind == DOCX:
        return docx_response(made)
    answer = NoticeOut(
        code=made.code, title=made.title, html=made.html, blanks=list(made.blanks), warnings=list(made.warnings)
    )
    return JSONResponse(answer.model_dump())


def load(context: Context, actor: Actor, petition_id: str) -> PetitionOut:
    """Return a petition as `actor` may see it; raises the 404 problem for others."""
    with context.store.read() as session:
        case = petitions.load(session, petitions.get(session, petition_id, actor=actor))
    return presenting.whole(case, actor=actor, now=context.now())


def make(
    context: Context,
    actor: Actor,
    code: NoticeCode,
    *,
    facts: Facts,
    decision: PersonDecision | None = None,
    petition: PetitionOut | None = None,
    kind: str,
) -> Draft:
    """Draft a letter and note that it was done: kind, form, number of blanks, and the petition if it is one of ours.

    Raises NoticeError (422), and the 422 problem for a letter that does not fit the petition.
    """
    if code == "notice_not_accept" and decision is None:
        raise Problem(
            422,
            code="decision_required",
            detail="不予受理必须由人作出决定后才能起草告知单：请在 decision 中写明决定人、日期、依据条款和事由。",
        )
    if petition is not None:
        check_fit(code, petition)
    classifier = context.host.classifier
    warnings = warnings_for(
        code,
        facts.handler,
        petition=petition,
        appeals=facts.appeals,
        knowledge=classifier.knowledge,
        taxonomy=classifier.taxonomy,
    )
    made = draft_notice(code, facts, decision=decision, templates=context.settings.notice_templates, warnings=warnings)
    detail = {"notice": code, "format": "docx" if kind == DOCX else "html", "n_blanks": len(made.blanks)}
    with context.store.write() as session:
        subject = "notice" if petition is None else f"petition:{petition.id}"
        audit.append(session, actor=actor, action="notice.drafted", subject=subject, detail=detail)
    return made


def docx_response(made: Draft) -> Response:
    """Return a draft as a file to be saved."""
    name = quote(f"{made.title}（草稿）.docx")
    return Response(
        made.docx,
        media_type=DOCX,
        headers={"Content-Disposition": f"attachment; filename=\"{made.code}.docx\"; filename*=UTF-8''{name}"},
    )


def wanted(accept: str) -> str:
    """Return the media type that `accept` asks for first, of those there are; raises the 406 problem for others.

    Where both are equally welcome the answer is JSON.
    """
    best, best_weight = "", 0.0
    for media_type, weight in _weighted(accept):
        offered = DOCX if media_type == DOCX else JSON if media_type in {JSON, "application/*", "*/*", "*"} else ""
        if offered and (weight > best_weight or (weight == best_weight and offered == JSON)):
            best, best_weight = offered, weight
    if not best:
        raise Problem(406, code="not_acceptable", detail=f"可给的格式：{JSON}（含 HTML）、{DOCX}。")
    return best


def _weighted(accept: str) -> Iterator[tuple[str, float]]:
    """Read an Accept header (RFC 9110, 12.5.1); an unreadable weight counts as 0."""
    for part in accept.split(","):
        media_type, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        yield media_type, float(weight) if weight.replace(".", "", 1).isdecimal() and weight.isascii() else 0.0
