"""Queues, statistics, export and the record."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from serving import presenting
from serving.access import Allowed
from serving.context import Context, Ctx
from serving.errors import Problem
from serving.queues import QUEUE_NAMES, QUEUES
from serving.roles import Actor
from serving.schemas.base import Clean, Moment
from serving.schemas.insight import (
    AuditEntryOut,
    AuditPageOut,
    ChainOut,
    ConfusionOut,
    DepartmentOut,
    ShareOut,
    StatisticsOut,
)
from serving.schemas.petitions import QueueOut, QueuesOut
from serving.store import audit, export, statistics
from serving.store.statistics import Share

router = APIRouter(prefix="/v1", tags=["insight"])

Decider = Annotated[Actor, Depends(Allowed("decide"))]
Statistician = Annotated[Actor, Depends(Allowed("statistics"))]
Exporter = Annotated[Actor, Depends(Allowed("export"))]
Auditor = Annotated[Actor, Depends(Allowed("read_audit"))]
Since = Annotated[Moment | None, Query(description="不早于")]
Until = Annotated[Moment | None, Query(description="早于")]


@router.get("/queues", summary="各队列待办")
def queues(context: Ctx, _: Decider) -> QueuesOut:
    """Return how much waits in every queue, by level, and the next statutory end."""
    with context.store.read() as session:
        counts = statistics.queue_counts(session, now=context.now())
    items = []
    for queue in QUEUES:
        mine = {urgency: found for (name, urgency), found in counts.items() if name == queue}
        by_level = {presenting.level_of(urgency) or "none": found[0] for urgency, found in mine.items()}
        items.append(
            QueueOut(
                queue=queue,
                name=QUEUE_NAMES[queue],
                waiting=sum(found[0] for found in mine.values()),
                held=sum(found[1] for found in mine.values()),
                levels={level: by_level.get(level, 0) for level in ("S", "A", "B", "none")},
                next_due_at=min((found[2] for found in mine.values()), default=None),
            )
        )
    return QueuesOut(items=items)


def _share(share: Share) -> ShareOut:
    low, high = share.interval or (None, None)
    return ShareOut(part=share.part, whole=share.whole, value=share.value, low=low, high=high)


def period(context: Context, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """Return the period asked for, the last 30 days by default; raises 422 where it ends before it begins."""
    end = until or context.now() + timedelta(seconds=1)
    start = since or end - timedelta(days=30)
    if start >= end:
        raise Problem(422, code="empty_period", detail="since 须早于 until。")
    return start, end


@router.get("/statistics", summary="统计")
def read_statistics(context: Ctx, _: Statistician, since: Since = None, until: Until = None) -> StatisticsOut:
    """Return the figures of a period (default: the last 30 days). None is about who wrote a petition."""
    start, end = period(context, since, until)
    with context.store.read() as session:
        found = statistics.figures(session, since=start, until=end, now=context.now())
    book = context.host.labels
    return StatisticsOut(
        since=start,
        until=end,
        by_day=found.by_day,
        by_state=found.by_state,
        by_queue=found.by_queue,
        by_department=[
            DepartmentOut(department=code, name=book.name("department", code), received=received, waiting=waiting)
            for code, (received, waiting) in found.by_department.items()
        ],
        automatic=_share(found.automatic),
        corrected={head: _share(share) for head, share in found.corrected.items()},
        confusion={
            head: [ConfusionOut(suggested=s, final=f, count=n) for s, f, n in pairs]
            for head, pairs in found.confusion.items()
        },
        audit_error={head: _share(share) for head, share in found.audit_error.items()},
        open_ages=found.open_ages,
        overdue=found.overdue,
    )


@router.get("/export", summary="导出已办件作训练数据", response_class=StreamingResponse)
def export_decided(
    context: Ctx,
    actor: Exporter,
    form: Annotated[Literal["jsonl", "csv"], Query(alias="format")] = "jsonl",
    since: Since = None,
    until: Until = None,
) -> StreamingResponse:
    """Stream the petitions a person decided: masked text, confirmed labels, what was suggested. On record."""
    with context.store.write() as session:
        audit.append(session, actor=actor, action="petitions.exported", subject="petitions", detail={"format": form})

    def stream() -> Iterator[str]:
        with context.store.read() as session:
            rows = export.decided(session, since=since, until=until)
            yield from export.as_csv(rows) if form == "csv" else export.as_jsonl(rows)

    kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    headers = {"Content-Disposition": f'attachment; filename="decided.{form}"'}
    return StreamingResponse(stream(), media_type=kind, headers=headers)


@router.get("/audit", summary="审计记录")
def read_audit(
    context: Ctx,
    _: Auditor,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="上一页的 next_before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    subject: Annotated[Clean, Query(max_length=60, description="只看一个对象，如 petition:P…")] = "",
) -> AuditPageOut:
    """Return the record, newest first."""
    with context.store.read() as session:
        rows = audit.page(session, before=before, limit=limit, subject=subject)
        names = audit.actor_names(session, {row.actor for row in rows})
    items = [
        AuditEntryOut(
            seq=row.seq,
            at=row.at,
            actor=row.actor,
            actor_name=names.get(row.actor, row.actor),
            action=row.action,
            subject=row.subject,
            detail=row.detail,
            hash=row.hash,
        )
        for row in rows
    ]
    return AuditPageOut(items=items, next_before=rows[-1].seq if len(rows) == limit else None)


@router.get("/audit/verify", summary="校验审计链")
def verify_audit(
    context: Ctx,
    _: Auditor,
    head: Annotated[str, Query(pattern="^[0-9a-f]{64}$", description="先前记下的链头")] = "",
) -> ChainOut:
    """Read the whole record and say whether it is unbroken, and still holds the `head` noted earlier."""
    with context.store.read() as session:
        report = audit.verify(session, known_head=head)
    return ChainOut(sound=not report.fault, n_entries=report.n_entries, head=report.head, fault=report.fault)
