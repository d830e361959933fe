"""Submit, read, list and follow petitions."""

import hashlib
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool

from nlp.normalise import normalise
from nlp.petition import HEADS, Head, Level, Petition, Suggestion
from serving import presenting
from serving.access import Allowed
from serving.context import Context, Ctx
from serving.errors import Problem
from serving.judging import check_size, judge_one
from serving.law import day_of
from serving.queues import URGENCY, Queue, place
from serving.redaction import masked_view
from serving.roles import Actor
from serving.schemas.base import Clean, Moment
from serving.schemas.petitions import EventOut, HistoryOut, OriginalOut, PageOut, PetitionOut, State, SubmitIn
from serving.store import audit, claims, idempotency, petitions
from serving.store.fingerprints import Fingerprint
from serving.store.petitions import Case, Filter, Intake

router = APIRouter(prefix="/v1/petitions", tags=["petitions"])

Submitter = Annotated[Actor, Depends(Allowed("submit"))]
Reader = Annotated[Actor, Depends(Allowed("read"))]
OriginalReader = Annotated[Actor, Depends(Allowed("read_original"))]
Key = Annotated[
    Clean,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        description="本次登记的唯一键，重发请用同一个键。",
        examples=["3f0a9c1e-5d5b-4b7e-9a55-0f4f7a2d9b11"],
    ),
]


def etag(version: int) -> dict[str, str]:
    """Return the header that names a version of a petition."""
    return {"ETag": f'"{version}"'}


@router.post("", status_code=201, summary="登记一件", response_model=PetitionOut)
async def submit(body: SubmitIn, context: Ctx, actor: Submitter, key: Key) -> Response:
    """Judge and keep one petition. The same key twice gives the same answer; with another body it is 422."""
    body_hash = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    given = await run_in_threadpool(_answered, context, actor, key, body_hash)
    if given is not None:
        return _created(given, replayed=True)
    if body.claim and not actor.may("decide"):
        raise Problem(403, code="forbidden", detail="您的角色不能领取。")
    petition = Petition(text=body.text, title=body.title)
    check_size(context, [petition])
    suggestion = await judge_one(context, petition)
    try:
        answer = await run_in_threadpool(_keep, context, actor, key, body_hash, body, petition, suggestion)
    except IntegrityError:
        given = await run_in_threadpool(_answered, context, actor, key, body_hash)
        if given is None:
            raise
        return _created(given, replayed=True)
    return _created(answer, replayed=False)


def _created(answer: dict[str, Any], *, replayed: bool) -> Response:
    headers = {**etag(answer["version"]), "Location": f"/v1/petitions/{answer['id']}"}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return JSONResponse(answer, status_code=201, headers=headers)


def _answered(context: Context, actor: Actor, key: str, body_hash: str) -> dict[str, Any] | None:
    with context.store.read() as session:
        return idempotency.answered(session, actor=actor, key=key, body_hash=body_hash)


def _keep(
    context: Context,
    actor: Actor,
    key: str,
    body_hash: str,
    body: SubmitIn,
    petition: Petition,
    suggestion: Suggestion,
) -> dict[str, Any]:
    now = context.now()
    settings = context.settings
    view = masked_view(petition, suggestion)
    intake = Intake(
        view=view,
        fingerprint=Fingerprint.of(view.content),
        placing=place(view.answer, received_at=now, days=settings.registration_days, audit_share=settings.audit_share),
        thresholds=asdict(context.host.classifier.thresholds),
        sealed=context.seal.close(petition.content),
        source=body.source,
        external_id=body.external_id,
        received_at=now,
        received_on=day_of(now),
    )
    claim = body.claim and not intake.placing.blind
    with context.store.write() as session:
        if claim:
            claims.check_room(session, actor=actor, now=now, max_claims=settings.max_claims)
        case = petitions.keep(session, intake, actor=actor)
        if claim:
            claims.take(session, case.petition, actor=actor, now=now, lasts=context.claim_lasts)
            case = petitions.load(session, case.petition)
        answer = presenting.whole(case, actor=actor, now=now).model_dump(mode="json")
        idempotency.remember(
            session,
            actor=actor,
            key=key,
            body_hash=body_hash,
            petition_id=case.petition.id,
            answer=answer,
            now=now,
        )
    context.related.catch_up()
    return answer


def search_words(typed: str) -> list[str]:
    """Return the words of a search as the kept texts spell them.

    They are normalised one by one: normalising the whole would join Chinese words.
    """
    return [word for part in typed.split() for word in normalise(part).text.split()]


