"""Which clocks start for a petition, when they end, on what basis, who must act; and by whom it should be assigned on.

Days are counted from the day after the event. 条例 says 工作日 only in article 23(3), so its other days are natural
days (inferred); an end on a holiday is not moved, the earlier day being the safe one. Working days follow the official
holiday calendar; where the calendar of a year is not out yet, Monday to Friday are counted and the clock says so.
"""

import calendar
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import chinese_calendar

from nlp.knowledge import CERTAINTY, EVENTS, Deadline, Knowledge
from nlp.knowledge.citations import in_full
from nlp.knowledge.records import DeadlineKind
from nlp.knowledge.render import length_of, starts_of
from nlp.petition import Certainty, Firing

Receiver = Literal["petition_bureau", "unit"]
"""Who holds the petition at intake: the petition bureau, or another organ or unit."""

_GROUP = 5
"""Persons from which a matter counts as a joint one (业务口径)."""

_MANY_DEPARTMENTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """One clock of one petition.

    `ends_on` is absent where the day of the starting event is not known yet or the end is not a matter of days;
    `length` and `starts` say so in words. `note` tells what the date leaves open. A `conditional` clock runs only if a
    person finds what `what` speaks of: a matter fit for simple handling, an application for disclosure, a licence,
    a labour dispute or a decision no word shows ….
    """

    code: str
    kind: DeadlineKind
    who: str
    what: str
    starts: str
    starts_on: date | None
    length: str
    ends_on: date | None
    basis: str
    certainty: Certainty
    note: str = ""
    conditional: bool = False


