"""What `petition classify --law` prints: the law beside a suggestion, for a person."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nlp.appeals import Appeal
from nlp.assessment import Assessment
from nlp.deadlines import Clock
from nlp.decide import in_percent
from nlp.elements import ElementType
from nlp.knowledge import CERTAINTY
from nlp.petition import AppealAnswer, Petition, Suggestion
from serving.law import marks_of

ELEMENT_NAMES: dict[ElementType, str] = {
    "place": "事发地",
    "home_place": "户籍地",
    "time": "时间",
    "unit": "涉及单位",
    "amount": "金额",
    "people": "人数",
    "prior": "此前处理",
    "request": "诉求",
}


def show_law(assessment: Assessment, petition: Petition, suggestion: Suggestion, *, console: Console) -> None:
    """Print an assessment in Chinese; appeals and elements are quoted from `petition`."""
    content = petition.content
    appeals = assessment.appeals
    doubt = f"，疑有 {appeals.suspected} 个，请人工核对" if appeals.unsure else ""
    _heading(f"诉求 {appeals.count} 个{doubt}", console)
    shown: Sequence[Appeal | AppealAnswer] = suggestion.appeals or appeals.items
    for number, found in enumerate(shown, start=1):
        words = "……".join(_one_line(content[slice(*span)]) for span in found.spans)
        console.print(Text(f"  {number}. “{words}”"))
        if isinstance(found, AppealAnswer):
            _show_appeal(found, console)
    if suggestion.appeals:
        _show_offices(suggestion, console)
    _heading("要素", console)
    for kind, name in ELEMENT_NAMES.items():
        words = "、".join(f"“{_one_line(content[e.start : e.end])}”" for e in assessment.elements.of_type(kind))
        if words:
            console.print(Text(f"  {name}：{words}"))
    place = assessment.elements.jurisdiction
    console.print(
        Text(f"  问题属地：{''.join(place.names.values()) or '不明'}{f'（{place.code}）' if place.code else ''}")
    )
    _heading("还须登记，可这样问", console)
    for item in assessment.missing:
        source = f"　{item.basis}（{CERTAINTY[item.certainty]}）"
        console.print(Text.assemble(f"  {item.name}：{item.question}", (source, "dim")))
    _heading("期限", console)
    for situation in assessment.situations:
        advice = f"：{situation.advice}" if situation.advice else ""
        source = f"　{situation.basis}（{CERTAINTY[situation.certainty]}）"
        console.print(Text.assemble(f"  文中写明：{situation.name}{advice}", (source, "dim")))
    console.print(_clocks(assessment.clocks))
    transfer = assessment.transfer
    _heading("转办层级建议", console)
    console.print(Text(f"  {transfer.name}，由{transfer.by}交办：{'；'.join(transfer.reasons)}"))
    console.print(Text(f"  {transfer.basis}（{CERTAINTY[transfer.certainty]}）", style="dim"))


def _show_appeal(appeal: AppealAnswer, console: Console) -> None:
    """Print what is proposed for one of several appeals, and what a person must look at."""
    if appeal.predictions:
        said = {
            head: f"{prediction.best.name}（把握{in_percent(prediction.best.confidence)}）"
            for head, prediction in appeal.predictions.items()
        }
        console.print(Text(f"     可能部门：{said['department']}　{said['category_l2']}　{said['nature']}"))
        console.print(Text.assemble(f"     途径：{said['channel']}", (f"　{appeal.legal_basis}", "dim")))
        for option in appeal.channel_alternatives:
            source = f"　{option.basis}（{CERTAINTY[option.certainty]}）"
            console.print(Text.assemble(f"     也可走：{option.name}", (source, "dim")))
    for reason in appeal.reasons:
        console.print(Text(f"     · {reason.message}"))


def _show_offices(suggestion: Suggestion, console: Console) -> None:
    """Print who is proposed to lead and to assist over all appeals."""
    assisting = "、".join(unit.name for unit in suggestion.co_departments) or "无"
    lead = suggestion.predictions["department"].best.name
    apart, barred = "", ""
    if any(appeal.accusation for appeal in suggestion.appeals):
        apart, barred = "检举控告单独转送，其余诉求", "主办、协办都不得是被检举的单位，条例30条3款；"
    console.print(Text(f"  {apart}建议主办：{lead}　建议协办：{assisting}（{barred}由人核定）"))


def _heading(words: str, console: Console) -> None:
    console.print(Text(words, style="bold"))


def _clocks(clocks: tuple[Clock, ...]) -> Table:
    """Return the clocks as a table, those with a date first."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("  到期", "性质", "谁", "做什么", "期限", "依据"):
        table.add_column(name, overflow="fold")
    for clock in clocks:
        ends = f"{clock.ends_on}" if clock.ends_on else clock.note
        note = f"\n{clock.note}" if clock.ends_on and clock.note else ""
        note += "\n是否适用由人判断" if clock.conditional else ""
        cells = (
            f"  {ends}",
            "、".join(marks_of(clock.certainty, kind=clock.kind)),
            clock.who,
            clock.what,
            f"{clock.starts}起 {clock.length}{note}",
            f"{clock.basis}（{CERTAINTY[clock.certainty]}）",
        )
        table.add_row(*map(Text, cells))
    return table


def _one_line(words: str) -> str:
    return " ".join(words.split())
