"""Who works on what: one petition is in one pair of hands at a time, for a limited time.

The lock is on the petition's own row: SQLite lets one writer in at a time, PostgreSQL skips rows that another
claimer has locked. A claim that ran out still holds until somebody else takes the petition; so a slow reviewer
loses nothing while nobody else wanted it.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from serving.errors import Problem
from serving.queues import Queue
from serving.roles import Actor
from serving.store import audit, paging
from serving.store.petitions import get
from serving.store.schema import ClaimRow, PetitionRow


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(PetitionRow.claim_id.is_(None), PetitionRow.claim_expires_at <= now)


def claim_next(
    session: Session, *, actor: Actor, queue: Queue | None, now: datetime, lasts: timedelta, max_claims: int
) -> PetitionRow | None:
    """Take the most pressing free petition of `queue` (None: of all the actor may review), or return None.

    Blind reviews go only to those who may do them, and never to who submitted the petition.
    Raises the 409 problem where the actor already holds `max_claims`.
    """
    check_room(session, actor=actor, now=now, max_claims=max_claims)
    query = select(PetitionRow).where(PetitionRow.state == "queued", _free(now))
    if queue:
        query = query.where(PetitionRow.queue == queue)
    if actor.may("review_blind"):
        query = query.where(or_(PetitionRow.blind.is_(False), PetitionRow.submitted_by != actor.id))
    else:
        query = query.where(PetitionRow.blind.is_(False))
    query = query.order_by(*paging.clauses(paging.PRESSING))
    petition = session.scalars(query.limit(1).with_for_update(skip_locked=True)).first()
    if petition is not None:
        take(session, petition, actor=actor, now=now, lasts=lasts)
    return petition


def claim_one(
    session: Session, petition_id: str, *, actor: Actor, now: datetime, lasts: timedelta, max_claims: int
) -> PetitionRow:
    """Take this petition, even a decided one; raises 403, 404, and 409 where another holds it."""
    petition = get(session, petition_id, lock=True)
    hidden = petition.blind and petition.state == "queued"
    if hidden and (not actor.may("review_blind") or petition.submitted_by == actor.id):
        raise Problem(403, code="blind_review", detail="此件正在抽样盲审，须由其他审核员办理。")
    if petition.claimed_by == actor.id and petition.claim_id:
        petition.claim_expires_at = now + lasts
        return petition
    if petition.claim_id and petition.claim_expires_at and petition.claim_expires_at > now:
        raise held_by_another(session, petition)
    check_room(session, actor=actor, now=now, max_claims=max_claims)
    take(session, petition, actor=actor, now=now, lasts=lasts)
    return petition


def held_by_another(session: Session, petition: PetitionRow) -> Problem:
    """Return the 409 problem that says who holds `petition`."""
    claim = session.get(ClaimRow, petition.claim_id)
    holder = claim.actor_name if claim else ""
    return Problem(409, code="held_by_another", detail=f"此件正由 {holder} 办理。", holder=holder)


def check_room(session: Session, *, actor: Actor, now: datetime, max_claims: int) -> None:
    """Raise the 409 problem where the actor holds `max_claims`; their other requests wait until the commit."""
    if session.get_bind().dialect.name == "postgresql":
        # Counting and taking must be one step per person; SQLite has a single writer anyway.
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(actor.id))))
    mine = select(func.count()).where(
        PetitionRow.claimed_by == actor.id,
        PetitionRow.state == "queued",
        PetitionRow.claim_expires_at > now,
    )
    if session.scalar(mine.select_from(PetitionRow)) >= max_claims:  # type: ignore[operator]  # a count
        raise Problem(409, code="too_many_claims", detail=f"您手上已有 {max_claims} 件未决，请先办理或放回。")


def take(session: Session, petition: PetitionRow, *, actor: Actor, now: datetime, lasts: timedelta) -> None:
    """Put `petition`, which nobody holds any longer, into the actor's hands; `check_room` comes before."""
    if petition.claim_id:
        end(session, petition, now=petition.claim_expires_at or now, how="expired", by="")
    claim = ClaimRow(
        id=secrets.token_hex(16),
        petition_id=petition.id,
        actor=actor.id,
        actor_name=actor.name,
        taken_at=now,
    )
    session.add(claim)
    petition.claim_id, petition.claimed_by, petition.claim_expires_at = claim.id, actor.id, now + lasts
    petition.version += 1
    session.flush()
    _record(session, petition, actor, "petition.claimed")


def _record(session: Session, petition: PetitionRow, actor: Actor, action: str, **detail: str) -> None:
    session.flush()
    audit.append(
        session,
        actor=actor,
        action=action,
        subject=f"petition:{petition.id}",
        detail={"version": petition.version, **detail},
    )


def end(session: Session, petition: PetitionRow, *, now: datetime, how: str, by: str) -> None:
    """Close the claim on `petition`."""
    claim = session.get(ClaimRow, petition.claim_id)
    if claim is not None:
        claim.ended_at, claim.ended, claim.ended_by = now, how, by
    petition.claim_id = petition.claimed_by = petition.claim_expires_at = None


def held(session: Session, claim_id: str, *, actor: Actor) -> PetitionRow:
    """Return the petition that `actor` holds by this claim; raises 404, and 409 where it is lost."""
    claim = session.get(ClaimRow, claim_id)
    if claim is None or claim.actor != actor.id:
        raise Problem(404, code="no_claim", detail="没有这个领取记录。")
    petition = get(session, claim.petition_id, lock=True)
    if petition.claim_id != claim_id:
        session.refresh(claim)
        raise Problem(409, code="claim_lost", detail="此件已不在您手上。", ended=claim.ended, ended_by=claim.ended_by)
    return petition


def heartbeat(session: Session, claim_id: str, *, actor: Actor, now: datetime, lasts: timedelta) -> PetitionRow:
    """Keep the petition for another `lasts`; raises as `held` does."""
    petition = held(session, claim_id, actor=actor)
    petition.claim_expires_at = now + lasts
    return petition


def release(session: Session, claim_id: str, *, actor: Actor, now: datetime) -> PetitionRow:
    """Put the petition back; raises as `held` does."""
    petition = held(session, claim_id, actor=actor)
    end(session, petition, now=now, how="released", by=actor.id)
    petition.version += 1
    _record(session, petition, actor, "petition.released")
    return petition


def force_release(session: Session, petition_id: str, *, actor: Actor, reason: str, now: datetime) -> PetitionRow:
    """Take the petition out of somebody's hands, on record; raises 404, and 409 where nobody holds it."""
    petition = get(session, petition_id, lock=True)
    if not petition.claim_id:
        raise Problem(409, code="not_held", detail="此件目前无人办理。")
    holder = petition.claimed_by or ""
    end(session, petition, now=now, how="forced", by=actor.id)
    petition.version += 1
    _record(session, petition, actor, "petition.force_released", holder=holder, reason=reason)
    return petition
