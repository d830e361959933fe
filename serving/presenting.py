"""Rows of the store as wire types, with what the reader may not see left out."""

from datetime import datetime, timedelta
from typing import Any

from nlp.petition import Level
from serving.queues import NO_LEVEL, URGENCY
from serving.roles import Actor
from serving.schemas.petitions import BriefOut, ClaimOut, PetitionOut, ReviewOut
from serving.schemas.suggestion import AnswerOut, RedactionOut
from serving.store.petitions import Case, hides_suggestion, labels_of
from serving.store.schema import ClaimRow, PetitionRow, ReviewRow

_LEVELS: dict[int, Level | None] = {NO_LEVEL: None, **dict(zip(URGENCY.values(), ("S", "A", "B"), strict=True))}
_EXCERPT_CHARS = 80


def level_of(urgency: int) -> Level | None:
    """Return the level that is kept as `urgency`."""
    return _LEVELS[urgency]


def _claim(petition: PetitionRow, claim: ClaimRow | None, actor: Actor, now: datetime) -> ClaimOut | None:
    expires_at = petition.claim_expires_at
    if claim is None or expires_at is None:
        return None
    mine = claim.actor == actor.id
    if not mine and expires_at <= now:
        return None
    return ClaimOut(
        id=claim.id if mine else None,
        holder=claim.actor_name,
        mine=mine,
        taken_at=claim.taken_at,
        expires_at=expires_at,
    )


def _brief(petition: PetitionRow, claim: ClaimRow | None, actor: Actor, now: datetime) -> dict[str, Any]:
    hidden = hides_suggestion(petition)
    text = petition.content[:_EXCERPT_CHARS].replace("\n", " ")
    return {
        "id": petition.id,
        "external_id": petition.external_id,
        "source": petition.source,
        "state": petition.state,
        "queue": petition.queue or None,
        "level": level_of(petition.urgency),
        "received_at": petition.received_at,
        "due_at": petition.due_at,
        "days_left": (petition.due_at - now) // timedelta(days=1),
        "uncertainty": None if hidden else petition.uncertainty,
        "excerpt": text + ("…" if len(petition.content) > _EXCERPT_CHARS else ""),
        "labels": None if hidden else labels_of(petition),
        "claim": _claim(petition, claim, actor, now),
        "version": petition.version,
    }


def brief(petition: PetitionRow, claim: ClaimRow | None, *, actor: Actor, now: datetime) -> BriefOut:
    """Return a petition as it stands in a list."""
    return BriefOut(**_brief(petition, claim, actor, now))


def whole(case: Case, *, actor: Actor, now: datetime) -> PetitionOut:
    """Return a petition with everything the reader may see; of a blind review only the text."""
    petition = case.petition
    return PetitionOut(
        **_brief(petition, case.claim, actor, now),
        content=petition.content,
        title_length=petition.title_length,
        redactions=[RedactionOut(**chip) for chip in petition.redactions],
        answer=None if case.hidden else AnswerOut.model_validate(case.suggestion.answer),
        thresholds=None if case.hidden else case.suggestion.thresholds,
        review=None if case.hidden or case.review is None else review(case.review),
        has_original=petition.sealed is not None,
        purged_at=petition.purged_at,
    )


def review(row: ReviewRow) -> ReviewOut:
    """Return a decision."""
    return ReviewOut.model_validate(
        {
            "action": row.action,
            "actor": row.actor,
            "actor_name": row.actor_name,
            "labels": row.labels,
            "co_departments": row.co_departments,
            "appeals": row.appeals,
            "note": row.note,
            "blind": row.blind,
            "decided_at": row.decided_at,
        }
    )
