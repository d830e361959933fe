"""The pages of the daily work: queues, one petition with its history, search."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from nlp.petition import HEADS, Head, Level
from serving import presenting
from serving.context import Context, Ctx
from serving.law import CHINA
from serving.queues import QUEUE_NAMES, QUEUES, URGENCY, Queue
from serving.roles import Actor
from serving.routes.insight import queues as count_queues
from serving.routes.pages_parts import load_events, load_work
from serving.routes.petitions import PetitionId, search_words
from serving.schemas.base import Clean
from serving.schemas.petitions import State
from serving.store import petitions
from serving.store.accounts import SignedIn
from serving.store.paging import NEWEST, PRESSING, Order
from serving.store.petitions import Filter
from serving.web.names import LEVEL_NAMES, STATE_NAMES
from serving.web.passages import around
from serving.web.rendering import render
from serving.web.visiting import Visiting
from serving.web.work import may

router = APIRouter(include_in_schema=False)

Reviewer = Annotated[SignedIn, Depends(Visiting("decide"))]
Reader = Annotated[SignedIn, Depends(Visiting("read"))]
Cursor = Annotated[Clean, Query(max_length=200)]

PAGE = 20


@router.get("/queues")
def queues(
    request: Request, context: Ctx, visitor: Reviewer, queue: Queue | None = None, cursor: Cursor = ""
) -> HTMLResponse:
    """Show what waits and why, what the visitor holds, and a page of what waits, the most pressing first."""
    actor, now = visitor.actor, context.now()
    mine = _found(context, actor, Filter(state="queued", claimed_by=actor.id), limit=20)[0]
    wanted = Filter(state="queued", queue=queue or "")
    waiting, more = _found(context, actor, wanted, order=PRESSING, limit=PAGE, cursor=cursor)
    return render(
        request,
        "queues.html",
        visitor=visitor,
        queues=count_queues(context, actor).items,
        mine=[item for item in mine if item["brief"].claim],
        waiting=waiting,
        more=more,
        paged=bool(cursor),
        chosen=queue,
        now=now,
    )


@router.get("/petitions/{petition_id}")
def petition(
    request: Request, context: Ctx, visitor: Reader, petition_id: PetitionId, queue: Queue | None = None
) -> HTMLResponse:
    """Show one petition with its working panel and everything that happened to it."""
    work = load_work(context, petition_id, visitor.actor)
    return render(
        request,
        "petition.html",
        visitor=visitor,
        work=work,
        can=may(work, visitor.actor),
        events=load_events(context, petition_id, visitor.actor),
        may_submit=False,
        queue=queue,
    )


@router.get("/search")
def search(
    request: Request,
    context: Ctx,
    visitor: Reader,
    q: Annotated[Clean, Query(max_length=100)] = "",
    state: State | Literal[""] = "",
    queue: Queue | Literal[""] = "",
    level: Level | Literal[""] = "",
    category_l1: Annotated[Clean, Query(max_length=60)] = "",
    category_l2: Annotated[Clean, Query(max_length=60)] = "",
    nature: Annotated[Clean, Query(max_length=60)] = "",
    channel: Annotated[Clean, Query(max_length=60)] = "",
    department: Annotated[Clean, Query(max_length=60)] = "",
    external_id: Annotated[Clean, Query(max_length=100)] = "",
    since: date | Literal[""] = "",
    until: date | Literal[""] = "",
    mine: bool = False,
    cursor: Cursor = "",
) -> HTMLResponse:
    """Search the masked texts, narrowed by whatever is chosen."""
    given: dict[Head, str] = {
        "category_l1": category_l1, "category_l2": category_l2, "nature": nature, "channel": channel,
        "department": department,
    }  # fmt: skip
    words = search_words(q)
    wanted = Filter(
        state=state,
        queue=queue,
        level=URGENCY[level] if level else None,
        labels={head: given[head] for head in HEADS if given[head]},
        text=" ".join(words),
        external_id=external_id,
        received_from=_midnight(since) if since else None,
        received_to=_midnight(until) + timedelta(days=1) if until else None,
        claimed_by=visitor.actor.id if mine else "",
    )
    items, more = _found(context, visitor.actor, wanted, limit=PAGE, cursor=cursor, words=words)
    chosen: dict[str, Any] = {
        "q": q, "state": state, "queue": queue, "level": level, "external_id": external_id,
        "since": since, "until": until, "mine": "true" if mine else "",
        **{str(head): code for head, code in given.items()},
    }  # fmt: skip
    return render(
        request,
        "search.html",
        visitor=visitor,
        items=items,
        more=more,
        paged=bool(cursor),
        chosen=chosen,
        kept={name: str(value) for name, value in chosen.items() if value},
        labels=context.host.labels.heads,
        names={"state": STATE_NAMES, "queue": {code: QUEUE_NAMES[code] for code in QUEUES}, "level": LEVEL_NAMES},
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=CHINA)


def _found(
    context: Context,
    actor: Actor,
    wanted: Filter,
    *,
    limit: int,
    order: Order = NEWEST,
    cursor: str = "",
    words: list[str] | None = None,
) -> tuple[list[dict[str, Any]], str]:
    """Return the petitions found, each as `brief` with the piece of its text to show, and the next cursor."""
    now, book = context.now(), context.host.labels
    with context.store.read() as session:
        rows, held, more = petitions.page(session, wanted, order=order, cursor=cursor, limit=limit)
    items = []
    for row in rows:
        brief = presenting.brief(row, held.get(row.id), actor=actor, now=now)
        named = {head: book.name(head, code) for head, code in (brief.labels or {}).items()}
        items.append({"brief": brief, "excerpt": around(row.content, words or ()), "named": named})
    return items, more
