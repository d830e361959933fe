"""petition backup."""

from pathlib import Path
from typing import Annotated

import typer

from serving.commands.opening import read_settings
from serving.store import backup

app = typer.Typer(help="备份与恢复数据库。", no_args_is_help=True)


@app.command(help="在线备份：服务可以继续运行。")
def save(target: Annotated[Path, typer.Argument(help="备份文件，不得已存在。")]) -> None:
    """Copy the running database into a file."""
    backup.save(read_settings().database_url, target)
    typer.echo(f"已备份到 {target}")


@app.command(help="恢复到空的数据库；恢复后请运行 petition audit verify。")
def restore(source: Annotated[Path, typer.Argument(help="备份文件。")]) -> None:
    """Fill an empty database from a backup."""
    backup.restore(read_settings().database_url, source)
    typer.echo(f"已从 {source} 恢复，请运行 petition audit verify 校验。")
