"""Forgetting: texts are removed for their age or one by one, labels and times stay, so that statistics remain true."""

import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from nlp.errors import PetitionError
from serving.roles import Actor
from serving.store import audit, fingerprints
from serving.store.engine import Store
from serving.store.schema import IdempotencyRow, PetitionRow, ReviewRow, SuggestionRow

_BATCH = 500
_PAUSE_SECONDS = 0.2
"""Between batches: a writer that waits for SQLite looks every 0.1 s whether it is free, and must find it so."""


class RetentionError(PetitionError):
    """A petition that was to be purged is not there, still open, or purged already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Purged:
    """How many petitions lost their text, and how many as old ones were kept because they are still open."""

    n_purged: int
    n_still_open: int


def purge(store: Store, *, older_than: datetime, actor: Actor, now: datetime) -> Purged:
    """Remove text, original, fingerprint, evidence, notes and the sender's number of closed petitions received before.

    What stays: labels, decisions, corrections, times, the record. A petition still in a queue is never touched.
    Each batch is a transaction of its own, with its line in the record, so that a server at work need not wait.
    """
    n_purged = 0
    while True:
        with store.write() as session:
            batch = _purge_batch(session, older_than=older_than, actor=actor, now=now)
        n_purged += batch.n_purged
        if batch.n_purged < _BATCH:
            return Purged(n_purged=n_purged, n_still_open=batch.n_still_open)
        time.sleep(_PAUSE_SECONDS)


def purge_one(store: Store, petition_id: str, *, actor: Actor, now: datetime) -> None:
    """Remove the same of one closed petition, however new, where the law wants no text kept; leaves its own line.

    Raises RetentionError if there is no such petition, if it is still in a queue, or if it was purged before.
    """
    with store.write() as session:
        petition = session.get(PetitionRow, petition_id, with_for_update=True)
        if petition is None:
            raise RetentionError(f"没有编号为 {petition_id!r} 的信访件；编号形如 P260302-2E0626B8QQ，见详情页")
        if petition.state == "queued":
            raise RetentionError(f"{petition_id} 还在办，未动；先在研判台办结（如转由专人办理），再清除")
        if petition.purged_at is not None:
            raise RetentionError(f"{petition_id} 的正文已在 {petition.purged_at:%Y-%m-%d} 清除")
        _forget(session, [petition_id], now)
        audit.append(session, actor=actor, action="petition.purged", subject=f"petition:{petition_id}")


def _purge_batch(session: Session, *, older_than: datetime, actor: Actor, now: datetime) -> Purged:
    old = (PetitionRow.received_at < older_than, PetitionRow.purged_at.is_(None))
    closed = select(PetitionRow.id).where(*old, PetitionRow.state != "queued").order_by(PetitionRow.id)
    ids = list(session.scalars(closed.limit(_BATCH).with_for_update()))
    _forget(session, ids, now)
    n_open = session.scalar(select(func.count()).where(*old, PetitionRow.state == "queued")) or 0
    detail = {"older_than": older_than.isoformat(), "purged": len(ids), "still_open": n_open}
    audit.append(session, actor=actor, action="petitions.purged", subject="petitions", detail=detail)
    return Purged(n_purged=len(ids), n_still_open=n_open)


def _forget(session: Session, ids: list[str], now: datetime) -> None:
    session.execute(delete(IdempotencyRow).where(IdempotencyRow.petition_id.in_(ids)))
    fingerprints.forget(session, ids)
    session.execute(
        update(PetitionRow)
        .where(PetitionRow.id.in_(ids))
        .values(content="", title_length=0, redactions=[], sealed=None, external_id=None, purged_at=now,
                version=PetitionRow.version + 1)
    )  # fmt: skip
    session.execute(update(ReviewRow).where(ReviewRow.petition_id.in_(ids)).values(note=""))
    for suggestion in session.scalars(select(SuggestionRow).where(SuggestionRow.petition_id.in_(ids))):
        firings = [{**firing, "span": [0, 0]} for firing in suggestion.answer["firings"]]
        suggestion.answer = {**suggestion.answer, "evidence": [], "firings": firings}
    session.flush()
