"""The law beside a suggestion, and what is known of the law, on the wire."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool, StrictInt

from nlp.appeals import Appeals
from nlp.assessment import Assessment
from nlp.deadlines import Clock, TransferProposal
from nlp.elements import Element, ElementType, Jurisdiction
from nlp.knowledge import Knowledge, RegistrationItem, Situation
from nlp.knowledge.records import DeadlineKind
from nlp.petition import Certainty, Petition
from serving.events import GIVEN, Day
from serving.law import marks_of
from serving.schemas.base import Clean, Wire
from serving.schemas.suggestion import EXAMPLE_TEXT, AnswerOut, AppealAnswerOut, Span, SuggestionOut


class AssessIn(Wire):
    """One petition, and what the office knows of it beside the text."""

    text: Clean = Field(description="正文，信访人的原话。", examples=[EXAMPLE_TEXT])
    title: Clean = Field("", max_length=1000, description="标题，可空。", examples=["烧烤店油烟噪声扰民"])
    id: str | None = Field(None, max_length=100, description="调用方自己的编号，原样返回。")
    received_on: Day | None = Field(None, description="收到之日，默认今天。", examples=["2026-03-02"])
    events: dict[Annotated[Clean, Field(max_length=60)], Annotated[Clean, Field(max_length=40)]] = Field(
        default={},
        max_length=len(GIVEN),
        description="已知的其他日期，期限由此起算："
        + "、".join(f"{event} {name}" for event, name in GIVEN.items())
        + "。转送、交办、受理不得早于收到之日。",
        examples=[{"accepted": "2026-03-04"}],
    )
    receiver: Literal["petition_bureau", "unit"] = Field(
        "petition_bureau", description="收到的是信访部门，还是其他机关、单位。"
    )
    known: list[Annotated[Clean, Field(max_length=60)]] = Field(
        default=[], max_length=100, description="登记表已有的要素代码，不再提示缺失。", examples=[["name", "contact"]]
    )
    n_times: StrictInt = Field(1, ge=1, le=10_000, description="同一人同一事项第几次提出，含本次。")
    previous_closed: StrictBool = Field(False, description="前一次是否已办结。")

    def petition(self) -> Petition:
        """Return the record the router speaks."""
        return Petition(text=self.text, title=self.title, id=self.id)


class SourcedOut(Wire):
    """What every item of law carries: the article, how sure we are of it, and the marks to show."""

    basis: str
    certainty: Certainty
    marks: list[str] = Field(description="法定、其他程序、本地做法、未核实；空为已核。")


class AppealOut(SourcedOut):
    """One appeal: where it stands, and the department the model proposes for it (empty for none).

    `judged` is what was said of the appeal by itself; null where it is the only one and the whole answer holds, and in
    petitions kept before appeals were judged one by one.
    """

    spans: list[Span]
    department: str
    department_name: str
    judged: AppealAnswerOut | None


class AppealsOut(Wire):
    """The appeals in text order; `unsure` asks a person to look, `suspected` is how many there may be."""

    items: list[AppealOut]
    unsure: bool
    suspected: int


class ElementOut(SourcedOut):
    """A registration element found in the text; the basis is that of the registration item it fills."""

    type: ElementType
    span: Span
    kind: str
    level: str
    value: float | None


class JurisdictionOut(SourcedOut):
    """Where the problem lies, as far as the text tells: names by level, division code, candidates when in doubt."""

    names: dict[str, str]
    code: str
    candidates: list[str]


class MissingOut(SourcedOut):
    """A registration item that is missing, with the question that asks for it."""

    code: str
    name: str
    group: Literal["petitioner", "matter", "history"]
    required: bool
    question: str


class SituationOut(SourcedOut):
    """Something the text says has happened, on which time limits were listed or left out; `advice` may be empty."""

    code: str
    name: str
    advice: str

    @classmethod
    def of(cls, situation: Situation) -> Self:
        """Render a situation."""
        return cls(
            code=situation.code, name=situation.name, advice=situation.advice,
            basis=situation.basis, certainty=situation.certainty, marks=marks_of(situation.certainty),
        )  # fmt: skip


class ClockOut(SourcedOut):
    """A time limit that runs or may run; without `ends_on` the `note` says why."""

    code: str
    kind: DeadlineKind
    who: str
    what: str
    starts: str
    starts_on: date | None
    length: str
    ends_on: date | None
    note: str
    conditional: bool = Field(description="是否适用由人判断，如适用简易办理、属信息公开申请。")

    @classmethod
    def of(cls, clock: Clock) -> Self:
        """Render a clock."""
        return cls(
            code=clock.code, kind=clock.kind, who=clock.who, what=clock.what, starts=clock.starts,
            starts_on=clock.starts_on, length=clock.length, ends_on=clock.ends_on, note=clock.note,
            conditional=clock.conditional,
            basis=clock.basis, certainty=clock.certainty, marks=marks_of(clock.certainty, kind=clock.kind),
        )  # fmt: skip


class TransferOut(SourcedOut):
    """By whom the petition should be assigned on: a proposal with its reasons."""

    level: str
    name: str
    by: str
    reasons: list[str]

    @classmethod
    def of(cls, proposal: TransferProposal) -> Self:
        """Render a proposal."""
        return cls(
            level=proposal.level, name=proposal.name, by=proposal.by, reasons=list(proposal.reasons),
            basis=proposal.basis, certainty=proposal.certainty, marks=marks_of(proposal.certainty),
        )  # fmt: skip


class LawOut(Wire):
    """The law of one petition; spans count in the text that goes with it."""

    appeals: AppealsOut
    elements: list[ElementOut]
    jurisdiction: JurisdictionOut
    missing: list[MissingOut]
    situations: list[SituationOut]
    clocks: list[ClockOut]
    transfer: TransferOut
    edition: str
    law_as_of: str
    office: str

    @classmethod
    def of(cls, assessment: Assessment, *, answer: AnswerOut, knowledge: Knowledge) -> Self:
        """Render an assessment made with `knowledge` of a petition answered with `answer`, whose spans go with it."""
        items = {item.code: item for item in knowledge.registration}
        return cls(
            appeals=_appeals(assessment.appeals, answer, items),
            elements=[_element(element, items) for element in assessment.elements.found],
            jurisdiction=_jurisdiction(assessment.elements.jurisdiction, items),
            missing=[_missing(item) for item in assessment.missing],
            situations=[SituationOut.of(situation) for situation in assessment.situations],
            clocks=[ClockOut.of(clock) for clock in assessment.clocks],
            transfer=TransferOut.of(assessment.transfer),
            edition=knowledge.about.edition,
            law_as_of=knowledge.about.law_as_of,
            office=knowledge.office,
        )


class AssessOut(Wire):
    """A suggestion as POST /v1/classify gives it, and the law beside it; spans count in the original."""

    suggestion: SuggestionOut
    law: LawOut


class KnowledgeOut(Wire):
    """Which knowledge serves: edition, state of the law, how much of what, what is still in doubt."""

    edition: str
    law_as_of: str
    office: str = Field(description="使用了本机关口径文件的，机关名称；否则为空。")
    n_entries: dict[str, int]
    n_by_certainty: dict[Certainty, int]
    doubts: list[str]


_ITEM_OF: Mapping[ElementType, str] = {
    "place": "problem_place", "home_place": "household_place", "time": "event_time", "unit": "reflected_party",
    "amount": "amount", "people": "people_count", "prior": "prior_handling", "request": "request",
}  # fmt: skip
"""Which registration item an element fills."""

_Items = Mapping[str, RegistrationItem]


def _appeals(appeals: Appeals, answer: AnswerOut, items: _Items) -> AppealsOut:
    """Render the appeals; that each must be registered and answered is the law of the item `request`.

    Those that the router answered are the ones to show; a later version of the splitter may see others in a kept text.
    """
    found: list[tuple[list[Span], AppealAnswerOut | None]] = [(list(appeal.spans), None) for appeal in appeals.items]
    if answer.appeals:
        found = [(judged.spans, judged) for judged in answer.appeals]
    rendered = []
    for spans, judged in found:
        said = judged.predictions if judged else answer.predictions if len(found) == 1 else {}
        department = said.get("department")
        rendered.append(
            AppealOut(
                spans=spans,
                department=department.code if department else "",
                department_name=department.name if department else "",
                judged=judged,
                **_sourced(items, "request"),
            )
        )
    return AppealsOut(items=rendered, unsure=appeals.unsure, suspected=max(len(found), appeals.suspected))


def _element(element: Element, items: _Items) -> ElementOut:
    return ElementOut(
        type=element.type, span=(element.start, element.end), kind=element.kind, level=element.level,
        value=element.value, **_sourced(items, _ITEM_OF[element.type]),
    )  # fmt: skip


def _jurisdiction(place: Jurisdiction, items: _Items) -> JurisdictionOut:
    return JurisdictionOut(
        names={str(level): name for level, name in place.names.items()},
        code=place.code,
        candidates=list(place.candidates),
        **_sourced(items, "problem_place"),
    )


def _missing(item: RegistrationItem) -> MissingOut:
    return MissingOut(
        code=item.code, name=item.name, group=item.group, required=item.required, question=item.question,
        **_source(item.basis, item.certainty),
    )  # fmt: skip


def _sourced(items: _Items, code: str) -> dict[str, Any]:
    """Return the source of registration item `code`; what an office switched off there rests on inference."""
    item = items.get(code)
    return _source(item.basis, item.certainty) if item else _source("本机关登记项目中没有此项", "inferred")


def _source(basis: str, certainty: Certainty) -> dict[str, Any]:
    return {"basis": basis, "certainty": certainty, "marks": marks_of(certainty)}
