"""petition classify."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nlp.decide import HEAD_NAMES, in_percent
from nlp.errors import TextError
from nlp.knowledge import CERTAINTY
from nlp.petition import Firing, Petition, RouteOption, Suggestion
from serving.commands.options import Bundle, ErrorBudget, KnowledgeOverlay, TaxonomyOverlay
from serving.schemas.suggestion import SuggestionOut
from serving.tables.encodings import decode

if TYPE_CHECKING:
    from nlp.router import Router

_N_SHOWN = 3
"""How many candidates of a head are shown, the best included."""

_WORTH_SHOWING = 0.01
"""Confidence below which another candidate is not mentioned."""


def classify(
    text: Annotated[str | None, typer.Argument(help="正文；不填则读 --file 或标准输入。")] = None,
    file: Annotated[Path | None, typer.Option(help="从文件读正文（UTF-8 或 GB18030）；- 为标准输入。")] = None,
    title: Annotated[str, typer.Option(help="标题。")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="输出 JSON，与接口 POST /v1/classify（--law 时 /v1/assess）相同。")
    ] = False,
    law: Annotated[bool, typer.Option("--law", help="并给出诉求、要素、缺失项、期限和转办层级。")] = False,
    received_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="收到之日，期限由此起算，默认今天。")
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(help="已知的日期，如 受理之日=2026-03-04 或 accepted=2026-03-04，可多次；名称见 docs/api.md。"),
    ] = None,
    bundle: Bundle = None,
    taxonomy_overlay: TaxonomyOverlay = None,
    knowledge_overlay: KnowledgeOverlay = None,
    error_budget: ErrorBudget = None,
) -> None:
    """Judge one petition."""
    petition = Petition(text=_read(text, file), title=_writable(title))
    days = _days(event or (), received_on=received_on)
    from nlp.router import Router  # the model's libraries load in seconds: not before they are needed

    router = Router.load(
        bundle, taxonomy_overlay=taxonomy_overlay, knowledge_overlay=knowledge_overlay, error_budget=error_budget
    )
    suggestion = router.suggest(petition)
    if law:
        _with_law(router, petition, suggestion, events=days, as_json=as_json)
    elif as_json:
        typer.echo(SuggestionOut.of(suggestion).model_dump_json(indent=2))
    else:
        show(suggestion, petition, console=Console())


def _with_law(
    router: "Router", petition: Petition, suggestion: Suggestion, *, events: Mapping[str, date], as_json: bool
) -> None:
    """Print a suggestion and the law beside it."""
    from nlp.assessment import assess
    from serving.commands.law import show_law
    from serving.schemas.law import AssessOut, LawOut

    assessment = assess(petition, suggestion, knowledge=router.knowledge, events=events)
    if as_json:
        told = SuggestionOut.of(suggestion)
        law = LawOut.of(assessment, answer=told.answer, knowledge=router.knowledge)
        typer.echo(AssessOut(suggestion=told, law=law).model_dump_json(indent=2))
        return
    console = Console()
    show(suggestion, petition, console=console)
    show_law(assessment, petition, suggestion, console=console)


def _days(given: Iterable[str], *, received_on: datetime | None) -> dict[str, date]:
    """Return the days by event, receipt included; today is the day in China."""
    from serving.context import utc_now
    from serving.events import events_from
    from serving.law import day_of

    pairs = [(name.strip(), day.strip() or "？") for name, _, day in (entry.partition("=") for entry in given)]
    return events_from(pairs, received_on=received_on.date() if received_on else day_of(utc_now()))


def show(suggestion: Suggestion, petition: Petition, *, console: Console) -> None:
    """Print a suggestion for a person; evidence is quoted from `petition`."""
    grid = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for head, prediction in suggestion.predictions.items():
        best, *others = prediction.candidates[:_N_SHOWN]
        grid.add_row(
            Text(HEAD_NAMES[head], style="bold"),
            Text(best.name),
            Text(in_percent(best.confidence)),
            Text(
                "、".join(f"{o.name} {o.confidence:.0%}" for o in others if o.confidence >= _WORTH_SHOWING), style="dim"
            ),
        )
    console.print(grid)
    for label, content in _particulars(suggestion):
        console.print(Text.assemble((f"{label}：", "bold"), content))
    for span in sorted({(evidence.start, evidence.end) for evidence in suggestion.evidence}):
        console.print(Text.assemble(("依据原文：", "bold"), f"“{petition.content[slice(*span)]}”"))
    if suggestion.decision.action == "auto":
        console.print(Text("结论：可直接采纳", style="bold green"))
    else:
        console.print(Text("结论：须人工审核", style="bold yellow"))
    for reason in suggestion.decision.reasons:
        console.print(Text(f"  · {reason.message}"))
    console.print(Text(f"模型 {suggestion.bundle_id}　分类体系 {suggestion.taxonomy_version}", style="dim"))


def _particulars(suggestion: Suggestion) -> list[tuple[str, str]]:
    """Return what there is to say beside the heads, as label and content."""
    masked = Counter(redaction.kind for redaction in suggestion.redactions)
    particulars = [
        ("法定依据", suggestion.legal_basis),
        ("也可走的途径", "；".join(f"{o.name}{_source(o)}" for o in suggestion.channel_alternatives)),
        ("协办部门", "、".join(unit.name for unit in suggestion.co_departments)),
        ("必须人工审核", "\n".join(f"{f.name}（{f.level}级）{_source(f)}{f.action}" for f in suggestion.firings)),
        ("已遮盖个人信息", "、".join(f"{kind} {n} 处" for kind, n in masked.items())),
    ]
    return [(label, content) for label, content in particulars if content]


def _source(item: RouteOption | Firing) -> str:
    """Return the article of an item and how sure we are of it."""
    return f"（{item.basis}，{CERTAINTY[item.certainty]}）"


def _read(text: str | None, file: Path | None) -> str:
    """Return the text from wherever it was given; raises TextError if that is nowhere or more than one place."""
    if text is not None and file is not None:
        raise TextError("正文与 --file 只能给一个")
    if text is not None:
        return _writable(text)
    if file is not None and str(file) != "-":
        try:
            return decode(file.read_bytes(), name=file.name)
        except OSError as error:
            raise TextError(f"读不了 {file}：{error.strerror}") from error
    if file is None and sys.stdin.isatty():
        raise TextError("没有正文：写在命令后、用 --file 指定文件，或从标准输入送入")
    return decode(sys.stdin.buffer.read(), name="标准输入")


def _writable(argument: str) -> str:
    """Return a command line argument without the stand-ins for bytes that are not in the terminal's encoding."""
    return argument.encode("utf-8", errors="replace").decode("utf-8")
