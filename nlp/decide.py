"""Decide whether a clerk may accept the suggestion as it stands or a person must look, and say why.

A suggestion is `auto` only if nothing forbids it (must-review rules, several appeals, two open routes, a text too
short or unlike what the model knows) and the joint confidence of all needed heads clears a threshold chosen by risk
control (training/thresholds.py). Where no threshold met the error budget, the answer is always `review`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from nlp.calibrate import is_number
from nlp.petition import HEADS, Decision, Firing, Head, Prediction, Reason

HEAD_NAMES: Mapping[Head, str] = {
    "category_l1": "一级分类",
    "category_l2": "二级分类",
    "nature": "信访性质",
    "channel": "法定途径",
    "department": "责任部门",
}

UNSURE = ("low_confidence", "close_call")
"""Codes of the reasons that more confidence would remove."""

_FOUND_BY = {"rule": "涉及", "model": "模型疑似"}

CLOSE_CALL = 0.15
"""A lead of the best answer over the second below this is told as "two answers are close", not as "unsure"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """When a machine's suggestion may stand.

    `joint` is the least product of the needed heads' confidences; None means that no threshold met the error
    `budget` at `confidence_level`, so everything is reviewed; 0 asks for no confidence at all, which training needs and
    no bundle may say. `other_budgets` has the joint thresholds of the budgets that an office may choose instead, each
    by its budget as text ("0.05"). `per_head` says the same of each head alone, within `per_head_budget`. Raises
    ValueError if a value makes no sense.
    """

    budget: float
    confidence_level: float
    needed: tuple[Head, ...]
    joint: float | None
    per_head: Mapping[Head, float | None]
    min_characters: int
    min_known_share: float
    per_head_budget: float = 0.05
    other_budgets: Mapping[str, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("budget", "confidence_level", "per_head_budget"):
            if not (is_number(value := getattr(self, name)) and 0 < value < 1):
                raise ValueError(f"{name} must lie between 0 and 1, got {value!r}")
        if odd := [text for text in self.other_budgets if not 0 < float(text) < 1 or float(text) == self.budget]:
            raise ValueError(f"other_budgets must lie between 0 and 1 and differ from budget, got {', '.join(odd)}")
        if not self.needed or not set(self.needed) <= set(HEADS):
            raise ValueError(f"needed must name at least one of {', '.join(HEADS)}, got {self.needed!r}")
        if missing := [head for head in self.needed if head not in self.per_head]:
            raise ValueError(f"per_head lacks {', '.join(missing)}")
        for name, threshold in [("joint", self.joint), *self.per_head.items(), *self.other_budgets.items()]:
            if threshold is not None and not (is_number(threshold) and 0 <= threshold <= 1):
                raise ValueError(f"threshold {name} must lie between 0 and 1 or be null, got {threshold!r}")
        if not (is_number(self.min_characters) and self.min_characters >= 1):
            raise ValueError(f"min_characters must be at least 1, got {self.min_characters!r}")
        if not (is_number(self.min_known_share) and 0 <= self.min_known_share < 1):
            raise ValueError(f"min_known_share must lie between 0 and 1, got {self.min_known_share!r}")

    def within(self, budget: float) -> "Thresholds":
        """Return the same thresholds for another error budget; raises ValueError if none was prepared for it."""
        prepared = {f"{self.budget:g}": self.joint, **self.other_budgets}
        chosen = f"{budget:g}"
        if chosen not in prepared:
            raise ValueError(f"没有为差错预算 {chosen} 备采纳线，可选：{'、'.join(sorted(prepared, key=float))}")
        joint = prepared.pop(chosen)
        return replace(self, budget=budget, joint=joint, other_budgets=prepared)


def in_percent(confidence: float) -> str:
    """Write a confidence for people; however sure the model is, it is never told as certainty."""
    return ">99%" if confidence >= 0.995 else f"{confidence:.0%}"


def joint_confidence(predictions: Mapping[Head, Prediction], needed: Sequence[Head]) -> float:
    """Return the product of the best confidences of the `needed` heads."""
    return prod(predictions[head].best.confidence for head in needed)


def decide(
    predictions: Mapping[Head, Prediction],
    *,
    thresholds: Thresholds,
    n_characters: int,
    known_share: float,
    firings: Sequence[Firing] = (),
    further: Sequence[Reason] = (),
) -> Decision:
    """Weigh all reasons for a person's look; `further` are those of routing law and of several appeals."""
    reasons = [
        *_rule_reasons(firings),
        *further,
        *text_reasons(thresholds, n_characters=n_characters, known_share=known_share),
        *_confidence_reasons(predictions, thresholds),
    ]
    return Decision(action="review" if reasons else "auto", reasons=tuple(reasons))


def _rule_reasons(firings: Sequence[Firing]) -> list[Reason]:
    return [
        Reason(
            code="must_review",
            detail=firing.code,
            message=f"{_FOUND_BY[firing.source]}“{firing.name}”，须由人工审核（{firing.level}级）",
        )
        for firing in firings
    ]


def text_reasons(thresholds: Thresholds, *, n_characters: int, known_share: float) -> list[Reason]:
    """Say whether a text is too short or too unlike what the model knows to be judged by it."""
    if n_characters < thresholds.min_characters:
        return [
            Reason(
                code="too_short",
                message=f"内容过短（{n_characters}个汉字，至少需要{thresholds.min_characters}个），可退回补充",
            )
        ]
    if known_share < thresholds.min_known_share:
        return [Reason(code="out_of_distribution", message="文字与已学习的信访件差别很大（如外文、乱码、非诉求内容）")]
    return []


def _confidence_reasons(predictions: Mapping[Head, Prediction], thresholds: Thresholds) -> list[Reason]:
    if thresholds.joint is not None and joint_confidence(predictions, thresholds.needed) >= thresholds.joint:
        return []
    doubts = [_doubt(predictions[head], thresholds.per_head.get(head)) for head in thresholds.needed]
    found = [doubt for doubt in doubts if doubt]
    return found or [Reason(code="low_confidence", detail="joint", message="各项合在一起的把握不足")]


def _doubt(prediction: Prediction, threshold: float | None) -> Reason | None:
    best = prediction.best
    if threshold is not None and best.confidence >= threshold:
        return None
    name = HEAD_NAMES[prediction.head]
    second = prediction.candidates[1] if len(prediction.candidates) > 1 else None
    if second is not None and best.confidence - second.confidence < CLOSE_CALL:
        message = f"{name}：“{best.name}”与“{second.name}”接近，难以区分"
        return Reason(code="close_call", detail=prediction.head, message=message)
    return Reason(
        code="low_confidence",
        detail=prediction.head,
        message=f"{name}把握不足（{best.name}，{in_percent(best.confidence)}）",
    )
