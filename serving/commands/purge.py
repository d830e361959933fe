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
    older_than: Annotated[timedelta, typer.Option(parser=_age, metavar="天数", help="收到多少天以前的，如 365d。")],
    yes: Annotated[bool, typer.Option("--yes", help="不再询问。")] = False,
) -> None:
    """Forget old texts; see `serving.store.retention`."""
    if not yes:
        typer.confirm(f"清除 {older_than.days} 天以前收到的已办结件的文本，不可恢复。继续？", abort=True)
    now = utc_now()
    with opened_store() as store:
        done = retention.purge(store, older_than=now - older_than, actor=COMMAND_LINE, now=now)
    typer.echo(f"已清除 {done.n_purged} 件；另有 {done.n_still_open} 件仍在办，未动。")
