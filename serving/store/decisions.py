"""Decisions on petitions: accept, correct, send back, out of scope, several appeals; and undo."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy.orm import Session

from nlp.petition import HEADS, Head
from serving.errors import Problem
from serving.roles import Actor
from serving.store import audit
from serving.store.claims import held_by_another
from serving.store.petitions import Case, get, hides_suggestion, labels_of, load
from serving.store.schema import CorrectionRow, PetitionRow, ReviewRow

Action = Literal["accept", "correct", "send_back", "out_of_scope", "several_appeals"]

CorrectionReason = Literal[
    "text_misread", "wrong_boundary", "local_rule", "law_or_policy", "label_missing", "other", "blind",
    "several_appeals",
]  # fmt: skip
CORRECTION_REASONS: dict[CorrectionReason, str] = {
    "text_misread": "理解错了内容",
    "wrong_boundary": "相近类别混淆",
    "local_rule": "本地分工不同",
    "law_or_policy": "依据法规政策",
    "label_missing": "没有合适选项",
    "other": "其他",
    "blind": "盲审独立判断",
    "several_appeals": "一件多诉",
}

_STATES: dict[str, str] = {
    "accept": "decided",
    "correct": "decided",
    "several_appeals": "decided",
    "send_back": "sent_back",
    "out_of_scope": "out_of_scope",
}
ACTIONS: tuple[Action, ...] = get_args(Action)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a person decided; the codes are checked already."""

    action: Action
    labels: Mapping[Head, str] = field(default_factory=dict)
    reasons: Mapping[Head, CorrectionReason] = field(default_factory=dict)
    co_departments: tuple[str, ...] | None = None
    appeals: tuple[Mapping[Head, str], ...] = ()
    note: str = ""


def late(session: Session, petition: PetitionRow, *, expected: int) -> Problem:
    """Return the 409 problem for who saw version `expected`: what stands now and what happened since."""
    changes = [
        {"at": row.at.isoformat(), "actor": row.actor, "action": row.action, "version": row.detail["version"]}
        for row in audit.history(session, f"petition:{petition.id}")
        if row.detail.get("version", 0) > expected
    ]
    hidden = hides_suggestion(petition)
    current = {
        "version": petition.version,
        "state": petition.state,
        "claimed_by": petition.claimed_by,
        "labels": None if hidden else labels_of(petition),
    }
    return Problem(
        409,
        code="changed_meanwhile",
        detail="此件在您打开之后已有变动，请刷新后重试。",
        headers={"ETag": f'"{petition.version}"'},
        current=current,
        changes=changes,
    )


def _held_version(session: Session, petition_id: str, *, actor: Actor, expected: int) -> PetitionRow:
    petition = get(session, petition_id, lock=True)
    if expected > petition.version:
        raise Problem(412, code="unknown_version", detail="If-Match 不是此件的任何版本。")
    if expected < petition.version:
        raise late(session, petition, expected=expected)
    if petition.claimed_by != actor.id:
        if petition.claim_id:
            raise held_by_another(session, petition)
        raise Problem(409, code="not_claimed", detail="请先领取此件再办理。")
    return petition


def decide(session: Session, petition_id: str, verdict: Verdict, *, actor: Actor, expected: int, now: datetime) -> Case:
    """Record a decision on a petition the actor holds.

    Raises 404; 409 where it changed since version `expected` or is not held; 422 where the verdict does not fit.
    """
    petition = _held_version(session, petition_id, actor=actor, expected=expected)
    case = load(session, petition)
    suggested: dict[str, Any] = case.suggestion.labels
    final = _final_labels(case, verdict)
    changed = [head for head in HEADS if final[head] != suggested[head]]
    _check_reasons(case, verdict, changed)
    action: str = verdict.action
    if case.hidden and action == "correct" and not changed:
        action = "accept"
    review = ReviewRow(
        petition_id=petition.id,
        suggestion_id=case.suggestion.id,
        claim_id=petition.claim_id,
        actor=actor.id,
        actor_name=actor.name,
        action=action,
        labels=dict(final),
        co_departments=list(_co_departments(case, verdict)),
        appeals=[dict(appeal) for appeal in verdict.appeals],
        note=verdict.note,
        blind=case.hidden,
        decided_at=now,
        before={"state": petition.state, "labels": labels_of(petition)},
    )
    session.add(review)
    session.flush()
    for head in changed if _STATES[action] == "decided" else ():
        session.add(
            CorrectionRow(
                review_id=review.id,
                head=head,
                suggested=suggested[head],
                final=final[head],
                reason=_reason(case, verdict, head),
            )
        )
    _apply(petition, state=_STATES[action], labels=final)
    session.flush()
    _record(session, petition, actor, "petition.decided", decision=action, changed=changed, review=review.id)
    return load(session, petition)


