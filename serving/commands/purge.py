"""petition purge."""

import re
from datetime import timedelta
from typing import Annotated

import typer

from serving.commands.opening import opened_store
from serving.context import utc_now
from serving.roles import COMMAND_LINE
from serving.store import retention


def _age(value: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})d?", value)
    if not found:
        raise typer.BadParameter(f"{value!r} 不是天数；写作 365 或 365d")
    return timedelta(days=int(found[1]))


def purge(
    older_than: Annotated[
        timedelta | None, typer.Option(parser=_age, metavar="天数", help="收到多少天以前的，如 365d。")
    ] = None,
    petition: Annotated[
        str | None, typer.Option(metavar="编号", help="只清这一件，不论新旧；涉密、检举控告等依规不留正文的件用。")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问。")] = False,
) -> None:
    """Forget old texts or that of one petition; see `serving.store.retention`."""
    now = utc_now()
    if petition is not None and older_than is None:
        _confirm(f"清除 {petition} 的文本", yes=yes)
        with opened_store() as store:
            retention.purge_one(store, petition, actor=COMMAND_LINE, now=now)
        typer.echo(f"已清除 {petition} 的文本；备份里的不会因此消失。")
    elif older_than is not None and petition is None:
        _confirm(f"清除 {older_than.days} 天以前收到的已办结件的文本", yes=yes)
        with opened_store() as store:
            done = retention.purge(store, older_than=now - older_than, actor=COMMAND_LINE, now=now)
        typer.echo(f"已清除 {done.n_purged} 件；另有 {done.n_still_open} 件仍在办，未动。")
    else:
        raise typer.BadParameter("--older-than 与 --petition 须给一个，只能给一个")


def _confirm(what: str, *, yes: bool) -> None:
    if not yes:
        typer.confirm(f"{what}，不可恢复。继续？", abort=True)
