"""petition user."""

from typing import Annotated

import typer

from serving.commands.opening import opened_store
from serving.context import utc_now
from serving.errors import Problem
from serving.roles import COMMAND_LINE, ROLE_NAMES, ROLES
from serving.store import accounts
from serving.store.engine import Store

app = typer.Typer(help="登录用户。", no_args_is_help=True)

_ROLES = "、".join(f"{role}（{ROLE_NAMES[role]}）" for role in ROLES if role != "service")
Name = Annotated[str, typer.Argument(help="用户名。")]


def _id(store: Store, name: str) -> int:
    with store.read() as session:
        user = accounts.find(session, name)
    if user is None:
        raise Problem(404, code="no_user", detail=f"没有用户 {name!r}。")
    return user.id


@app.command(help="新建用户，显示一次性口令。")
def add(
    name: Name,
    role: Annotated[str, typer.Option(help=_ROLES)],
    display_name: Annotated[str, typer.Option(help="显示的姓名。")] = "",
) -> None:
    """Create an account and show its one-time password."""
    with opened_store() as store, store.write() as session:
        _, password = accounts.create(
            session, name=name, display_name=display_name, role=role, actor=COMMAND_LINE, now=utc_now()
        )
    typer.echo(f"一次性口令（首次登录须改）：{password}")


@app.command("list", help="列出用户。")
def list_users() -> None:
    """List the accounts."""
    with opened_store() as store, store.read() as session:
        users = accounts.everyone(session)
    for user in users:
        typer.echo(f"{user.name}\t{user.role}\t{'停用' if user.disabled_at else '可用'}\t{user.display_name}")


@app.command("reset-password", help="重置口令并解锁，显示一次性口令；该用户的登录全部失效。")
def reset_password(name: Name) -> None:
    """Show a new one-time password, unlock the account, end its sessions."""
    with opened_store() as store:
        user_id = _id(store, name)
        with store.write() as session:
            _, password = accounts.reset_password(session, user_id, actor=COMMAND_LINE)
    typer.echo(f"一次性口令（首次登录须改）：{password}")


@app.command(help="停用用户；最后一名管理员不能停用。")
def disable(name: Name) -> None:
    """Make an account unusable."""
    _change(name, disabled=True)
    typer.echo(f"已停用 {name}")


@app.command(help="恢复用户。")
def enable(name: Name) -> None:
    """Make an account usable again."""
    _change(name, disabled=False)
    typer.echo(f"已恢复 {name}")


def _change(name: str, *, disabled: bool) -> None:
    with opened_store() as store:
        user_id = _id(store, name)
        with store.write() as session:
            accounts.change(session, user_id, actor=COMMAND_LINE, now=utc_now(), disabled=disabled)
