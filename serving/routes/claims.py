"""Take petitions in hand and put them back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from serving import presenting
from serving.access import Allowed
from serving.context import Ctx
from serving.redaction import masked_note
from serving.roles import Actor
from serving.routes.petitions import PetitionId, etag
from serving.schemas.base import Clean
from serving.schemas.petitions import ClaimedOut, ClaimIn, ForceReleaseIn, HeartbeatOut, PetitionOut
from serving.store import claims, petitions

router = APIRouter(prefix="/v1", tags=["claims"])

Decider = Annotated[Actor, Depends(Allowed("decide"))]
Forcer = Annotated[Actor, Depends(Allowed("force_release"))]
ClaimId = Annotated[Clean, Field(max_length=40)]


@router.post("/claims", summary="领取下一件")
def claim_next(body: ClaimIn, context: Ctx, actor: Decider, response: Response) -> ClaimedOut:
    """Take the most pressing free petition of a queue, or of all; `petition` is null where nothing waits."""
    now = context.now()
    with context.store.write() as session:
        petition = claims.claim_next(
            session,
            actor=actor,
            queue=body.queue,
            now=now,
            lasts=context.claim_lasts,
            max_claims=context.settings.max_claims,
        )
        case = petitions.load(session, petition) if petition else None
    if case is None:
        return ClaimedOut(petition=None)
    response.headers.update(etag(case.petition.version))
    return ClaimedOut(petition=presenting.whole(case, actor=actor, now=now))


@router.post("/petitions/{petition_id}/claim", summary="领取这一件")
def claim_one(petition_id: PetitionId, context: Ctx, actor: Decider, response: Response) -> PetitionOut:
    """Take this petition, even a decided one; 409 where another holds it, and who."""
    now = context.now()
    with context.store.write() as session:
        petition = claims.claim_one(
            session,
            petition_id,
            actor=actor,
            now=now,
            lasts=context.claim_lasts,
            max_claims=context.settings.max_claims,
        )
        case = petitions.load(session, petition)
    response.headers.update(etag(case.petition.version))
    return presenting.whole(case, actor=actor, now=now)


@router.post("/claims/{claim_id}/heartbeat", summary="续期")
def heartbeat(claim_id: ClaimId, context: Ctx, actor: Decider) -> HeartbeatOut:
    """Keep a petition in hand for another while; 409 where it has gone to another."""
    now = context.now()
    with context.store.write() as session:
        claims.heartbeat(session, claim_id, actor=actor, now=now, lasts=context.claim_lasts)
    return HeartbeatOut(expires_at=now + context.claim_lasts)


@router.delete("/claims/{claim_id}", status_code=204, summary="放回")
def release(claim_id: ClaimId, context: Ctx, actor: Decider) -> Response:
    """Put a petition back into its queue."""
    with context.store.write() as session:
        claims.release(session, claim_id, actor=actor, now=context.now())
    return Response(status_code=204)


@router.post("/petitions/{petition_id}/force-release", summary="强制放回（留痕）")
def force_release(
    petition_id: PetitionId, body: ForceReleaseIn, context: Ctx, actor: Forcer, response: Response
) -> PetitionOut:
    """Take a petition out of somebody's hands; who and why is on record."""
    now = context.now()
    reason = masked_note(body.reason)
    with context.store.write() as session:
        petition = claims.force_release(session, petition_id, actor=actor, reason=reason, now=now)
        case = petitions.load(session, petition)
    response.headers.update(etag(case.petition.version))
    return presenting.whole(case, actor=actor, now=now)
