"""Petitions, claims and decisions on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from nlp.petition import Head, Level
from serving.queues import Queue
from serving.schemas.base import Clean, Wire
from serving.schemas.suggestion import EXAMPLE_TEXT, AnswerOut, RedactionOut
from serving.store.decisions import Action, CorrectionReason

State = Literal["queued", "auto_accepted", "decided", "sent_back", "out_of_scope"]
Code = Annotated[Clean, Field(min_length=1, max_length=60)]
Labels = dict[Head, Code]


class SubmitIn(Wire):
    """One petition to be registered."""

    text: Clean = Field(description="正文，信访人的原话。", examples=[EXAMPLE_TEXT])
    title: Clean = Field("", max_length=1000, description="标题，可空。", examples=["烧烤店油烟噪声扰民"])
    external_id: Annotated[Clean, Field(max_length=100)] | None = Field(
        None, description="来源系统的编号。", examples=["12345-2026-000017"]
    )
    source: Literal["web", "letter", "visit", "phone", "mail", "other"] = Field(
        "web", description="信访形式：网上、来信、来访、电话、邮件、其他。"
    )
    claim: bool = Field(False, description="登记后立即由本人领取（须有办理权限）。")


class ClaimOut(Wire):
    """Who holds a petition."""

    id: str | None = Field(description="Only told to who holds it.")
    holder: str
    mine: bool
    taken_at: datetime
    expires_at: datetime


class ReviewOut(Wire):
    """A decision."""

    action: Literal["auto", "accept", "correct", "send_back", "out_of_scope", "several_appeals"]
    actor: str
    actor_name: str
    labels: Labels
    co_departments: list[str]
    appeals: list[Labels]
    note: str
    blind: bool
    decided_at: datetime


class BriefOut(Wire):
    """A petition in a list; `labels` is null while its review is blind."""

    id: str
    external_id: str | None
    source: str
    state: State
    queue: Queue | None
    level: Level | None
    received_at: datetime
    due_at: datetime
    days_left: int = Field(description="Whole days to the statutory end of registration; negative when over.")
    uncertainty: float | None
    excerpt: str
    labels: Labels | None
    claim: ClaimOut | None
    version: int


class PetitionOut(BriefOut):
    """A petition with everything; spans count in `content`.

    `answer` and `thresholds` are null while the review is blind.
    """

    content: str = Field(description="Masked title and text, joined by a newline; empty once purged.")
    title_length: int
    redactions: list[RedactionOut]
    answer: AnswerOut | None
    thresholds: dict[str, Any] | None
    review: ReviewOut | None
    has_original: bool
    purged_at: datetime | None


class PageOut(Wire):
    """A page of petitions, newest first."""

    items: list[BriefOut]
    next_cursor: str | None


class OriginalOut(Wire):
    """The text as the citizen wrote it. Reading it is on record."""

    id: str
    content: str


class EventOut(Wire):
    """One line of the history of a petition."""

    seq: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    detail: dict[str, Any]


class HistoryOut(Wire):
    """Everything that happened to a petition, oldest first."""

    items: list[EventOut]


class ClaimIn(Wire):
    """Which queue the next petition is wanted from."""

    queue: Queue | None = None


class ClaimedOut(Wire):
    """A petition that is now in the caller's hands; `petition` is null where nothing waits."""

    petition: PetitionOut | None


class HeartbeatOut(Wire):
    """Until when the claim holds."""

    expires_at: datetime


class ForceReleaseIn(Wire):
    """Why a petition is taken out of somebody's hands."""

    reason: Clean = Field(min_length=2, max_length=500, examples=["经办人休假，转他人办理"])


class DecideIn(Wire):
    """A decision; a correction needs a reason for every head it changes."""

    action: Action
    labels: Labels = Field(default={}, examples=[{"department": "ecology_environment"}])
    reasons: dict[Head, CorrectionReason] = Field(default={}, examples=[{"department": "local_rule"}])
    co_departments: list[Code] | None = Field(None, max_length=5)
    appeals: list[Labels] = Field(default=[], max_length=20, description="several_appeals：每个诉求一组完整标注。")
    note: Clean = Field("", max_length=2000, description="备注；个人信息会被脱敏后保存。")


class QueueOut(Wire):
    """How much waits in a queue."""

    queue: Queue
    name: str
    waiting: int
    held: int
    levels: dict[Literal["S", "A", "B", "none"], int]
    next_due_at: datetime | None


class QueuesOut(Wire):
    """All queues, the one that wins first where a petition has several reasons."""

    items: list[QueueOut]
