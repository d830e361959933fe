"""Letters to be drafted, on the wire."""

from typing import Annotated, Any

from pydantic import Field, StrictBool

from nlp.notices import Facts, NoticeCode, PersonDecision, Stage
from nlp.petition import Certainty, RouteOption
from serving.events import Day
from serving.schemas.base import Clean, Wire

Short = Annotated[Clean, Field(max_length=300)]
Long = Annotated[Clean, Field(max_length=4000)]


class OptionIn(Wire):
    """A channel open to the petitioner, as a suggestion lists it."""

    channel: Short
    name: Short
    basis: Short
    certainty: Certainty
    note: Long = ""
    effect: Long = ""
    to: Short = ""
    limit: Long = ""


class PersonDecisionIn(Wire):
    """What a person decided: who, when, on which article, why, and where to go instead."""

    decided_by: Short = Field(description="作出决定的人。")
    decided_on: Day = Field(examples=["2026-03-09"])
    basis: Short = Field(description="依据条款。", examples=["《信访工作条例》第十九条第三款"])
    reason: Long = Field(description="事由。")
    turn_to: Short = Field("", description="应向何处提出。")

    def record(self) -> PersonDecision:
        """Return the record the letters speak; raises NoticeError where a member is blank."""
        return PersonDecision(**self.model_dump())


class NoticeIn(Wire):
    """The facts of a letter: what is left out stays a blank."""

    petition: Annotated[Clean, Field(max_length=40)] | None = Field(
        None, description="系统内编号：在该件的办理经过中留痕，并核对文书与该件的途径、去向是否相合。"
    )
    stage: Stage = Field("handling", description="办理、复查或复核；受理告知单的期限和权利因此不同。")
    office: Short = Field("", examples=["某县信访局"])
    number: Short = ""
    petitioner: Short = ""
    source: Short = ""
    received_on: Day | None = Field(None, examples=["2026-03-02"])
    accepted_on: Day | None = None
    appeals: list[Long] = Field(default=[], max_length=50, examples=[["依法查处油烟直排"]])
    handler: Short = ""
    transfer_basis: Short = ""
    transferred_on: Day | None = None
    assigned: StrictBool | None = Field(None, description="true 交办，false 转送。")
    limit: Short = ""
    due_on: Day | None = None
    query: Short = ""
    contact: Short = ""
    options: list[OptionIn] = Field(default=[], max_length=20)
    higher_office: Short = ""
    signed_on: Day | None = None
    decision: PersonDecisionIn | None = Field(None, description="不予受理告知单必须有：由人作出的决定。")

    def facts(self) -> Facts:
        """Return the record the letters speak."""
        given: dict[str, Any] = self.model_dump(exclude={"petition", "decision", "options", "appeals"})
        return Facts(
            **given,
            appeals=tuple(self.appeals),
            options=tuple(RouteOption(**option.model_dump()) for option in self.options),
        )


class NoticeOut(Wire):
    """A draft: a page of HTML, the names of what was left blank, and what a person must check first."""

    code: NoticeCode
    title: str
    html: str
    blanks: list[str]
    warnings: list[str] = Field(description="送出前须由人核对的，如去向单位可能就是被检举的单位。")
