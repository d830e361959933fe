"""Decided petitions as training data: masked text, the labels a person confirmed, what was suggested."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from nlp.petition import HEADS
from serving.store.petitions import stands
from serving.store.schema import CorrectionRow, PetitionRow, ReviewRow, SuggestionRow
from serving.tables.formulas import neutralise

COLUMNS = (
    "id", "received_at", "decided_at", "title", "text", *HEADS, "co_departments", "action", "blind", "appeals",
    *(f"suggested_{head}" for head in HEADS), "corrections", "bundle_id", "taxonomy_version",
)  # fmt: skip

_PAGE = 200


def decided(session: Session, *, since: datetime | None, until: datetime | None) -> Iterator[dict[str, Any]]:
    """Yield one row per petition whose standing decision is a person's, in the order of the decisions.

    Sent back and out of scope are no labels and are left out, and so is what was purged.
    """
    after = 0
    while True:
        query = (
            select(ReviewRow, PetitionRow, SuggestionRow)
            .join(PetitionRow, PetitionRow.id == ReviewRow.petition_id)
            .join(SuggestionRow, SuggestionRow.id == ReviewRow.suggestion_id)
            .where(
                ReviewRow.id > after,
                stands(),
                ReviewRow.action.in_(("accept", "correct", "several_appeals")),
                PetitionRow.purged_at.is_(None),
            )
            .order_by(ReviewRow.id)
            .limit(_PAGE)
        )
        if since:
            query = query.where(ReviewRow.decided_at >= since)
        if until:
            query = query.where(ReviewRow.decided_at < until)
        rows = session.execute(query).all()
        if not rows:
            return
        reasons = _reasons(session, [review.id for review, _, _ in rows])
        for review, petition, suggestion in rows:
            yield _row(review, petition, suggestion, reasons.get(review.id, {}))
        after = rows[-1][0].id
        session.expunge_all()


def _reasons(session: Session, review_ids: list[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for correction in session.scalars(select(CorrectionRow).where(CorrectionRow.review_id.in_(review_ids))):
        found.setdefault(correction.review_id, {})[correction.head] = correction.reason
    return found


def _row(
    review: ReviewRow, petition: PetitionRow, suggestion: SuggestionRow, reasons: dict[str, str]
) -> dict[str, Any]:
    title = petition.content[: petition.title_length]
    return {
        "id": petition.id,
        "received_at": petition.received_at.isoformat(),
        "decided_at": review.decided_at.isoformat(),
        "title": title,
        "text": petition.content[petition.title_length :].removeprefix("\n"),
        **{head: review.labels[head] for head in HEADS},
        "co_departments": review.co_departments,
        "action": review.action,
        "blind": review.blind,
        "appeals": review.appeals,
        **{f"suggested_{head}": suggestion.labels[head] for head in HEADS},
        "corrections": reasons,
        "bundle_id": suggestion.bundle_id,
        "taxonomy_version": suggestion.taxonomy_version,
    }


def as_jsonl(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield one JSON object per line."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def as_csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield CSV (UTF-8 with BOM for spreadsheets) in which no cell can be read as a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    yield "\ufeff" + buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(neutralise(_cell(row[column])) for column in COLUMNS)
        yield buffer.getvalue()


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
