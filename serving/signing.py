"""Signing in and out, for the API and the pages alike."""

from datetime import timedelta

from fastapi import Request, Response

from serving import passwords
from serving.access import COOKIE, client_address, refuse_cross_site
from serving.context import Context
from serving.errors import Problem
from serving.store import accounts


def sign_in(request: Request, context: Context, *, name: str, password: str) -> str:
    """Return the token of a new session; raises 401, and 429 for too many attempts from one address.

    An unknown name, a wrong password and a locked account get the same answer in the same time.
    """
    refuse_cross_site(request)
    context.rates.login(client_address(request))
    settings = context.settings
    with context.store.read() as session:
        user = accounts.find(session, name)
    password_ok = passwords.matches(password, user.password_hash if user else None)
    with context.store.write() as session:
        token = accounts.sign_in(
            session,
            name=name,
            password_ok=password_ok,
            now=context.now(),
            max_failures=settings.max_login_failures,
            lockout=timedelta(minutes=settings.lockout_minutes),
            lasts=timedelta(hours=settings.session_hours),
        )
    if token is None:
        raise Problem(
            401,
            code="sign_in_failed",
            detail="用户名或口令不对，或账号暂时锁定。",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return token


def set_cookie(response: Response, context: Context, token: str) -> None:
    """Give the browser the session."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(context.settings.session_hours * 3600),
        httponly=True,
        secure=context.settings.secure_cookies,
        samesite="strict",
    )


def clear_cookie(response: Response, context: Context) -> None:
    """Take the session from the browser."""
    response.delete_cookie(COOKIE, httponly=True, secure=context.settings.secure_cookies, samesite="strict")
