"""Petitions: keep one, read one, list and search many."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from nlp.petition import HEADS, Head
from serving.errors import Problem
from serving.queues import Placing
from serving.redaction import MaskedView
from serving.roles import MACHINE, Actor
from serving.store import audit, fingerprints
from serving.store.fingerprints import Fingerprint
from serving.store.paging import NEWEST, Order, after, clauses, cursor_at
from serving.store.schema import ClaimRow, PetitionRow, ReviewRow, SuggestionRow

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no letter looks like a digit

LABEL_COLUMNS = {head: getattr(PetitionRow, head) for head in HEADS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A petition with what is needed to show it: its suggestion, the decision that stands, who holds it."""

    petition: PetitionRow
    suggestion: SuggestionRow
    review: ReviewRow | None
    claim: ClaimRow | None

    @property
    def hidden(self) -> bool:
        """Whether the suggestion must not be shown yet, because the review is blind."""
        return hides_suggestion(self.petition)

    @property
    def present_review(self) -> ReviewRow | None:
        """The decision that stands, where it was made under the present claim: only that one can be undone."""
        made_now = self.review and self.claim and self.review.claim_id == self.claim.id
        return self.review if made_now else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """A judged petition, ready to be kept; `received_on` is the civil day in China on which it was received."""

    view: MaskedView
    fingerprint: Fingerprint
    placing: Placing
    thresholds: dict[str, Any]
    sealed: bytes | None
    source: str
    external_id: str | None
    received_at: datetime
    received_on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """What a list is narrowed to; empty members narrow nothing."""

    state: str = ""
    queue: str = ""
    level: int | None = None
    labels: Mapping[Head, str] | None = None
    text: str = ""
    received_from: datetime | None = None
    received_to: datetime | None = None
    submitted_by: str = ""
    claimed_by: str = ""
    external_id: str = ""


def hides_suggestion(petition: PetitionRow) -> bool:
    """Whether the suggestion for `petition` must not be shown yet, because the review is blind."""
    return petition.blind and petition.state == "queued"


def labels_of(petition: PetitionRow) -> dict[Head, str]:
    """Return the labels that stand, by head."""
    return {head: getattr(petition, head) for head in HEADS}


def new_id(received_on: date) -> str:
    """Return a number a person can read out: P, the day, ten random characters."""
    return f"P{received_on:%y%m%d}-" + "".join(secrets.choice(_ALPHABET) for _ in range(10))


def keep(session: Session, intake: Intake, *, actor: Actor) -> Case:
    """Store a judged petition with its suggestion; what needs nobody is accepted by the machine at once."""
    answer, placing = intake.view.answer, intake.placing
    labels = {head: answer.predictions[head].code for head in HEADS}
    petition = PetitionRow(
        id=new_id(intake.received_on),
        external_id=intake.external_id,
        source=intake.source,
        submitted_by=actor.id,
        content=intake.view.content,
        title_length=intake.view.title_length,
        redactions=[chip.model_dump(mode="json") for chip in intake.view.chips],
        sealed=intake.sealed,
        received_at=intake.received_at,
        due_at=placing.due_at,
        version=1,
        state="queued" if placing.queue else "auto_accepted",
        queue=placing.queue or "",
        urgency=placing.urgency,
        uncertainty=placing.uncertainty,
        blind=placing.blind,
        **labels,
    )
    suggestion = SuggestionRow(
        petition_id=petition.id,
        made_at=intake.received_at,
        bundle_id=answer.bundle_id,
        taxonomy_version=answer.taxonomy_version,
        action=answer.decision.action,
        answer=answer.model_dump(mode="json"),
        thresholds=intake.thresholds,
        labels=dict(labels),
    )
    session.add(petition)
    session.flush()
    session.add(suggestion)
    session.flush()
    review = None if answer.decision.action == "review" else _accept_automatically(session, suggestion, labels)
    detail = {"version": 1, "state": petition.state, "queue": petition.queue, "bundle": answer.bundle_id}
    line = audit.append(
        session, actor=actor, action="petition.submitted", subject=f"petition:{petition.id}", detail=detail
    )
    fingerprints.keep(session, petition.id, intake.fingerprint, seq=line.seq)
    return Case(petition=petition, suggestion=suggestion, review=review, claim=None)


