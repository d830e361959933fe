"""The record: who did what to what and when, each line chained to the one before by its hash.

What the chain shows: a changed, removed or inserted line. What it cannot show by itself: that the last lines
were cut off together; for that, note the head (`petition audit verify` prints it) and verify against it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from serving.roles import COMMAND_LINE, MACHINE, Actor
from serving.store.schema import ApiKeyRow, AuditRow, UserRow

GENESIS = "0" * 64
_LOCK = 7_205_760
_PAGE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainReport:
    """What a look at the whole record found: `fault` is empty where it is sound."""

    n_entries: int
    head: str
    fault: str = ""


def _digest(row: AuditRow) -> str:
    line = json.dumps(
        [row.seq, row.at.astimezone(UTC).isoformat(), row.actor, row.action, row.subject, row.detail],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(f"{row.previous}\n{line}".encode()).hexdigest()


def append(
    session: Session, *, actor: Actor, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> AuditRow:
    """Add a line. Call it last in a transaction: from here to the commit no other line can be written.

    So every other lock is taken before: who holds this one must not wait for somebody who waits for it.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    last = session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).first()
    row = AuditRow(
        seq=last.seq + 1 if last else 1,
        at=datetime.now(UTC),
        actor=actor.id,
        action=action,
        subject=subject,
        detail=dict(detail or {}),
        previous=last.hash if last else GENESIS,
    )
    row.hash = _digest(row)
    session.add(row)
    session.flush()
    return row


def verify(session: Session, *, known_head: str = "") -> ChainReport:
    """Read the whole record; `known_head` is a hash noted earlier that must still be in it."""
    previous, n_entries, seen = GENESIS, 0, not known_head
    for row in _everything(session):
        n_entries += 1
        fault = _fault(row, n_entries, previous)
        if fault:
            return ChainReport(n_entries=n_entries, head=previous, fault=fault)
        previous = row.hash
        seen = seen or row.hash == known_head
    fault = "" if seen else "先前记下的链头已不在记录中：末尾可能被截去或整链被替换"
    return ChainReport(n_entries=n_entries, head=previous, fault=fault)


def _everything(session: Session) -> Iterator[AuditRow]:
    after = -1
    while True:
        query = select(AuditRow).where(AuditRow.seq > after).order_by(AuditRow.seq).limit(_PAGE)
        rows = list(session.scalars(query))
        if not rows:
            return
        yield from rows
        after = rows[-1].seq
        session.expunge_all()


def _fault(row: AuditRow, expected_seq: int, previous: str) -> str:
    if row.seq != expected_seq:
        return f"第 {expected_seq} 条缺失"
    if row.previous != previous:
        return f"第 {row.seq} 条与前一条不衔接"
    if row.hash != _digest(row):
        return f"第 {row.seq} 条内容被改动"
    return ""


def history(session: Session, subject: str, *, limit: int = 500) -> list[AuditRow]:
    """Return the lines about `subject`, oldest first."""
    query = select(AuditRow).where(AuditRow.subject == subject).order_by(AuditRow.seq).limit(limit)
    return list(session.scalars(query))


def page(session: Session, *, before: int | None, limit: int, subject: str = "") -> list[AuditRow]:
    """Return up to `limit` lines, newest first, with a number below `before`, about `subject` if given."""
    query = select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit)
    if subject:
        query = query.where(AuditRow.subject == subject)
    if before is not None:
        query = query.where(AuditRow.seq < before)
    return list(session.scalars(query))


def actor_names(session: Session, actors: set[str]) -> dict[str, str]:
    """Return the names to show for actor ids such as `user:3`."""
    ids: dict[str, list[int]] = {"user": [], "key": []}
    for actor in actors:
        kind, _, number = actor.partition(":")
        if kind in ids and number.isdecimal():
            ids[kind].append(int(number))
    users = select(UserRow.id, UserRow.display_name).where(UserRow.id.in_(ids["user"]))
    keys = select(ApiKeyRow.id, ApiKeyRow.name).where(ApiKeyRow.id.in_(ids["key"]))
    return {
        MACHINE.id: MACHINE.name,
        COMMAND_LINE.id: COMMAND_LINE.name,
        **{f"user:{row.id}": row.display_name for row in session.execute(users)},
        **{f"key:{row.id}": row.name for row in session.execute(keys)},
    }
