"""People and keys: for administrators."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from serving.access import Allowed
from serving.context import Ctx
from serving.roles import Actor
from serving.schemas.accounts import (
    KeyIn,
    KeyOut,
    KeysOut,
    NewKeyOut,
    NewUserOut,
    RotateIn,
    UserChangeIn,
    UserIn,
    UserOut,
    UsersOut,
)
from serving.store import accounts, keys
from serving.store.schema import ApiKeyRow, UserRow

router = APIRouter(prefix="/v1", tags=["accounts"])

Manager = Annotated[Actor, Depends(Allowed("manage_accounts"))]
Id = Annotated[int, Path(ge=1, le=2**31 - 1)]


def _user(row: UserRow) -> UserOut:
    return UserOut.model_validate({name: getattr(row, name) for name in UserOut.model_fields})


def _key(row: ApiKeyRow) -> KeyOut:
    return KeyOut.model_validate({name: getattr(row, name) for name in KeyOut.model_fields})


@router.get("/users", summary="用户")
def list_users(context: Ctx, _: Manager) -> UsersOut:
    """Return everybody with an account."""
    with context.store.read() as session:
        return UsersOut(items=[_user(row) for row in accounts.everyone(session)])


@router.post("/users", status_code=201, summary="新建用户")
def create_user(body: UserIn, context: Ctx, actor: Manager) -> NewUserOut:
    """Create an account with a one-time password, shown this once."""
    with context.store.write() as session:
        row, password = accounts.create(
            session,
            name=body.name,
            display_name=body.display_name,
            role=body.role,
            actor=actor,
            now=context.now(),
        )
    return NewUserOut(user=_user(row), one_time_password=password)


@router.patch("/users/{user_id}", summary="修改用户")
def change_user(user_id: Id, body: UserChangeIn, context: Ctx, actor: Manager) -> UserOut:
    """Change name, role or whether the account is usable; the last administrator stays one."""
    with context.store.write() as session:
        row = accounts.change(
            session,
            user_id,
            actor=actor,
            now=context.now(),
            display_name=body.display_name,
            role=body.role,
            disabled=body.disabled,
        )
    return _user(row)


@router.post("/users/{user_id}/reset-password", summary="重置口令")
def reset_password(user_id: Id, context: Ctx, actor: Manager) -> NewUserOut:
    """Give a new one-time password, unlock the account, end its sessions."""
    with context.store.write() as session:
        row, password = accounts.reset_password(session, user_id, actor=actor)
    return NewUserOut(user=_user(row), one_time_password=password)


@router.get("/keys", summary="接口密钥")
def list_keys(context: Ctx, _: Manager) -> KeysOut:
    """Return all keys, without their secrets."""
    with context.store.read() as session:
        return KeysOut(items=[_key(row) for row in keys.everything(session)])


@router.post("/keys", status_code=201, summary="新建密钥")
def create_key(body: KeyIn, context: Ctx, actor: Manager) -> NewKeyOut:
    """Create a key, shown this once."""
    with context.store.write() as session:
        row, secret = keys.create(
            session,
            name=body.name,
            role=body.role,
            expires_at=body.expires_at,
            actor=actor,
            now=context.now(),
        )
    return NewKeyOut(key=_key(row), secret=secret)


@router.post("/keys/{key_id}/rotate", status_code=201, summary="轮换密钥")
def rotate_key(key_id: Id, body: RotateIn, context: Ctx, actor: Manager) -> NewKeyOut:
    """Replace a key; the old one works on for a while."""
    overlap = timedelta(hours=body.overlap_hours)
    with context.store.write() as session:
        row, secret = keys.rotate(session, key_id, overlap=overlap, actor=actor, now=context.now())
    return NewKeyOut(key=_key(row), secret=secret)


@router.delete("/keys/{key_id}", summary="作废密钥")
def revoke_key(key_id: Id, context: Ctx, actor: Manager) -> KeyOut:
    """End a key at once."""
    with context.store.write() as session:
        row = keys.revoke(session, key_id, actor=actor, now=context.now())
    return _key(row)