def start_clocks(
    events: Mapping[str, date],
    *,
    channel: str,
    knowledge: Knowledge,
    receiver: Receiver = "petition_bureau",
    matters: Iterable[str] = (),
    situations: Iterable[str] = (),
    firings: Iterable[Firing] = (),
) -> tuple[Clock, ...]:
    """Return every clock that the channel, the matters and the urgency start, those with a date first, by date.

    `events` are the days known so far, by the names in `EVENTS` (intake is "received"); `situations` the codes of the
    situations and circumstances that the text tells of.
    Raises ValueError for an unknown event or a petition that was never received.
    """
    unknown = sorted(events.keys() - EVENTS.keys())
    if unknown or "received" not in events:
        raise ValueError(f"unknown events {unknown}, or no day for 'received'; allowed: {', '.join(EVENTS)}")
    levels = {firing.level for firing in firings}
    told = frozenset(situations)
    told_of = _Told(
        channel=channel,
        matters=frozenset(matters),
        situations=told,
        settled=not told.isdisjoint(situation.code for situation in knowledge.situations),
    )
    days = dict(events)
    clocks = []
    for deadline in knowledge.deadlines:
        start = _start(deadline, told_of)
        if (
            start == "no"
            or (deadline.levels and levels.isdisjoint(deadline.levels))
            or (deadline.receivers and receiver not in deadline.receivers)
        ):
            continue
        clock = _clock(deadline, days, knowledge, conditional=start == "perhaps")
        if clock.ends_on is not None:
            days[deadline.code] = clock.ends_on
        clocks.append(clock)
    return tuple(sorted(clocks, key=lambda clock: (clock.ends_on is None, clock.ends_on or date.max)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """What is known of a petition: its channel, the matters and situations read, and whether any situation was."""

    channel: str
    matters: frozenset[str]
    situations: frozenset[str]
    settled: bool


def _start(deadline: Deadline, told: _Told) -> Literal["yes", "perhaps", "no"]:
    """Tell whether a clock starts; "perhaps" where a person must find what no word shows."""
    if told.channel in deadline.except_channels or not told.situations.isdisjoint(deadline.unless):
        return "no"
    if not told.situations.isdisjoint(deadline.situations):
        return "yes"
    if not told.situations.isdisjoint(deadline.perhaps):
        return "perhaps"
    only_by_situation = not deadline.channels and (deadline.situations or deadline.perhaps)
    if only_by_situation or (deadline.channels and told.channel not in deadline.channels):
        return "no"
    if not told.matters.isdisjoint(deadline.matters):
        return "yes"
    if deadline.when:
        return "no" if told.settled or (deadline.matters and told.matters) else "perhaps"
    return "no" if deadline.matters else "yes"


def _clock(deadline: Deadline, days: Mapping[str, date], knowledge: Knowledge, *, conditional: bool) -> Clock:
    """Set one clock going from the days known so far."""
    starts_on = days.get(deadline.starts)
    ends_on, note = (None, "") if starts_on is None else _end(starts_on, deadline)
    return Clock(
        code=deadline.code,
        kind=deadline.kind,
        who=deadline.who,
        what=deadline.what,
        starts=starts_of(deadline, knowledge),
        starts_on=starts_on,
        length=length_of(deadline),
        ends_on=ends_on,
        basis=deadline.basis,
        certainty=deadline.certainty,
        note=note if starts_on is not None else "起算日尚不知道",
        conditional=conditional,
    )


def _end(starts_on: date, deadline: Deadline) -> tuple[date | None, str]:
    """Return the last day of a deadline and what must be said about it."""
    if deadline.unit == "immediate":
        return starts_on, ""
    if deadline.limit is None:
        return None, "期限由交办机关指定"
    if deadline.unit == "natural_day":
        return starts_on + timedelta(days=deadline.limit), ""
    if deadline.unit == "month":
        return _add_months(starts_on, deadline.limit), ""
    return add_work_days(starts_on, deadline.limit)


def add_work_days(starts_on: date, n_days: int) -> tuple[date, str]:
    """Return the `n_days`th working day after `starts_on`, and a warning if a year's holidays are not published yet."""
    day = starts_on
    unknown_years: set[int] = set()
    left = n_days
    while left:
        day += timedelta(days=1)
        try:
            works = chinese_calendar.is_workday(day)
        except NotImplementedError:
            unknown_years.add(day.year)
            works = day.weekday() < calendar.SATURDAY
        left -= works
    if not unknown_years:
        return day, ""
    years = "、".join(f"{year}年" for year in sorted(unknown_years))
    return day, f"{years}的节假日安排不在日历内，按周一至周五计算，须人工核对"


def limits_in_words(codes: Iterable[str], knowledge: Knowledge, *, told: Collection[str]) -> str:
    """Return deadlines as a petitioner is told of them before choosing a channel, each with its article.

    What the text has `told` of may rule a deadline out; where it rules out all of them a person fills in which holds.
    """
    deadlines = {deadline.code: deadline for deadline in knowledge.deadlines}
    words = []
    for deadline in (deadlines[code] for code in codes):
        if not set(deadline.unless).isdisjoint(told):
            continue
        mark = "" if deadline.certainty == "verified" else f"，{CERTAINTY[deadline.certainty]}"
        time = f"{starts_of(deadline, knowledge)}起{length_of(deadline)}"
        words.append(f"{deadline.who}{deadline.what}，{time}（{in_full(deadline.basis)}{mark}）")
    return "；".join(words)


def _add_months(starts_on: date, n_months: int) -> date:
    """Return the same day `n_months` later, or the last day of that month if it is shorter."""
    year, month = divmod(starts_on.year * 12 + starts_on.month - 1 + n_months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(starts_on.day, last))


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferProposal:
    """By whom a petition should be assigned on, as one county does it, with the reasons."""

    level: str
    name: str
    by: str
    reasons: tuple[str, ...]
    basis: str
    certainty: Certainty


_GRAVE = {
    "leader_instruction": "有领导批示或上级督办",
    "media_risk": "已引发媒体关注",
    "repeat_long_history": "写明多次或多年反映，可能是积案",
    "death_or_serious_injury": "涉及死亡或重伤",
    "fraud_finance_mass": "涉众金融",
}
"""Rules below level S that make a matter weighty, with what is told."""


def propose_transfer(
    *,
    knowledge: Knowledge,
    firings: Sequence[Firing] = (),
    n_people: int | None = None,
    n_departments: int = 1,
    n_times: int = 1,
    previous_closed: bool = False,
) -> TransferProposal:
    """Propose 重大疑难复, 初转重 or 一般.

    `n_people` is how many complain together (None: unknown), `n_times` how often the same person has raised the
    same matter including now, `previous_closed` whether the last time was already closed.
    """
    reasons = [f"{firing.name}（S级）" for firing in firings if firing.level == "S"]
    reasons += [_GRAVE[firing.code] for firing in firings if firing.level != "S" and firing.code in _GRAVE]
    if n_people is not None and n_people >= _GROUP:
        reasons.append(f"涉及{n_people}人（{_GROUP}人以上）")
    if n_departments >= _MANY_DEPARTMENTS:
        reasons.append(f"涉及{n_departments}个部门")
    if reasons:
        return _proposal(knowledge, "level_major", reasons)
    if n_times > 1 and previous_closed:
        return _proposal(knowledge, "level_first_to_repeat", [f"同一人同一事项第{n_times}次提出，前次已办结"])
    return _proposal(knowledge, "level_ordinary", ["没有发现重大、疑难、复杂或重复的情形"])


def _proposal(knowledge: Knowledge, code: str, reasons: Sequence[str]) -> TransferProposal:
    """Fill in who assigns at this level."""
    level = next(level for level in knowledge.transfer_levels if level.code == code)
    return TransferProposal(
        level=level.code,
        name=level.name,
        by=level.by,
        reasons=tuple(dict.fromkeys(reasons)),
        basis=level.basis,
        certainty=level.certainty,
    )
