"""petition key."""

from datetime import datetime, timedelta
from typing import Annotated

import typer
from cryptography.fernet import Fernet

from serving.commands.opening import opened_store
from serving.context import utc_now
from serving.law import CHINA, day_of
from serving.roles import COMMAND_LINE, ROLE_NAMES, ROLES
from serving.store import keys
from serving.store.schema import ApiKeyRow

app = typer.Typer(help="其他系统的接口密钥。", no_args_is_help=True)

_ROLES = "、".join(f"{role}（{ROLE_NAMES[role]}）" for role in ROLES)
KeyId = Annotated[int, typer.Argument(help="密钥编号，见 petition key list。")]


@app.command(help="新建密钥，只显示这一次。")
def add(
    name: Annotated[str, typer.Argument(help="给谁用，如 12345 热线平台。")],
    role: Annotated[str, typer.Option(help=_ROLES)] = "service",
    days: Annotated[int | None, typer.Option(min=1, help="多少天后到期；不填不到期。")] = None,
) -> None:
    """Create a key and show it this once."""
    now = utc_now()
    expires_at = now + timedelta(days=days) if days else None
    with opened_store() as store, store.write() as session:
        _, secret = keys.create(session, name=name, role=role, expires_at=expires_at, actor=COMMAND_LINE, now=now)
    typer.echo(secret)


@app.command("list", help="列出密钥。")
def list_keys() -> None:
    """List the keys without their secrets."""
    with opened_store() as store, store.read() as session:
        rows = keys.everything(session)
    now = utc_now()
    for row in rows:
        typer.echo(f"{row.id}\t{row.prefix}…\t{row.role}\t{_state(row, now)}\t{row.name}")


def _state(row: ApiKeyRow, now: datetime) -> str:
    if row.revoked_at is None:
        return f"{day_of(row.expires_at)}" if row.expires_at else "不到期"
    return "已作废" if row.revoked_at <= now else f"{row.revoked_at.astimezone(CHINA):%Y-%m-%d %H:%M} 作废"


@app.command(help="换新密钥，旧密钥在过渡期后作废。")
def rotate(key_id: KeyId, overlap_hours: Annotated[float, typer.Option(min=0, help="旧密钥再用几小时。")] = 24) -> None:
    """Replace a key and show the new one."""
    with opened_store() as store, store.write() as session:
        _, secret = keys.rotate(
            session, key_id, overlap=timedelta(hours=overlap_hours), actor=COMMAND_LINE, now=utc_now()
        )
    typer.echo(secret)


@app.command(help="立即作废密钥。")
def revoke(key_id: KeyId) -> None:
    """End a key at once."""
    with opened_store() as store, store.write() as session:
        keys.revoke(session, key_id, actor=COMMAND_LINE, now=utc_now())
    typer.echo(f"已作废 {key_id}")


@app.command(help="生成一个原文加密密钥，供 PETITION_ORIGINAL_KEY 使用。")
def fernet() -> None:
    """Print a fresh key for PETITION_ORIGINAL_KEY."""
    typer.echo(Fernet.generate_key().decode())
