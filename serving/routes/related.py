"""GET /v1/petitions/{id}/related: what a petition may be the same as."""

from typing import Annotated

from fastapi import APIRouter, Depends

from serving.access import Allowed
from serving.context import Ctx
from serving.relations import related_to
from serving.roles import Actor
from serving.routes.petitions import PetitionId
from serving.schemas.related import RelatedOut

router = APIRouter(prefix="/v1/petitions", tags=["petitions"])

Reader = Annotated[Actor, Depends(Allowed("find_related"))]

PATIENCE = 5.0
"""Seconds a caller waits for the first reading of what is stored."""


@router.get("/{petition_id}/related", summary="可能相同或相近的信访件")
def read_related(petition_id: PetitionId, context: Ctx, actor: Reader) -> RelatedOut:
    """Return stored petitions that may be the same text or matter, and what only the later one of each pair tells.

    409 while the review of the petition is blind: what others were decided as would give the suggestion away.
    """
    return related_to(context, petition_id, actor, patience=PATIENCE)
