"""Keys of other systems: drawn at random, kept as a hash, told apart by their prefix.

A system keeps its identity when its key is rotated: what it submitted stays its own.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving import passwords
from serving.errors import Problem
from serving.roles import ROLES, Actor, Role
from serving.store import audit
from serving.store.schema import ApiKeyRow

_SCHEME = "pk_"
PREFIX_CHARS = len(_SCHEME) + 8


def create(
    session: Session,
    *,
    name: str,
    role: str,
    expires_at: datetime | None,
    actor: Actor,
    now: datetime,
    acts_as: int | None = None,
) -> tuple[ApiKeyRow, str]:
    """Create a key, of a system of its own or of that of the key `acts_as`.

    Return its row and the key itself, which is shown this once. Raises 422.
    """
    if role not in ROLES:
        raise Problem(422, code="unknown_role", detail=f"没有角色 {role!r}；可用：{'、'.join(ROLES)}。")
    if expires_at is not None and expires_at <= now:
        raise Problem(422, code="already_expired", detail="到期时间须在将来。")
    key = _SCHEME + passwords.new_token()
    row = ApiKeyRow(
        acts_as=acts_as,
        name=name,
        prefix=key[:PREFIX_CHARS],
        digest=passwords.digest(key),
        role=role,
        created_by=actor.id,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    _record(session, actor, "key.created", row, role=role, acts_as=_identity(row))
    return row, key


def _identity(row: ApiKeyRow) -> str:
    return f"key:{row.acts_as or row.id}"


def _record(session: Session, actor: Actor, action: str, row: ApiKeyRow, **detail: object) -> None:
    audit.append(session, actor=actor, action=action, subject=f"key:{row.id}", detail={"prefix": row.prefix, **detail})


def everything(session: Session) -> list[ApiKeyRow]:
    """Return all keys, newest first."""
    return list(session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.id.desc())))


def _usable(session: Session, key_id: int, now: datetime) -> ApiKeyRow:
    row = session.get(ApiKeyRow, key_id, with_for_update=True)
    if row is None:
        raise Problem(404, code="no_key", detail="没有这个密钥。")
    if row.revoked_at is not None and row.revoked_at <= now:
        raise Problem(409, code="key_revoked", detail="这个密钥已作废。")
    return row


def rotate(session: Session, key_id: int, *, overlap: timedelta, actor: Actor, now: datetime) -> tuple[ApiKeyRow, str]:
    """Replace a key by a new one with its identity, name, role and end; the old one works on for `overlap`.

    Raises 404, and 409 for a revoked key.
    """
    old = _usable(session, key_id, now)
    old.revoked_at = now + overlap
    session.flush()
    return create(
        session,
        name=old.name,
        role=old.role,
        expires_at=old.expires_at,
        actor=actor,
        now=now,
        acts_as=old.acts_as or old.id,
    )


def revoke(session: Session, key_id: int, *, actor: Actor, now: datetime) -> ApiKeyRow:
    """End a key at once; raises 404, and 409 for a revoked key."""
    row = _usable(session, key_id, now)
    row.revoked_at = now
    session.flush()
    _record(session, actor, "key.revoked", row)
    return row


def actor_for(session: Session, key: str, *, now: datetime) -> Actor | None:
    """Return who the key belongs to, None where it is unknown, over or revoked."""
    if not key.startswith(_SCHEME):
        return None
    row = _find(session, key)
    if row is None or (row.expires_at and row.expires_at <= now) or (row.revoked_at and row.revoked_at <= now):
        return None
    role: Role = row.role  # type: ignore[assignment]  # checked by `create`
    return Actor(id=_identity(row), name=row.name, role=role)


def _find(session: Session, key: str) -> ApiKeyRow | None:
    return session.scalars(select(ApiKeyRow).where(ApiKeyRow.digest == passwords.digest(key))).first()


def use_is_stale(session: Session, key: str, *, now: datetime, noted_every: timedelta) -> bool:
    """Whether the last noted use of the key is older than `noted_every`."""
    row = _find(session, key)
    return row is not None and (row.used_at is None or row.used_at + noted_every <= now)


def note_use(session: Session, key: str, *, now: datetime) -> None:
    """Remember that the key was used."""
    row = _find(session, key)
    if row is not None:
        row.used_at = now
