"""Who asks, and whether they may: keys in the Authorization header, sessions in a cookie with a CSRF token."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from serving.context import Context, get_context
from serving.errors import Problem
from serving.roles import Actor, Permission
from serving.store import accounts, keys
from serving.store.accounts import SignedIn

COOKIE = "petition_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOTED_EVERY = timedelta(minutes=1)

ANONYMOUS = Actor(id="anonymous", name="未登录", role="service")


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who sent a request, and with which session, if any."""

    actor: Actor
    session: SignedIn | None = None
    token: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedCaller:
    """A person with a session."""

    session: SignedIn
    token: str


def unauthenticated(detail: str = "请登录，或在 Authorization 头中提供接口密钥。") -> Problem:
    """Return the 401 problem."""
    return Problem(401, code="not_signed_in", detail=detail, headers={"WWW-Authenticate": "Bearer"})


def client_address(request: Request) -> str:
    """Return where the request comes from, as far as the proxy is trusted."""
    return request.client.host if request.client else "unknown"


def refuse_cross_site(request: Request) -> None:
    """Raise the 403 problem where a browser says that another site sent the request."""
    origin = request.headers.get("origin", "")
    foreign = bool(origin) and urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign or request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        raise Problem(403, code="cross_site", detail="拒绝来自其他网站的请求。")


def check_csrf(session: SignedIn, given: str) -> None:
    """Raise the 403 problem unless `given` is the token of the session."""
    if not secrets.compare_digest(session.csrf.encode(), given.encode()):
        raise Problem(403, code="csrf_failed", detail="页面令牌缺失或过期，请刷新页面后重试。")


def identify(request: Request, context: Context) -> Caller | None:
    """Return who sent the request, None for nobody; raises 401 for a key that is not (or no longer) valid."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme:
        actor = _key_actor(context, key.strip()) if scheme.lower() == "bearer" else None
        if actor is None:
            raise unauthenticated("接口密钥无效、已过期或已作废。")
        return Caller(actor=actor)
    token = request.cookies.get(COOKIE, "")
    session = session_of(context, token) if token else None
    return Caller(actor=session.actor, session=session, token=token) if session else None


def _key_actor(context: Context, key: str) -> Actor | None:
    now = context.now()
    with context.store.read() as session:
        actor = keys.actor_for(session, key, now=now)
        stale = actor is not None and keys.use_is_stale(session, key, now=now, noted_every=_NOTED_EVERY)
    if stale:
        with context.store.write() as session:
            keys.note_use(session, key, now=now)
    return actor


def session_of(context: Context, token: str) -> SignedIn | None:
    """Return the valid session with this token, and note that it was used."""
    now = context.now()
    idle = timedelta(minutes=context.settings.session_idle_minutes)
    with context.store.read() as session:
        found = accounts.signed_in(session, token, now=now, idle=idle)
        seen = accounts.last_seen(session, token)
    if found and seen and seen + _NOTED_EVERY <= now:
        with context.store.write() as session:
            accounts.touch(session, token, now=now)
    return found


class Allowed:
    """A dependency that admits who has `permission` and hands over who it is.

    `open_by` names a setting that admits everybody. Raises 401, 403 and 429.
    """

    def __init__(
        self, permission: Permission, *, open_by: Literal["open_classify", "open_metrics"] | None = None
    ) -> None:
        """Admit `permission`."""
        self.permission = permission
        self._open_by = open_by

    async def __call__(self, request: Request) -> Actor:
        """Return who asks, if they may."""
        context = get_context(request)
        caller = await run_in_threadpool(identify, request, context)
        if caller is None:
            if self._open_by is None or not getattr(context.settings, self._open_by):
                raise unauthenticated()
            context.rates.request(client_address(request))
            return ANONYMOUS
        request.state.actor_id = caller.actor.id
        context.rates.request(caller.actor.id)
        check_session(request, caller)
        if not caller.actor.may(self.permission):
            raise Problem(403, code="forbidden", detail="您的角色不能进行此操作。")
        return caller.actor


def check_session(request: Request, caller: Caller) -> None:
    """Raise 403 where a session needs a CSRF token it did not bring, or a new password first."""
    if caller.session is None:
        return
    if request.method not in _SAFE:
        refuse_cross_site(request)
        check_csrf(caller.session, request.headers.get(CSRF_HEADER, ""))
    if caller.session.must_change_password:
        raise Problem(403, code="password_change_required", detail="请先修改初始口令。")


async def signed_in_caller(request: Request) -> SignedCaller:
    """Admit a signed-in person whatever the role, also one who must change the password first."""
    context = get_context(request)
    caller = await run_in_threadpool(identify, request, context)
    if caller is None or caller.session is None:
        raise unauthenticated("请先登录。")
    request.state.actor_id = caller.actor.id
    context.rates.request(caller.actor.id)
    if request.method not in _SAFE:
        refuse_cross_site(request)
        check_csrf(caller.session, request.headers.get(CSRF_HEADER, ""))
    return SignedCaller(session=caller.session, token=caller.token)