def _accept_automatically(session: Session, suggestion: SuggestionRow, labels: Mapping[Head, str]) -> ReviewRow:
    review = ReviewRow(
        petition_id=suggestion.petition_id,
        suggestion_id=suggestion.id,
        actor=MACHINE.id,
        actor_name=MACHINE.name,
        action="auto",
        labels=dict(labels),
        co_departments=[c["code"] for c in suggestion.answer["co_departments"]],
        appeals=[],
        note="",
        blind=False,
        decided_at=suggestion.made_at,
        before={},
    )
    session.add(review)
    session.flush()
    return review


def get(session: Session, petition_id: str, *, actor: Actor | None = None, lock: bool = False) -> PetitionRow:
    """Return the petition, locked until the end of the transaction where `lock`; raises the 404 problem.

    A service sees what it submitted itself and nothing else.
    """
    petition = session.get(PetitionRow, petition_id, with_for_update=lock or None)
    foreign = actor is not None and actor.role == "service" and petition and petition.submitted_by != actor.id
    if petition is None or foreign:
        raise Problem(404, code="no_petition", detail="没有这个编号的信访件。")
    return petition


def load(session: Session, petition: PetitionRow) -> Case:
    """Return everything needed to show `petition`."""
    suggestion = session.scalars(
        select(SuggestionRow).where(SuggestionRow.petition_id == petition.id).order_by(SuggestionRow.id.desc()).limit(1)
    ).one()
    return Case(
        petition=petition,
        suggestion=suggestion,
        review=standing_review(session, petition.id),
        claim=session.get(ClaimRow, petition.claim_id) if petition.claim_id else None,
    )


def standing_review(session: Session, petition_id: str) -> ReviewRow | None:
    """Return the decision that stands, None before the first one."""
    return session.scalars(select(ReviewRow).where(ReviewRow.petition_id == petition_id, stands())).first()


def stands(*, blind_apart: bool = False) -> ColumnElement[bool]:
    """Return the SQL of a decision that stands: the latest of its petition that was not undone.

    With `blind_apart` a blind one, made without seeing the suggestion, and an open one do not replace each other.
    """
    later = aliased(ReviewRow)
    replaced = select(later.id).where(
        later.petition_id == ReviewRow.petition_id, later.id > ReviewRow.id, later.undone_at.is_(None)
    )
    if blind_apart:
        replaced = replaced.where(later.blind == ReviewRow.blind)
    return and_(ReviewRow.undone_at.is_(None), ~replaced.correlate(ReviewRow).exists())


def _contains(text: str) -> ColumnElement[bool]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return PetitionRow.content.ilike(f"%{escaped}%", escape="\\")


def conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    """Return the SQL of a filter; every value is a bound parameter."""
    exact = {
        PetitionRow.state: wanted.state,
        PetitionRow.queue: wanted.queue,
        PetitionRow.submitted_by: wanted.submitted_by,
        PetitionRow.claimed_by: wanted.claimed_by,
        PetitionRow.external_id: wanted.external_id,
    }
    found = [column == value for column, value in exact.items() if value]
    found += [_contains(word) for word in wanted.text.split()]
    if wanted.level is not None:
        found.append(PetitionRow.urgency == wanted.level)
    if wanted.labels:
        # Found by its suggested label, an item under blind review would give its suggestion away.
        found.append(or_(PetitionRow.blind.is_(False), PetitionRow.state != "queued"))
        found += [LABEL_COLUMNS[head] == code for head, code in wanted.labels.items()]
    if wanted.received_from:
        found.append(PetitionRow.received_at >= wanted.received_from)
    if wanted.received_to:
        found.append(PetitionRow.received_at < wanted.received_to)
    return found


def page(
    session: Session, wanted: Filter, *, order: Order = NEWEST, cursor: str = "", limit: int
) -> tuple[list[PetitionRow], dict[str, ClaimRow], str]:
    """Return up to `limit` petitions in `order`, the claims on them, and the cursor of the next page."""
    query = select(PetitionRow).where(and_(True, *conditions(wanted)))
    if cursor:
        query = query.where(after(order, cursor))
    query = query.order_by(*clauses(order)).limit(limit + 1)
    rows = list(session.scalars(query))
    more = cursor_at(order, rows[limit - 1]) if len(rows) > limit else ""
    held = [row.claim_id for row in rows[:limit] if row.claim_id]
    claims = {c.petition_id: c for c in session.scalars(select(ClaimRow).where(ClaimRow.id.in_(held)))}
    return rows[:limit], claims, more
