"""Decide on petitions in hand, and take a decision back."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from serving import presenting
from serving.access import Allowed
from serving.context import Context, Ctx
from serving.errors import Problem
from serving.redaction import masked_note
from serving.roles import Actor
from serving.routes.petitions import PetitionId, etag
from serving.schemas.petitions import DecideIn, PetitionOut
from serving.store import decisions
from serving.store.decisions import Verdict
from serving.store.petitions import labels_of

router = APIRouter(prefix="/v1/petitions", tags=["decisions"])

Decider = Annotated[Actor, Depends(Allowed("decide"))]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="所依据版本的 ETag。缺少时 428；已有变动时 409。", examples=['"3"']),
]

_ETAG = re.compile(r'"([0-9]{1,9})"')


def expected_version(if_match: str | None) -> int:
    """Return the version a write is based on; raises 428 without one, 412 for what is no ETag of ours."""
    if if_match is None:
        raise Problem(428, code="if_match_required", detail="请在 If-Match 头中带上所依据版本的 ETag。")
    found = _ETAG.fullmatch(if_match.strip())
    if not found:
        raise Problem(412, code="unknown_version", detail='If-Match 须是本接口给出的 ETag，形如 "3"。')
    return int(found[1])


def _verdict(context: Context, body: DecideIn) -> Verdict:
    """Check the codes of a decision against the labels in service; raises 422."""
    book = context.host.labels
    several = body.action == "several_appeals"
    if several != bool(body.appeals) or (several and len(body.appeals) < 2):
        raise Problem(422, code="appeals_do_not_fit", detail="several_appeals 须给出至少两个诉求，其他办法不得给出。")
    if body.labels and body.action != "correct":
        raise Problem(422, code="labels_do_not_fit", detail="只有 correct 可以改动标注。")
    book.check(body.labels, complete=False)
    for number, appeal in enumerate(body.appeals):
        book.check(appeal, at=f"appeals/{number}")
    for code in body.co_departments or []:
        book.check({"department": code}, at="co_departments", complete=False)
    return Verdict(
        action=body.action,
        labels=body.labels,
        reasons=body.reasons,
        co_departments=None if body.co_departments is None else tuple(body.co_departments),
        appeals=tuple(body.appeals),
        note=masked_note(body.note) if body.note else "",
    )


@router.post("/{petition_id}/decision", summary="办理：采纳、更正、退回、不属范围、拆分诉求")
def decide(
    petition_id: PetitionId,
    body: DecideIn,
    context: Ctx,
    actor: Decider,
    response: Response,
    if_match: IfMatch = None,
) -> PetitionOut:
    """Decide on a petition in hand. Someone who comes late gets 409 with what has changed meanwhile."""
    expected = expected_version(if_match)
    verdict = _verdict(context, body)
    now = context.now()
    with context.store.write() as session:
        case = decisions.decide(session, petition_id, verdict, actor=actor, expected=expected, now=now)
        if verdict.action == "correct":  # one level corrected alone may no longer fit the other
            context.host.labels.check(labels_of(case.petition))
    response.headers.update(etag(case.petition.version))
    return presenting.whole(case, actor=actor, now=now)


@router.delete("/{petition_id}/decision", summary="撤销本次领取期间的决定")
def undo(
    petition_id: PetitionId, context: Ctx, actor: Decider, response: Response, if_match: IfMatch = None
) -> PetitionOut:
    """Take back one's own decision while the claim it was made in lasts; a blind review is final."""
    now = context.now()
    expected = expected_version(if_match)
    with context.store.write() as session:
        case = decisions.undo(session, petition_id, actor=actor, expected=expected, now=now)
    response.headers.update(etag(case.petition.version))
    return presenting.whole(case, actor=actor, now=now)