class ListQuery:
    """The query of a list."""

    def __init__(
        self,
        *,
        state: Annotated[State | None, Query(description="状态")] = None,
        queue: Annotated[Queue | None, Query(description="队列")] = None,
        level: Annotated[Level | None, Query(description="必须审核的级别")] = None,
        category_l1: Annotated[Clean, Query(max_length=60)] = "",
        category_l2: Annotated[Clean, Query(max_length=60)] = "",
        nature: Annotated[Clean, Query(max_length=60)] = "",
        channel: Annotated[Clean, Query(max_length=60)] = "",
        department: Annotated[Clean, Query(max_length=60)] = "",
        q: Annotated[Clean, Query(max_length=100, description="脱敏正文中包含的词，空格分隔，须同时出现")] = "",
        external_id: Annotated[Clean, Query(max_length=100)] = "",
        received_from: Annotated[Moment | None, Query(description="收到时间不早于")] = None,
        received_to: Annotated[Moment | None, Query(description="收到时间早于")] = None,
        mine: Annotated[bool, Query(description="只看我领取的")] = False,
    ) -> None:
        """Take the query parameters."""
        given: dict[Head, str] = {
            "category_l1": category_l1, "category_l2": category_l2, "nature": nature, "channel": channel,
            "department": department,
        }  # fmt: skip
        self.mine = mine
        self.wanted = Filter(
            state=state or "",
            queue=queue or "",
            level=URGENCY[level] if level else None,
            labels={head: given[head] for head in HEADS if given[head]},
            text=" ".join(search_words(q)),
            external_id=external_id,
            received_from=received_from,
            received_to=received_to,
        )

    def seen_by(self, actor: Actor) -> Filter:
        """Return the filter, narrowed to what `actor` may see."""
        wanted = replace(self.wanted, claimed_by=actor.id) if self.mine else self.wanted
        return replace(wanted, submitted_by=actor.id) if actor.role == "service" else wanted


@router.get("", summary="检索")
def list_petitions(
    context: Ctx,
    actor: Reader,
    query: Annotated[ListQuery, Depends()],
    cursor: Annotated[Clean, Query(max_length=200, description="上一页的 next_cursor")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PageOut:
    """List petitions, newest first; a service sees its own."""
    now = context.now()
    with context.store.read() as session:
        rows, held, more = petitions.page(session, query.seen_by(actor), cursor=cursor, limit=limit)
    items = [presenting.brief(row, held.get(row.id), actor=actor, now=now) for row in rows]
    return PageOut(items=items, next_cursor=more or None)


PetitionId = Annotated[Clean, Field(max_length=40)]


@router.get("/{petition_id}", summary="查看一件")
def read_petition(petition_id: PetitionId, context: Ctx, actor: Reader, response: Response) -> PetitionOut:
    """Return one petition; its ETag names the version a decision must be based on."""
    case = _case(context, petition_id, actor)
    response.headers.update(etag(case.petition.version))
    return presenting.whole(case, actor=actor, now=context.now())


def _case(context: Context, petition_id: str, actor: Actor) -> Case:
    with context.store.read() as session:
        return petitions.load(session, petitions.get(session, petition_id, actor=actor))


@router.get("/{petition_id}/original", summary="查看原文（留痕）")
def read_original(petition_id: PetitionId, context: Ctx, actor: OriginalReader) -> OriginalOut:
    """Return the text as it was written; 404 where originals are not kept. Each reading is on record."""
    with context.store.write() as session:
        petition = petitions.get(session, petition_id, actor=actor)
        if petition.sealed is None:
            raise Problem(404, code="no_original", detail="没有保存这一件的原文。")
        content = context.seal.open(petition.sealed)
        audit.append(session, actor=actor, action="petition.original_read", subject=f"petition:{petition.id}")
    return OriginalOut(id=petition_id, content=content)


@router.get("/{petition_id}/history", summary="办理经过")
def history(petition_id: PetitionId, context: Ctx, actor: Reader) -> HistoryOut:
    """Return everything that happened to a petition."""
    with context.store.read() as session:
        petition = petitions.get(session, petition_id, actor=actor)
        rows = audit.history(session, f"petition:{petition.id}")
        names = audit.actor_names(session, {row.actor for row in rows})
    return HistoryOut(
        items=[
            EventOut(
                seq=row.seq,
                at=row.at,
                actor=row.actor,
                actor_name=names.get(row.actor, row.actor),
                action=row.action,
                detail=row.detail,
            )
            for row in rows
        ]
    )
