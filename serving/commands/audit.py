"""petition audit."""

from typing import Annotated

import typer

from serving.commands.opening import opened_store
from serving.store import audit

app = typer.Typer(help="审计记录。", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Make `verify` a sub-command although it is the only one."""


@app.command(help="校验审计链：任何一条被改、删、插都会发现。输出链头，请另处保存以便日后校验末尾未被截去。")
def verify(
    head: Annotated[str, typer.Option(help="先前记下的链头；校验它仍在记录中。")] = "",
) -> None:
    """Read the whole record and say whether it is unbroken; exit code 1 where it is not."""
    with opened_store() as store, store.read() as session:
        report = audit.verify(session, known_head=head)
    if report.fault:
        typer.echo(f"审计链有误：{report.fault}", err=True)
        raise typer.Exit(1)
    typer.echo(f"审计链完好：{report.n_entries} 条，链头 {report.head}")
