"""Classify requests and suggestions on the wire."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field

from nlp.petition import AppealAnswer, Candidate, Head, Level, Petition, Reason, ReasonCode, RouteOption, Suggestion
from serving.schemas.base import Wire

Span = tuple[int, int]
"""Start and end, in Unicode code points."""

EXAMPLE_TEXT = "我们小区东门外的烧烤店每晚油烟直排，噪声到凌晨两点，向街道反映过一次没有结果，请依法查处。"


class PetitionIn(Wire):
    """One petition to be judged."""

    text: str = Field(description="正文，信访人的原话。", examples=[EXAMPLE_TEXT])
    title: str = Field("", max_length=1000, description="标题，可空。", examples=["烧烤店油烟噪声扰民"])
    id: str | None = Field(None, max_length=100, description="调用方自己的编号，原样返回。", examples=["2026-0001"])

    def petition(self) -> Petition:
        """Return the record the router speaks."""
        return Petition(text=self.text, title=self.title, id=self.id)


class ClassifyIn(Wire):
    """One petition (`text`) or several (`items`), never both."""

    text: str | None = Field(None, description="单件正文。", examples=[EXAMPLE_TEXT])
    title: str = Field("", max_length=1000, description="单件标题。")
    id: str | None = Field(None, max_length=100)
    items: list[PetitionIn] | None = Field(None, min_length=1, description="多件。")


class CandidateOut(Wire):
    """One possible answer of a head, with its calibrated confidence."""

    code: str
    name: str
    confidence: float = Field(ge=0, le=1)

    @classmethod
    def of(cls, candidate: Candidate) -> Self:
        """Render a candidate."""
        confidence = min(1.0, max(0.0, round(float(candidate.confidence), 4)))
        return cls(code=candidate.code, name=candidate.name, confidence=confidence)


class PredictionOut(CandidateOut):
    """What a head answers, and its other candidates, best first."""

    alternatives: list[CandidateOut]


class RouteOptionOut(Wire):
    """A legal channel that is open as well."""

    channel: str
    name: str
    basis: str
    certainty: str
    note: str
    effect: str
    to: str = Field("", description="向谁提出。")
    limit: str = Field("", description="选择前要知道的期限，写明条款。")

    @classmethod
    def of(cls, option: RouteOption) -> Self:
        """Render an option."""
        return cls(
            channel=option.channel, name=option.name, basis=option.basis,
            certainty=option.certainty, note=option.note, effect=option.effect, to=option.to, limit=option.limit,
        )  # fmt: skip


class FiringOut(Wire):
    """A must-review rule that found something, or that the model suspects to be met."""

    code: str
    level: Level
    name: str
    span: Span
    basis: str
    certainty: str
    action: str
    source: Literal["rule", "model"] = "rule"


class EvidenceOut(Wire):
    """A span that raised a head's answer by `weight`."""

    head: Head
    code: str
    span: Span
    weight: float


class ReasonOut(Wire):
    """Why a person must look."""

    code: ReasonCode
    detail: str
    key: str
    message: str

    @classmethod
    def of(cls, reason: Reason) -> Self:
        """Render a reason."""
        return cls(code=reason.code, detail=reason.detail, key=reason.key, message=reason.message)


class DecisionOut(Wire):
    """Whether the suggestion may be accepted as it stands."""

    action: Literal["auto", "review"]
    reasons: list[ReasonOut]


class RedactionOut(Wire):
    """A piece of personal data: its kind and place, never what it said."""

    kind: str
    span: Span


