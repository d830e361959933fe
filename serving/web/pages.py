"""The pages and the forms that work without JavaScript: sign in, change the password, sign out."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from serving import passwords
from serving.access import COOKIE, check_csrf, refuse_cross_site
from serving.context import Ctx
from serving.errors import Problem
from serving.signing import clear_cookie, set_cookie, sign_in
from serving.store import accounts
from serving.store.accounts import SignedIn
from serving.web.rendering import render
from serving.web.visitors import newcomer, visitor

router = APIRouter(include_in_schema=False)

Visitor = Annotated[SignedIn, Depends(visitor)]
Newcomer = Annotated[SignedIn, Depends(newcomer)]
Text = Annotated[str, Form(max_length=256)]
_LOCAL_PATH = re.compile(r"/(?!/)[A-Za-z0-9/_.?=&%+-]{0,500}")


def local_path(path: str) -> str:
    """Return `path` where it is one of ours, else the desk: nobody is sent elsewhere after signing in."""
    return path if _LOCAL_PATH.fullmatch(path) else "/"


@router.get("/login")
async def login_page(request: Request, next_path: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Show the form to sign in."""
    return render(request, "login.html", visitor=None, next=local_path(next_path), fault="")


@router.post("/login")
async def login(
    request: Request,
    context: Ctx,
    name: Text,
    password: Text,
    next_path: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Sign in and go where the person wanted."""
    wanted = local_path(next_path)
    try:
        token = await run_in_threadpool(sign_in, request, context, name=name, password=password)
    except Problem as problem:
        if problem.status not in {401, 429}:
            raise
        page = render(request, "login.html", visitor=None, status=problem.status, next=wanted, fault=problem.detail)
        page.headers.update(problem.headers)
        return page
    response = RedirectResponse(wanted, status_code=303)
    set_cookie(response, context, token)
    return response


@router.get("/password")
async def password_page(request: Request, context: Ctx, who: Newcomer) -> Response:
    """Show the form to change one's password."""
    return render(
        request,
        "password.html",
        visitor=who,
        min_chars=context.settings.min_password_chars,
        fault="",
    )


@router.post("/password")
def change_password(
    request: Request, context: Ctx, who: Newcomer, old: Text, new: Text, again: Text, csrf: Text = ""
) -> Response:
    """Change the password and go to the desk, or say what is wrong with it."""
    refuse_cross_site(request)
    check_csrf(who, csrf)
    min_chars = context.settings.min_password_chars
    try:
        if new != again:
            raise Problem(422, code="passwords_differ", detail="两次输入的新口令不一致。")
        with context.store.write() as session:
            accounts.change_password(
                session,
                who.user_id,
                old=old,
                new=new,
                keep=passwords.digest(request.cookies[COOKIE]),
                min_chars=min_chars,
            )
    except Problem as problem:
        return render(
            request,
            "password.html",
            visitor=who,
            status=problem.status,
            min_chars=min_chars,
            fault=problem.detail,
        )
    return RedirectResponse("/", status_code=303)


@router.post("/logout")
def logout(request: Request, context: Ctx, who: Newcomer, csrf: Text = "") -> Response:
    """End the session."""
    refuse_cross_site(request)
    check_csrf(who, csrf)
    with context.store.write() as session:
        accounts.sign_out(session, request.cookies[COOKIE], actor=who.actor)
    response = RedirectResponse("/login", status_code=303)
    clear_cookie(response, context)
    return response


@router.get("/")
async def desk(request: Request, who: Visitor) -> Response:
    """Show the judge desk."""
    return render(request, "desk.html", visitor=who)
