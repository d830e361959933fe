"""The days of events a clerk gives beside a text: read, and held against the day of receipt, with Chinese faults."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator

from nlp.errors import PetitionError
from nlp.knowledge import EVENTS

FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2150, 12, 31)

GIVEN = {event: name for event, name in EVENTS.items() if event != "received"}
"""What can be given beside the day of receipt, by code, with the words shown."""

_AFTER_RECEIPT = frozenset({"forwarded", "assigned", "accepted"})
"""What can only be done with a petition once it is there; decisions and judgments may be older than it."""


class EventFaultsError(PetitionError):
    """Days that were given cannot be right; `faults` has a Chinese sentence for each event."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        """Keep the faults by event."""
        self.faults = dict(faults)
        super().__init__("；".join(self.faults.values()))


def only_a_day(value: object) -> object:
    """Refuse moments and bare numbers, which would be read as seconds since 1970, and years of no petition."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("a day is written as 2026-03-02")
    if not FIRST_DAY.isoformat() <= value <= LAST_DAY.isoformat():
        raise ValueError(f"a day must lie between {FIRST_DAY} and {LAST_DAY}")
    return value


Day = Annotated[date, BeforeValidator(only_a_day)]
"""A civil day in China."""


def events_from(given: Iterable[tuple[str, str]], *, received_on: date) -> dict[str, date]:
    """Return the days by event, receipt included, from what a clerk wrote; events by code or by the words shown.

    Days left blank are not given. Raises EventFaultsError with every fault at once.
    """
    codes = {name: code for code, name in GIVEN.items()}
    events = {"received": received_on}
    faults: dict[str, str] = {}
    for name, written in given:
        event = codes.get(name, name)
        if event not in GIVEN:
            known = "、".join(f"{code}（{words}）" for code, words in GIVEN.items())
            faults["events"] = f"有不认识的日期名称；可用：{known}"
        elif written:
            day = _day(written)
            if day is None:
                faults[event] = f"{GIVEN[event]}须写成 2026-03-02 这样的日期，在 {FIRST_DAY} 与 {LAST_DAY} 之间"
            elif event in _AFTER_RECEIPT and day < received_on:
                faults[event] = f"{GIVEN[event]} {day} 早于收到信访事项之日 {received_on}，请核对"
            else:
                events[event] = day
    if faults:
        raise EventFaultsError(faults)
    return events


def _day(written: str) -> date | None:
    try:
        only_a_day(written)
        return date.fromisoformat(written)
    except ValueError:
        return None
