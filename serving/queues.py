"""Which queue a petition waits in, and in what order: by reason, then level, statutory time, uncertainty."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from serving.schemas.suggestion import AnswerOut

Queue = Literal[
    "must_review",
    "several_appeals",
    "out_of_distribution",
    "too_short",
    "channel_in_doubt",
    "department_in_doubt",
    "category_in_doubt",
    "audit_sample",
]
QUEUES: tuple[Queue, ...] = get_args(Queue)
"""The queues, the one that wins first where a petition has several reasons."""

QUEUE_NAMES: dict[Queue, str] = {
    "must_review": "必须人工审核",
    "several_appeals": "一件多诉",
    "out_of_distribution": "少见内容",
    "too_short": "内容过短",
    "channel_in_doubt": "途径存疑",
    "department_in_doubt": "部门存疑",
    "category_in_doubt": "分类存疑",
    "audit_sample": "抽样盲审",
}

_BY_REASON: dict[str, Queue] = {
    "must_review": "must_review",
    "rule_conflict": "must_review",
    "several_appeals": "several_appeals",
    "out_of_distribution": "out_of_distribution",
    "too_short": "too_short",
    "multi_route": "channel_in_doubt",
}
_BY_HEAD: dict[str, Queue] = {"channel": "channel_in_doubt", "nature": "channel_in_doubt",
                              "department": "department_in_doubt"}  # fmt: skip

URGENCY = {"S": 0, "A": 1, "B": 2}
NO_LEVEL = 3
"""Urgency of a petition on which no must-review rule fired."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placing:
    """Where a petition goes: a queue, or none where the suggestion is accepted as it stands."""

    queue: Queue | None
    blind: bool
    urgency: int
    uncertainty: float
    due_at: datetime


def place(answer: AnswerOut, *, received_at: datetime, days: int, audit_share: float) -> Placing:
    """Place a judged petition; of those accepted automatically a share goes to blind review by lot."""
    queue = _queue(answer)
    # By lot and unpredictable: a sample somebody can foresee measures nothing.
    blind = queue is None and random.SystemRandom().random() < audit_share
    return Placing(
        queue="audit_sample" if blind else queue,
        blind=blind,
        urgency=min((URGENCY[firing.level] for firing in answer.firings), default=NO_LEVEL),
        uncertainty=round(1 - min(prediction.confidence for prediction in answer.predictions.values()), 4),
        due_at=received_at + timedelta(days=days),
    )


def _queue(answer: AnswerOut) -> Queue | None:
    if answer.decision.action == "auto":
        return None
    wanted: set[Queue] = {
        _BY_REASON.get(reason.code) or _BY_HEAD.get(reason.detail, "category_in_doubt")
        for reason in answer.decision.reasons
    }
    return next((queue for queue in QUEUES if queue in wanted), "category_in_doubt")