def _final_labels(case: Case, verdict: Verdict) -> dict[Head, str]:
    """Return the label of every head after `verdict`; raises 422 where it does not fit the petition."""
    if case.hidden and verdict.action in {"accept", "correct"}:
        if verdict.action == "accept" or set(verdict.labels) != set(HEADS):
            raise Problem(422, code="blind_needs_labels", detail="盲审件不显示建议，请用 correct 填写全部五项。")
        return {head: verdict.labels[head] for head in HEADS}
    if verdict.action == "accept":
        return {head: case.suggestion.labels[head] for head in HEADS}
    standing = labels_of(case.petition)
    if verdict.action == "several_appeals":
        return {**standing, **verdict.appeals[0]}
    return {**standing, **verdict.labels}


def _reason(case: Case, verdict: Verdict, head: Head) -> str:
    """Return why `head` differs from the suggestion; blind review and several appeals need no reason of their own."""
    return "blind" if case.hidden else verdict.reasons.get(head, "several_appeals")


def _check_reasons(case: Case, verdict: Verdict, changed: list[Head]) -> None:
    if verdict.action != "correct" or case.hidden:
        return
    if not changed and labels_of(case.petition) == case.suggestion.labels and verdict.co_departments is None:
        raise Problem(422, code="nothing_corrected", detail="没有改动任何一项；同意建议请用 accept。")
    missing = [head for head in changed if head not in verdict.reasons]
    if missing:
        faults = [{"at": f"reasons/{head}", "rule": "missing", "message": "缺少更正原因"} for head in missing]
        raise Problem(422, code="reason_missing", detail="每一处更正都要选原因。", errors=faults)


def _co_departments(case: Case, verdict: Verdict) -> tuple[str, ...]:
    if verdict.co_departments is not None:
        return verdict.co_departments
    if case.review is not None and verdict.action != "accept":
        return tuple(case.review.co_departments)
    return tuple(candidate["code"] for candidate in case.suggestion.answer["co_departments"])


def _apply(petition: PetitionRow, *, state: str, labels: Mapping[Any, str]) -> None:
    petition.state = state
    petition.version += 1
    for head in HEADS:
        setattr(petition, head, labels[head])


def _record(session: Session, petition: PetitionRow, actor: Actor, action: str, **detail: Any) -> None:
    audit.append(
        session,
        actor=actor,
        action=action,
        subject=f"petition:{petition.id}",
        detail={"version": petition.version, **detail},
    )


def undo(session: Session, petition_id: str, *, actor: Actor, expected: int, now: datetime) -> Case:
    """Take back the actor's own decision while the claim it was made in lasts.

    Raises 404; 409 where it changed, is not held, was blind (the suggestion has been seen), or is not theirs.
    """
    petition = _held_version(session, petition_id, actor=actor, expected=expected)
    review = load(session, petition).present_review
    if review is None:
        raise Problem(409, code="nothing_to_undo", detail="本次领取期间没有可撤销的决定。")
    if review.blind:
        raise Problem(409, code="blind_is_final", detail="盲审决定提交后即显示建议，不能撤销重做。")
    review.undone_at = now
    _apply(petition, state=review.before["state"], labels=review.before["labels"])
    session.flush()
    _record(session, petition, actor, "petition.undone", review=review.id)
    return load(session, petition)
