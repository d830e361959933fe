"""petition knowledge."""

from pathlib import Path
from typing import Annotated

import typer

from nlp.knowledge import CERTAINTY, check_overlay, load_knowledge
from nlp.knowledge.loading import SECTIONS

app = typer.Typer(help="法律知识与本机关口径。", no_args_is_help=True)


@app.command(help="检查本机关的口径文件（YAML），一次报出全部错误；有错时退出码 2。")
def check(
    file: Annotated[Path, typer.Argument(help="口径文件，格式见 docs/knowledge.md。")],
) -> None:
    """Check an office's overlay; every fault is told at once."""
    typer.echo(check_overlay(file))


@app.command(help="显示法律知识的版本、条目数、可信度与存疑；给了口径文件时按其修改后的显示。")
def show(
    overlay: Annotated[Path | None, typer.Option(help="本机关的口径文件。")] = None,
) -> None:
    """Show edition, number of entries by certainty, and what is in doubt."""
    knowledge = load_knowledge(overlay)
    about = knowledge.about
    typer.echo(
        f"知识版本 {about.edition}，法条文本截至 {about.law_as_of}{f'，{knowledge.office}' * bool(knowledge.office)}"
    )
    typer.echo("\t".join(("条目", "合计", *CERTAINTY.values())))
    for section in SECTIONS:
        entries = getattr(knowledge, section)
        counts = [sum(entry.certainty == mark for entry in entries) for mark in CERTAINTY]
        typer.echo("\t".join((section, str(len(entries)), *map(str, counts))))
    typer.echo("存疑，使用前须核：")
    for number, doubt in enumerate(about.doubts, start=1):
        typer.echo(f"{number}. {doubt}")
