"""Forgetting: old texts are removed, labels and times stay, so that statistics remain true."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from serving.roles import Actor
from serving.store import audit, fingerprints
from serving.store.schema import IdempotencyRow, PetitionRow, ReviewRow, SuggestionRow

_BATCH = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Purged:
    """How many petitions lost their text, and how many as old ones were kept because they are still open."""

    n_purged: int
    n_still_open: int


def purge(session: Session, *, older_than: datetime, actor: Actor, now: datetime) -> Purged:
    """Remove text, original, fingerprint, evidence, notes and the sender's number of closed petitions received before.

    What stays: labels, decisions, corrections, times, the record. A petition still in a queue is never touched.
    """
    old = (PetitionRow.received_at < older_than, PetitionRow.purged_at.is_(None))
    n_purged = 0
    while True:
        closed = select(PetitionRow.id).where(*old, PetitionRow.state != "queued").limit(_BATCH)
        ids = list(session.scalars(closed))
        if not ids:
            break
        _forget(session, ids, now)
        n_purged += len(ids)
    n_open = session.scalar(select(func.count()).select_from(PetitionRow).where(*old)) or 0
    detail = {"older_than": older_than.isoformat(), "purged": n_purged, "still_open": n_open}
    audit.append(session, actor=actor, action="petitions.purged", subject="petitions", detail=detail)
    return Purged(n_purged=n_purged, n_still_open=n_open)


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
