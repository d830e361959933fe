"""The pages of the office: statistics, the model in service, people and keys, the record."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from nlp.decide import HEAD_NAMES
from nlp.petition import HEADS
from serving.context import Ctx
from serving.law import CHINA
from serving.roles import ROLE_NAMES
from serving.routes import accounts, insight
from serving.schemas.base import Clean
from serving.store.accounts import SignedIn
from serving.web.markdown import as_html
from serving.web.names import AGE_NAMES, STATE_NAMES
from serving.web.rendering import render
from serving.web.visiting import Visiting

router = APIRouter(include_in_schema=False)

Statistician = Annotated[SignedIn, Depends(Visiting("statistics"))]
Describer = Annotated[SignedIn, Depends(Visiting("describe_model"))]
Manager = Annotated[SignedIn, Depends(Visiting("manage_accounts"))]
Auditor = Annotated[SignedIn, Depends(Visiting("read_audit"))]

CONFUSIONS_SHOWN = 8
DEPARTMENTS_SHOWN = 12
AUDIT_PAGE = 50


@router.get("/statistics")
def statistics(
    request: Request,
    context: Ctx,
    visitor: Statistician,
    since: date | Literal[""] = "",
    until: date | Literal[""] = "",
) -> HTMLResponse:
    """Show the figures of a period, both days included; the last 30 days by default."""
    last = until or context.now().astimezone(CHINA).date()
    first = since or last - timedelta(days=29)
    start = datetime.combine(first, time(), tzinfo=CHINA)
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=CHINA)
    found = insight.read_statistics(context, visitor.actor, since=start, until=end)
    book = context.host.labels
    confusion = {
        head: [
            {"suggested": book.name(head, pair.suggested), "final": book.name(head, pair.final), "count": pair.count}
            for pair in found.confusion[head][:CONFUSIONS_SHOWN]
        ]
        for head in HEADS
    }
    return render(
        request,
        "statistics.html",
        visitor=visitor,
        found=found,
        first=first,
        last=last,
        total=sum(found.by_day.values()),
        days=_every_day(found.by_day, first, last),
        confusion=confusion,
        heads={**HEAD_NAMES, "any": "任一项"},
        states=STATE_NAMES,
        ages=AGE_NAMES,
        departments=found.by_department[:DEPARTMENTS_SHOWN],
        n_departments=len(found.by_department),
    )


def _every_day(by_day: Mapping[str, int], first: date, last: date) -> list[tuple[str, int]]:
    """Return the count of every day of the period, days without any included."""
    n_days = (last - first).days + 1
    days = (first + timedelta(days=number) for number in range(n_days))
    return [(day.isoformat(), by_day.get(day.isoformat(), 0)) for day in days]


@router.get("/model")
def model(request: Request, context: Ctx, visitor: Describer) -> HTMLResponse:
    """Show the bundle in service: card, figures, thresholds, labels."""
    classifier = context.host.classifier
    bundle = classifier.bundle
    book = context.host.labels
    return render(
        request,
        "model.html",
        visitor=visitor,
        bundle=bundle,
        card=as_html(bundle.card),
        taxonomy_version=book.version,
        thresholds=classifier.thresholds,
        metrics=dict(bundle.metrics),
        n_labels={head: len(labels) for head, labels in book.heads.items()},
        may_reload=visitor.actor.may("reload_model"),
        bundles=_bundles(context.settings.bundles_dir),
        heads=HEAD_NAMES,
    )


def _bundles(folder: Any) -> list[str]:
    if folder is None or not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if (entry / "SHA256SUMS").is_file())


@router.get("/accounts")
def people(request: Request, context: Ctx, visitor: Manager) -> HTMLResponse:
    """Show who has an account and which systems have a key."""
    return render(
        request,
        "accounts.html",
        visitor=visitor,
        users=accounts.list_users(context, visitor.actor).items,
        keys=accounts.list_keys(context, visitor.actor).items,
        roles=ROLE_NAMES,
        now=context.now(),
    )


@router.get("/audit")
def record(
    request: Request,
    context: Ctx,
    visitor: Auditor,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    subject: Annotated[Clean, Query(max_length=60)] = "",
) -> HTMLResponse:
    """Show the record, newest first."""
    wanted = f"petition:{subject}" if subject.startswith("P") else subject
    page = insight.read_audit(context, visitor.actor, before=before, limit=AUDIT_PAGE, subject=wanted)
    return render(
        request, "audit.html", visitor=visitor, entries=page.items, next_before=page.next_before, subject=subject,
        before=before,
    )  # fmt: skip
