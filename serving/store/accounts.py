"""People who sign in: create, change, check a password, lock out, sessions."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from serving import passwords
from serving.errors import Problem
from serving.roles import ROLES, Actor, Role
from serving.store import audit
from serving.store.schema import SessionRow, UserRow

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """A valid session: who, the token its forms must carry, whether a new password is due."""

    actor: Actor
    user_id: int
    name: str
    csrf: str
    must_change_password: bool


def actor_of(user: UserRow) -> Actor:
    """Return the actor that `user` is."""
    return Actor(id=f"user:{user.id}", name=user.display_name, role=_role(user.role))


def _role(role: str) -> Role:
    if role not in ROLES:
        raise Problem(422, code="unknown_role", detail=f"没有角色 {role!r}；可用：{'、'.join(ROLES)}。")
    return role


def new_password() -> str:
    """Return a one-time password that can be read out."""
    return "-".join(secrets.token_hex(3) for _ in range(3))


def create(
    session: Session, *, name: str, display_name: str, role: str, actor: Actor, now: datetime
) -> tuple[UserRow, str]:
    """Create a user; return it with its one-time password, shown once and to be changed at first login.

    Raises 422 for a bad name or role, 409 for a name that is taken.
    """
    if not _NAME.fullmatch(name):
        raise Problem(422, code="bad_user_name", detail="用户名须为 2 至 40 位小写字母、数字、点、横线或下划线。")
    if role == "service":
        raise Problem(422, code="service_is_for_keys", detail="service 角色只用于接口密钥，不能登录。")
    if find(session, name) is not None:
        raise Problem(409, code="name_taken", detail="这个用户名已有人使用。")
    password = new_password()
    user = UserRow(
        name=name,
        display_name=display_name or name,
        role=_role(role),
        password_hash=passwords.hash_password(password),
        must_change_password=True,
        failed_logins=0,
        created_at=now,
    )
    session.add(user)
    session.flush()
    _record(session, actor, "user.created", user, role=role)
    return user, password


def create_first_admin(session: Session, *, actor: Actor, now: datetime) -> str | None:
    """Create `admin` where there is no user at all; return its one-time password, or None."""
    if session.scalar(select(func.count()).select_from(UserRow)):
        return None
    _, password = create(session, name="admin", display_name="管理员", role="admin", actor=actor, now=now)
    return password


def _record(session: Session, actor: Actor, action: str, user: UserRow, **detail: object) -> None:
    audit.append(session, actor=actor, action=action, subject=f"user:{user.id}", detail=detail)


def find(session: Session, name: str) -> UserRow | None:
    """Return the user with the login `name`."""
    return session.scalars(select(UserRow).where(UserRow.name == name)).first()


def get(session: Session, user_id: int) -> UserRow:
    """Return the user; raises the 404 problem."""
    user = session.get(UserRow, user_id, with_for_update=True)
    if user is None:
        raise Problem(404, code="no_user", detail="没有这个用户。")
    return user


def everyone(session: Session) -> list[UserRow]:
    """Return all users by name."""
    return list(session.scalars(select(UserRow).order_by(UserRow.name)))


def change(
    session: Session,
    user_id: int,
    *,
    actor: Actor,
    now: datetime,
    display_name: str | None = None,
    role: str | None = None,
    disabled: bool | None = None,
) -> UserRow:
    """Change what is given; a new role or disabling ends the user's sessions. Raises 404, 409, 422."""
    user = get(session, user_id)
    losing_admin = user.role == "admin" and (disabled or (role is not None and role != "admin"))
    if losing_admin and not _another_admin(session, user):
        raise Problem(409, code="last_admin", detail="至少要保留一名可用的管理员。")
    detail: dict[str, object] = {}
    if display_name is not None:
        user.display_name = detail["display_name"] = display_name
    if role is not None:
        if role == "service":
            raise Problem(422, code="service_is_for_keys", detail="service 角色只用于接口密钥，不能登录。")
        user.role = detail["role"] = _role(role)
    if disabled is not None:
        user.disabled_at, detail["disabled"] = (now if disabled else None), disabled
    if role is not None or disabled:
        end_sessions(session, user.id)
    session.flush()
    _record(session, actor, "user.changed", user, **detail)
    return user


