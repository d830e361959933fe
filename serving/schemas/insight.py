"""Statistics and the record on the wire."""

from datetime import datetime
from typing import Any

from serving.schemas.base import Wire


class ShareOut(Wire):
    """A share with its 95 % Wilson interval; null of nothing."""

    part: int
    whole: int
    value: float | None
    low: float | None
    high: float | None


class ConfusionOut(Wire):
    """How often a suggested label became another."""

    suggested: str
    final: str
    count: int


class DepartmentOut(Wire):
    """Petitions of a department."""

    department: str
    name: str
    received: int
    waiting: int


class StatisticsOut(Wire):
    """The figures of the petitions received from `since` to before `until`.

    `corrected` and `audit_error` are per head and for `any` of them: the first over ordinary reviews, the
    second over the blind audit sample, which measures the real error of what is accepted automatically.
    """

    since: datetime
    until: datetime
    by_day: dict[str, int]
    by_state: dict[str, int]
    by_queue: dict[str, int]
    by_department: list[DepartmentOut]
    automatic: ShareOut
    corrected: dict[str, ShareOut]
    confusion: dict[str, list[ConfusionOut]]
    audit_error: dict[str, ShareOut]
    open_ages: dict[str, int]
    overdue: int


class AuditEntryOut(Wire):
    """One line of the record."""

    seq: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    subject: str
    detail: dict[str, Any]
    hash: str


class AuditPageOut(Wire):
    """Lines of the record, newest first."""

    items: list[AuditEntryOut]
    next_before: int | None


class ChainOut(Wire):
    """Whether the record is unbroken."""

    sound: bool
    n_entries: int
    head: str
    fault: str
