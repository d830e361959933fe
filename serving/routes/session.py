"""Sign in, who am I, change the password, sign out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from serving import passwords
from serving.access import SignedCaller, session_of, signed_in_caller, unauthenticated
from serving.context import Ctx
from serving.roles import PERMISSIONS
from serving.schemas.accounts import ChangePasswordIn, SessionOut, SignInIn
from serving.signing import clear_cookie, set_cookie, sign_in
from serving.store import accounts
from serving.store.accounts import SignedIn

router = APIRouter(prefix="/v1/session", tags=["session"])

Signed = Annotated[SignedCaller, Depends(signed_in_caller)]


def describe(session: SignedIn) -> SessionOut:
    """Return a session as its owner sees it."""
    return SessionOut(
        name=session.name,
        display_name=session.actor.name,
        role=session.actor.role,
        permissions=[permission for permission in PERMISSIONS if session.actor.may(permission)],
        csrf=session.csrf,
        must_change_password=session.must_change_password,
    )


@router.post("", status_code=201, summary="登录")
def create(body: SignInIn, request: Request, context: Ctx, response: Response) -> SessionOut:
    """Open a session: the cookie holds it, unsafe requests also need `csrf` in the header X-CSRF-Token."""
    token = sign_in(request, context, name=body.name, password=body.password)
    session = session_of(context, token)
    if session is None:
        raise unauthenticated("登录已失效，请重试。")
    set_cookie(response, context, token)
    return describe(session)


@router.get("", summary="当前用户")
def read(caller: Signed) -> SessionOut:
    """Return who is signed in."""
    return describe(caller.session)


@router.put("/password", status_code=204, summary="修改口令")
def change_password(body: ChangePasswordIn, context: Ctx, caller: Signed) -> Response:
    """Change one's own password; all other sessions end."""
    with context.store.write() as session:
        accounts.change_password(
            session,
            caller.session.user_id,
            old=body.old,
            new=body.new,
            keep=passwords.digest(caller.token),
            min_chars=context.settings.min_password_chars,
        )
    return Response(status_code=204)


@router.delete("", status_code=204, summary="退出")
def delete(context: Ctx, caller: Signed) -> Response:
    """End the session."""
    with context.store.write() as session:
        accounts.sign_out(session, caller.token, actor=caller.session.actor)
    response = Response(status_code=204)
    clear_cookie(response, context)
    return response
