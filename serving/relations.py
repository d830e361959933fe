"""What a petition may be the same as, told to the API and the desk alike. Nothing is merged, a person decides."""

from nlp.knowledge import Knowledge
from nlp.petition import Certainty, Masked
from nlp.related import Fact, Match, Related, facts_in, untold
from serving.context import Context
from serving.errors import Problem
from serving.roles import Actor
from serving.schemas.related import NewFactOut, RelatedItemOut, RelatedOut
from serving.store import fingerprints, petitions
from serving.store.petitions import hides_suggestion
from serving.store.schema import PetitionRow

SHOWN = 20

_NOTICE = "notice_not_accept_again"
"""The notice whose basis says when a repeated petition is not taken on again: same facts and reasons."""

Stored = dict[str, tuple[PetitionRow, int]]
"""Petitions by id, each with its place in the order of submission."""


def related_to(context: Context, petition_id: str, actor: Actor, *, patience: float) -> RelatedOut:
    """Return what a petition may be the same as; raises the problems 404, 409 (blind) and 503 (still reading)."""
    with context.store.read() as session:
        petition = petitions.get(session, petition_id, actor=actor)
        fingerprint = fingerprints.find(session, petition_id)
    if hides_suggestion(petition):
        raise Problem(409, code="blind_review", detail="此件在抽样盲审，提交之后才查找相关信访件。")
    knowledge = context.host.classifier.knowledge
    if fingerprint is None:
        nothing = Related(matches=(), n_found=0, campaign=False)
        return _told(petition, nothing, stored={}, knowledge=knowledge)
    while True:
        related = context.related.like(fingerprint, ignore=petition_id, patience=patience)
        with context.store.read() as session:
            stored = fingerprints.living(session, [petition_id, *(match.petition_id for match in related.matches)])
        purged = [match.petition_id for match in related.matches if match.petition_id not in stored]
        if not purged:
            return _told(petition, related, stored=stored, knowledge=knowledge)
        context.related.forget(purged)


def _told(petition: PetitionRow, related: Related, *, stored: Stored, knowledge: Knowledge) -> RelatedOut:
    facts = facts_in(_masked(petition)) if related.matches else ()
    basis, certainty = _basis(knowledge)
    return RelatedOut(
        id=petition.id,
        items=[_item(match, petition, facts, stored) for match in related.matches[:SHOWN]],
        n_found=related.n_found,
        campaign=related.campaign,
        message=related.message,
        basis=basis,
        certainty=certainty,
    )


def _item(match: Match, petition: PetitionRow, facts: tuple[Fact, ...], stored: Stored) -> RelatedItemOut:
    other, seq = stored[match.petition_id]
    came_later = petition.id in stored and seq > stored[petition.id][1]
    news = untold(facts_in(_masked(other)), _masked(petition)) if came_later else untold(facts, _masked(other))
    later = other if came_later else petition
    return RelatedItemOut.model_validate(
        {
            "id": other.id,
            "received_at": other.received_at,
            "state": other.state,
            "relation": match.relation,
            "message": match.message,
            "text_share": match.text_share,
            "matter_share": match.matter_share,
            "came_later": came_later,
            "news": [NewFactOut(type=t, span=(a, b), text=later.content[a:b]) for t, a, b in news.spans],
            "news_message": news.message,
        }
    )


def _masked(petition: PetitionRow) -> Masked:
    """Return the kept text as the record that finding facts takes; spans count in it."""
    return Masked(text=petition.content, origin=tuple(range(len(petition.content))))


def _basis(knowledge: Knowledge) -> tuple[str, Certainty | None]:
    found = next((notice for notice in knowledge.notices if notice.code == _NOTICE), None)
    return (found.basis, found.certainty) if found else ("", None)