def _another_admin(session: Session, user: UserRow) -> bool:
    others = select(func.count()).where(UserRow.role == "admin", UserRow.disabled_at.is_(None), UserRow.id != user.id)
    return bool(session.scalar(others.select_from(UserRow)))


def reset_password(session: Session, user_id: int, *, actor: Actor) -> tuple[UserRow, str]:
    """Give the user a one-time password, unlock the account and end its sessions; raises 404."""
    user = get(session, user_id)
    password = new_password()
    user.password_hash = passwords.hash_password(password)
    user.must_change_password, user.failed_logins, user.locked_until = True, 0, None
    end_sessions(session, user.id)
    session.flush()
    _record(session, actor, "user.password_reset", user)
    return user, password


def change_password(session: Session, user_id: int, *, old: str, new: str, keep: str, min_chars: int) -> None:
    """Replace a user's own password and end all sessions but the one with digest `keep`; raises 403, 422."""
    user = get(session, user_id)
    if not passwords.matches(old, user.password_hash):
        raise Problem(403, code="wrong_password", detail="原口令不对。")
    weak = passwords.weakness(new, name=user.name, min_chars=min_chars)
    if not weak and passwords.matches(new, user.password_hash):
        weak = "新口令不得与原口令相同。"
    if weak:
        raise Problem(422, code="weak_password", detail=weak)
    user.password_hash = passwords.hash_password(new)
    user.must_change_password = False
    session.execute(delete(SessionRow).where(SessionRow.user_id == user.id, SessionRow.digest != keep))
    session.flush()
    _record(session, actor_of(user), "user.password_changed", user)


def end_sessions(session: Session, user_id: int) -> None:
    """Sign the user out everywhere."""
    session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))


def sign_in(
    session: Session,
    *,
    name: str,
    password_ok: bool,
    now: datetime,
    max_failures: int,
    lockout: timedelta,
    lasts: timedelta,
) -> str | None:
    """Open a session and return its token, or count the failure and return None.

    `password_ok` was found out before the transaction, because argon2 is slow on purpose. A locked account
    stays locked even for the right password, and who asks is told no more than for a wrong one.
    """
    user = session.scalars(select(UserRow).where(UserRow.name == name).with_for_update()).first()
    if user is None or user.disabled_at is not None:
        return None
    if user.locked_until and user.locked_until > now:
        return None
    if not password_ok:
        user.failed_logins += 1
        if user.failed_logins >= max_failures:
            user.locked_until, user.failed_logins = now + lockout, 0
            session.flush()
            _record(session, actor_of(user), "user.locked", user)
        return None
    user.failed_logins, user.locked_until = 0, None
    token = passwords.new_token()
    session.add(
        SessionRow(
            digest=passwords.digest(token),
            user_id=user.id,
            csrf=passwords.new_token(),
            created_at=now,
            seen_at=now,
            expires_at=now + lasts,
        )
    )
    session.flush()
    _record(session, actor_of(user), "user.signed_in", user)
    return token


def signed_in(session: Session, token: str, *, now: datetime, idle: timedelta) -> SignedIn | None:
    """Return who the session with `token` belongs to, None where it is unknown, over, or idle too long."""
    row = session.get(SessionRow, passwords.digest(token))
    if row is None or row.expires_at <= now or row.seen_at + idle <= now:
        return None
    user = session.get(UserRow, row.user_id)
    if user is None or user.disabled_at is not None:
        return None
    return SignedIn(
        actor=actor_of(user),
        user_id=user.id,
        name=user.name,
        csrf=row.csrf,
        must_change_password=user.must_change_password,
    )


def touch(session: Session, token: str, *, now: datetime) -> None:
    """Note that the session was used."""
    row = session.get(SessionRow, passwords.digest(token))
    if row is not None:
        row.seen_at = now


def last_seen(session: Session, token: str) -> datetime | None:
    """Return when the session was last noted to be used."""
    row = session.get(SessionRow, passwords.digest(token))
    return row.seen_at if row else None


def sign_out(session: Session, token: str, *, actor: Actor) -> None:
    """End the session with `token`."""
    session.execute(delete(SessionRow).where(SessionRow.digest == passwords.digest(token)))
    audit.append(session, actor=actor, action="user.signed_out", subject=actor.id)


def forget_old_sessions(session: Session, *, now: datetime) -> None:
    """Remove sessions that are over."""
    session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
