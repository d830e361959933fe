"""petition triage."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from serving.commands.options import Bundle, ErrorBudget, KnowledgeOverlay, TaxonomyOverlay
from serving.tables import Columns, find_columns, open_table

if TYPE_CHECKING:
    from serving.triage import Summary

_INTERRUPTED = 130
_N_DEPARTMENTS = 5
_USEFUL_WORKERS = 4
"""More threads than this only wait for each other: more than half of the work on a petition is done in Python."""


def triage(
    source: Annotated[Path, typer.Argument(metavar="IN", help="要研判的表：.csv、.xlsx 或 .jsonl。")],
    out: Annotated[Path, typer.Option("--out", help="结果表，格式由扩展名定。")],
    id_column: Annotated[str | None, typer.Option("--id", help="编号列的列名；不填则按常见名称查找。")] = None,
    title_column: Annotated[str | None, typer.Option("--title", help="标题列的列名；不填则按常见名称查找。")] = None,
    text_column: Annotated[str | None, typer.Option("--text", help="正文列的列名；不填则按常见名称查找。")] = None,
    sheet: Annotated[str | None, typer.Option(help="XLSX 的工作表，默认第一个可见的。")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="同时研判几件，默认等于处理器核数，至多 4。")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="接着上次中断处做。")] = False,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有结果，丢弃未完成的结果。")] = False,
    bundle: Bundle = None,
    taxonomy_overlay: TaxonomyOverlay = None,
    knowledge_overlay: KnowledgeOverlay = None,
    error_budget: ErrorBudget = None,
) -> None:
    """Judge every row of a table."""
    # The model's libraries load in seconds: not before they are needed.
    from nlp.router import Router
    from serving import triage as triaging

    messages = Console(stderr=True)
    triaging.check_paths(source, out, force=force)
    table = open_table(source, sheet=sheet)
    columns = find_columns(table.columns, id_column=id_column, title_column=title_column, text_column=text_column)
    job = triaging.Job(
        source=source,
        table=table,
        columns=columns,
        out=out,
        sheet=sheet,
        taxonomy_overlay=taxonomy_overlay,
        knowledge_overlay=knowledge_overlay,
    )
    _tell_reading(messages, columns, notice=table.notice)
    if force and not resume:
        job.partial.unlink(missing_ok=True)
    router = Router.load(
        bundle,
        taxonomy_overlay=taxonomy_overlay,
        knowledge_overlay=knowledge_overlay,
        error_budget=error_budget,
        n_threads=1,  # runs in the thread that asks, so that several can share it
    )
    workers = workers or min(os.cpu_count() or 1, _USEFUL_WORKERS)
    with _progress(messages) as progress:
        bar = progress.add_task("研判", total=table.n_rows)
        try:
            summary = triaging.triage(
                job, [router] * workers, resume=resume, on_row=lambda n: progress.update(bar, completed=n)
            )
        except KeyboardInterrupt:
            progress.stop()
            messages.print(f"已中断；完成的部分在 {job.partial}，加 --resume 接着做", markup=False)
            raise typer.Exit(_INTERRUPTED) from None
    names = {unit.code: unit.name for unit in router.taxonomy.departments}
    _print_summary(summary, names=names, out=out)


def _tell_reading(messages: Console, columns: Columns, *, notice: str) -> None:
    found = [("编号", columns.id), ("标题", columns.title), ("正文", columns.text)]
    messages.print("　".join(f"{role}：{name or '（无）'}" for role, name in found), markup=False)
    if notice:
        messages.print(f"注意：{notice}", markup=False)


def _progress(messages: Console) -> Progress:
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*parts, console=messages)


def _print_summary(summary: "Summary", *, names: Mapping[str, str], out: Path) -> None:
    n_errors = summary.errors.total()
    n_judged = summary.n_rows - n_errors
    share = f"（占已研判的 {summary.n_auto / n_judged:.0%}）" if n_judged else ""
    leading = summary.departments.most_common(_N_DEPARTMENTS)
    typer.echo(f"行数：{summary.n_rows}")
    typer.echo(f"可直接采纳：{summary.n_auto}{share}")
    typer.echo(f"须人工审核：{n_judged - summary.n_auto}")
    typer.echo(f"未能研判：{n_errors}" + "".join(f"　{code} {n}" for code, n in summary.errors.most_common()))
    typer.echo("主要部门：" + "、".join(f"{names.get(code, code)} {n}" for code, n in leading))
    typer.echo(f"结果：{out}")
