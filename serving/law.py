"""The law beside a suggestion as the service tells it: how clocks are marked, what a kept petition is assessed on."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from typing import cast

from nlp.assessment import Assessment, assess_masked
from nlp.knowledge import Knowledge
from nlp.knowledge.records import DeadlineKind
from nlp.petition import Certainty, Firing, Masked, Redaction
from serving.redaction import MaskedView
from serving.schemas.petitions import PetitionOut
from serving.schemas.suggestion import AnswerOut

CHINA = timezone(timedelta(hours=8))
"""The one civil time of the country; offices enter and read dates in it, and time limits are counted in it."""

KIND_MARKS: dict[DeadlineKind, str] = {"statutory": "法定", "other_procedure": "其他程序", "local": "本地做法"}
"""What is shown for each kind of clock; only the petition regulation's own are 法定."""

UNCHECKED: frozenset[Certainty] = frozenset({"seed", "memory", "inferred"})
"""Marks of what nobody has held against the text of the law."""


def marks_of(certainty: Certainty, *, kind: DeadlineKind | None = None) -> list[str]:
    """Return the Chinese marks of an item: 法定, 其他程序 or 本地做法 for a clock, and 未核实."""
    marks = [KIND_MARKS[kind]] if kind else ["本地做法"] if certainty == "local" else []
    return [*marks, "未核实"] if certainty in UNCHECKED else marks


def day_of(moment: datetime) -> date:
    """Return the civil day in China, by which time limits are counted."""
    return moment.astimezone(CHINA).date()


def assess_kept(
    petition: PetitionOut, *, knowledge: Knowledge, events: Mapping[str, date] | None = None
) -> Assessment | None:
    """Assess a petition of which the masked text is kept, under the channel that stands now.

    `events` are the days a clerk gave, receipt included; without them only that of receipt is known.
    None while its review is blind, as the clocks would tell the channel, and once its text is purged.
    """
    if petition.answer is None or not petition.content:
        return None
    view = MaskedView(
        content=petition.content,
        title_length=petition.title_length,
        chips=tuple(petition.redactions),
        answer=petition.answer,
    )
    standing = petition.labels or {}
    return assess_view(
        view,
        channel=standing.get("channel", petition.answer.predictions["channel"].code),
        n_departments=_n_departments(petition, petition.answer),
        events=events or {"received": day_of(petition.received_at)},
        knowledge=knowledge,
    )


def _n_departments(petition: PetitionOut, answer: AnswerOut) -> int:
    """Return how many departments a petition concerns: as a person decided, before that as was proposed."""
    review = petition.review
    if review is None:
        return len(answer.departments)
    main = {labels["department"] for labels in (review.labels, *review.appeals) if labels.get("department")}
    return len(main | set(review.co_departments)) or 1


def assess_view(
    view: MaskedView, *, channel: str, n_departments: int, events: Mapping[str, date], knowledge: Knowledge
) -> Assessment:
    """Assess a masked text; the spans of the assessment count in `view.content`."""
    redactions = tuple(Redaction(kind=chip.kind, start=chip.span[0], end=chip.span[1]) for chip in view.chips)
    return assess_masked(
        Masked(text=view.content, origin=tuple(range(len(view.content))), redactions=redactions),
        title_length=view.title_length,
        channel=channel,
        firings=[
            Firing(
                code=firing.code, level=firing.level, name=firing.name, start=firing.span[0], end=firing.span[1],
                basis=firing.basis, certainty=cast("Certainty", firing.certainty), action=firing.action,
            )
            for firing in view.answer.firings
        ],
        n_departments=n_departments,
        knowledge=knowledge,
        events=events,
    )  # fmt: skip