class AppealAnswerOut(Wire):
    """What the router says of one of several appeals, judged by itself; without predictions a person decides."""

    spans: list[Span]
    predictions: dict[Head, CandidateOut] = Field(description="字数太少、无从研判的为空，`reasons` 写明。")
    channel_alternatives: list[RouteOptionOut]
    legal_basis: str
    accusation: bool = Field(description="涉及检举控告公职人员：单独登记、单独转送，不得转给被检举的人或单位。")
    reasons: list[ReasonOut]

    @classmethod
    def of(cls, answer: AppealAnswer) -> Self:
        """Render `answer`; spans count in the original text."""
        return cls(
            spans=list(answer.spans),
            predictions={head: CandidateOut.of(prediction.best) for head, prediction in answer.predictions.items()},
            channel_alternatives=[RouteOptionOut.of(option) for option in answer.channel_alternatives],
            legal_basis=answer.legal_basis,
            accusation=answer.accusation,
            reasons=[ReasonOut.of(reason) for reason in answer.reasons],
        )


class AnswerOut(Wire):
    """The router's answer without the text; spans count in the text that goes with it."""

    predictions: dict[Head, PredictionOut]
    channel_alternatives: list[RouteOptionOut]
    legal_basis: str
    co_departments: list[CandidateOut]
    firings: list[FiringOut]
    evidence: list[EvidenceOut]
    decision: DecisionOut
    appeals: list[AppealAnswerOut] = Field(default=[], description="分出两个以上诉求时，逐个的研判；只有一个时为空。")
    bundle_id: str
    taxonomy_version: str

    @property
    def departments(self) -> frozenset[str]:
        """Codes of all departments that are proposed for the petition or for one of its appeals."""
        own = [answer.predictions["department"] for answer in self.appeals if answer.predictions]
        return frozenset(unit.code for unit in (self.predictions["department"], *self.co_departments, *own))

    @classmethod
    def of(cls, suggestion: Suggestion) -> Self:
        """Render `suggestion`; spans count in the original text."""
        return cls(
            predictions={
                head: PredictionOut(
                    **CandidateOut.of(prediction.best).model_dump(),
                    alternatives=[CandidateOut.of(other) for other in prediction.candidates[1:]],
                )
                for head, prediction in suggestion.predictions.items()
            },
            channel_alternatives=[RouteOptionOut.of(option) for option in suggestion.channel_alternatives],
            legal_basis=suggestion.legal_basis,
            co_departments=[CandidateOut.of(candidate) for candidate in suggestion.co_departments],
            firings=[
                FiringOut(
                    code=firing.code, level=firing.level, name=firing.name, span=(firing.start, firing.end),
                    basis=firing.basis, certainty=firing.certainty, action=firing.action, source=firing.source,
                )
                for firing in suggestion.firings
            ],
            evidence=[
                EvidenceOut(head=e.head, code=e.code, span=(e.start, e.end), weight=round(float(e.weight), 4))
                for e in suggestion.evidence
            ],
            decision=DecisionOut(
                action=suggestion.decision.action,
                reasons=[ReasonOut.of(reason) for reason in suggestion.decision.reasons],
            ),
            appeals=[AppealAnswerOut.of(answer) for answer in suggestion.appeals],
            bundle_id=suggestion.bundle_id,
            taxonomy_version=suggestion.taxonomy_version,
        )  # fmt: skip


class SuggestionOut(Wire):
    """One judged petition; all spans count in the original, title and text joined by a newline."""

    id: str | None
    answer: AnswerOut
    redactions: list[RedactionOut]
    masked_text: str = Field(description="What the model read: normalised, personal data replaced.")

    @classmethod
    def of(cls, suggestion: Suggestion) -> Self:
        """Render `suggestion`."""
        return cls(
            id=suggestion.petition_id,
            answer=AnswerOut.of(suggestion),
            redactions=[RedactionOut(kind=r.kind, span=(r.start, r.end)) for r in suggestion.redactions],
            masked_text=suggestion.masked_text,
        )


class ItemOut(Wire):
    """One of several: its suggestion, or why there is none."""

    id: str | None
    suggestion: SuggestionOut | None = None
    error: str | None = Field(default=None, description="Why this item cannot be judged.")


class ClassifyManyOut(Wire):
    """The answers to several petitions, in the order they were given."""

    items: Sequence[ItemOut]
