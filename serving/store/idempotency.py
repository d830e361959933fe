"""The same key twice gives the same answer; the same key with another body is refused."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from serving.errors import Problem
from serving.roles import Actor
from serving.store.schema import IdempotencyRow


def answered(session: Session, *, actor: Actor, key: str, body_hash: str) -> dict[str, Any] | None:
    """Return the answer given for `key` before, or None; raises the 422 problem for another body."""
    row = session.get(IdempotencyRow, (actor.id, key))
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise Problem(422, code="idempotency_key_reused", detail="这个 Idempotency-Key 已用于另一份内容。")
    return row.answer


def remember(
    session: Session,
    *,
    actor: Actor,
    key: str,
    body_hash: str,
    petition_id: str,
    answer: dict[str, Any],
    now: datetime,
) -> None:
    """Keep the answer; raises sqlalchemy's IntegrityError where another request was faster with this key."""
    session.add(
        IdempotencyRow(
            actor=actor.id,
            key=key,
            body_hash=body_hash,
            petition_id=petition_id,
            answer=answer,
            created_at=now,
        )
    )
    session.flush()


def forget(session: Session, *, before: datetime) -> None:
    """Remove keys older than `before`: nobody repeats a request that late."""
    session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < before))
