"""What `petition classify --law` prints: the law beside a suggestion, for a person."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nlp.assessment import Assessment
from nlp.deadlines import Clock
from nlp.elements import ElementType
from nlp.knowledge import CERTAINTY
from nlp.petition import Petition
from nlp.taxonomy import Taxonomy
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


def show_law(assessment: Assessment, petition: Petition, *, taxonomy: Taxonomy, console: Console) -> None:
    """Print an assessment in Chinese; appeals and elements are quoted from `petition`."""
    content = petition.content
    appeals = assessment.appeals
    doubt = f"，疑有 {appeals.suspected} 个，请人工核对" if appeals.unsure else ""
    _heading(f"诉求 {appeals.count} 个{doubt}", console)
    for number, appeal in enumerate(appeals.items, start=1):
        words = "……".join(_one_line(content[slice(*span)]) for span in appeal.spans)
        unit = f"　可能部门：{taxonomy.name('department', appeal.department)}" if appeal.department else ""
        console.print(Text.assemble(f"  {number}. “{words}”", (unit, "dim")))
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
