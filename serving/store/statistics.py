"""Figures for the office and for the maintainer; nothing here is about who wrote a petition."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, select, text
from sqlalchemy.orm import Session

from nlp.petition import HEADS
from serving.store.petitions import stands
from serving.store.schema import CorrectionRow, PetitionRow, ReviewRow

_PEOPLE = ("accept", "correct", "several_appeals")
AGE_LIMITS = (1, 3, 7, 15)
"""Upper ends, in days, of the age groups of open petitions; the last group is older."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """`part` of `whole`, with the 95 % Wilson interval of the share."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval: right also for few cases and for shares near 0."""
        if not self.whole:
            return None
        z, n, p = 1.959964, self.whole, self.part / self.whole
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Everything the statistics page shows of one period."""

    by_day: dict[str, int]
    by_state: dict[str, int]
    by_queue: dict[str, int]
    by_department: dict[str, tuple[int, int]]
    automatic: Share
    corrected: dict[str, Share]
    confusion: dict[str, list[tuple[str, str, int]]]
    audit_error: dict[str, Share]
    open_ages: dict[str, int]
    overdue: int


def _local_day(session: Session) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "postgresql":
        return func.date(func.timezone("Asia/Shanghai", PetitionRow.received_at))
    return func.date(PetitionRow.received_at, text("'+8 hours'"))


def _counts(session: Session, column: ColumnElement[Any], *where: ColumnElement[bool]) -> dict[str, int]:
    query = select(column, func.count()).select_from(PetitionRow).where(*where).group_by(column).order_by(column)
    return {str(value): count for value, count in session.execute(query)}


def figures(session: Session, *, since: datetime, until: datetime, now: datetime) -> Figures:
    """Compute the figures of the petitions received from `since` to before `until`."""
    period = (PetitionRow.received_at >= since, PetitionRow.received_at < until)
    total = session.scalar(select(func.count()).select_from(PetitionRow).where(*period)) or 0
    # The machine's own decision is counted from its reviews: a sampled petition is in a queue all the same.
    automatic = _n_reviewed(session, period, ReviewRow.action == "auto")
    open_now = (PetitionRow.state == "queued",)
    return Figures(
        by_day=_counts(session, _local_day(session), *period),
        by_state=_counts(session, PetitionRow.state.expression, *period),
        by_queue=_counts(session, PetitionRow.queue.expression, *open_now),
        by_department=_departments(session, period),
        automatic=Share(part=automatic, whole=total),
        corrected=_corrected(session, period, blind=False),
        confusion=_confusion(session, period),
        audit_error=_corrected(session, period, blind=True),
        open_ages=_ages(session, now),
        overdue=session.scalar(select(func.count()).select_from(PetitionRow).where(*open_now, PetitionRow.due_at < now))
        or 0,
    )


def _n_reviewed(session: Session, period: Sequence[ColumnElement[bool]], *where: ColumnElement[bool]) -> int:
    query = (
        select(func.count(func.distinct(ReviewRow.petition_id)))
        .join(PetitionRow, PetitionRow.id == ReviewRow.petition_id)
        .where(*period, *where)
    )
    return session.scalar(query) or 0


def _corrected(session: Session, period: Sequence[ColumnElement[bool]], *, blind: bool) -> dict[str, Share]:
    """Per head, and for `any` of them: in how many of the people's standing decisions the suggestion was wrong."""
    kind = (ReviewRow.blind.is_(blind), ReviewRow.action.in_(_PEOPLE), stands(blind_apart=True))
    whole = _n_reviewed(session, period, *kind)
    query = (
        select(CorrectionRow.head, ReviewRow.petition_id)
        .join(ReviewRow, ReviewRow.id == CorrectionRow.review_id)
        .join(PetitionRow, PetitionRow.id == ReviewRow.petition_id)
        .where(*period, *kind)
    )
    wrong: dict[str, set[str]] = {head: set() for head in HEADS}
    for head, petition_id in session.execute(query):
        wrong[head].add(petition_id)
    shares = {head: Share(part=len(ids), whole=whole) for head, ids in wrong.items()}
    return shares | {"any": Share(part=len(set().union(*wrong.values())), whole=whole)}


def _confusion(session: Session, period: Sequence[ColumnElement[bool]]) -> dict[str, list[tuple[str, str, int]]]:
    query = (
        select(CorrectionRow.head, CorrectionRow.suggested, CorrectionRow.final, func.count())
        .join(ReviewRow, ReviewRow.id == CorrectionRow.review_id)
        .join(PetitionRow, PetitionRow.id == ReviewRow.petition_id)
        .where(*period, stands())
        .group_by(CorrectionRow.head, CorrectionRow.suggested, CorrectionRow.final)
        .order_by(func.count().desc(), CorrectionRow.suggested, CorrectionRow.final)
    )
    found: dict[str, list[tuple[str, str, int]]] = {head: [] for head in HEADS}
    for head, suggested, final, count in session.execute(query):
        found[head].append((suggested, final, count))
    return found


def _departments(session: Session, period: Sequence[ColumnElement[bool]]) -> dict[str, tuple[int, int]]:
    """Per department: petitions of the period, and how many of them wait for a person."""
    waiting = func.sum(case((PetitionRow.state == "queued", 1), else_=0))
    query = (
        select(PetitionRow.department, func.count(), waiting)
        .where(*period, (PetitionRow.blind.is_(False)) | (PetitionRow.state != "queued"))
        .group_by(PetitionRow.department)
        .order_by(func.count().desc(), PetitionRow.department)
    )
    return {department: (count, int(open_)) for department, count, open_ in session.execute(query)}


def _ages(session: Session, now: datetime) -> dict[str, int]:
    ages = dict.fromkeys([*(f"<={days}" for days in AGE_LIMITS), f">{AGE_LIMITS[-1]}"], 0)
    for received_at in session.scalars(select(PetitionRow.received_at).where(PetitionRow.state == "queued")):
        age = now - received_at
        group = next((f"<={days}" for days in AGE_LIMITS if age <= timedelta(days=days)), f">{AGE_LIMITS[-1]}")
        ages[group] += 1
    return ages


def queue_counts(session: Session, *, now: datetime) -> dict[tuple[str, int], tuple[int, int, datetime]]:
    """Return per queue and urgency: waiting, of them in somebody's hands, the next statutory end."""
    taken = func.sum(case((PetitionRow.claim_expires_at > now, 1), else_=0))
    query = (
        select(PetitionRow.queue, PetitionRow.urgency, func.count(), taken, func.min(PetitionRow.due_at))
        .where(PetitionRow.state == "queued")
        .group_by(PetitionRow.queue, PetitionRow.urgency)
    )
    return {
        (queue, urgency): (count, int(held), due_at) for queue, urgency, count, held, due_at in session.execute(query)
    }
