"""The panel 可能与以下信访件相同: what a petition may be the same as, or why that is not told."""

from dataclasses import dataclass
from typing import ClassVar

from serving.context import Context
from serving.errors import Problem
from serving.relations import related_to
from serving.roles import Actor
from serving.schemas.related import RelatedOut

_PATIENCE = 1.0
"""Seconds a page waits for the first reading of what is stored."""
_TOLD = frozenset({"blind_review", "related_loading"})
"""Refusals that the panel tells in its place; the rest of the page is shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RelatedView:
    """The answer, or in `note` why there is none."""

    SHOWN: ClassVar[int] = 5
    """Shown at once; the others are folded away."""

    answer: RelatedOut | None = None
    note: str = ""


def related_view(context: Context, petition_id: str, actor: Actor) -> RelatedView | None:
    """Return the panel of a petition; None for a role that is not told. Raises 404."""
    if not actor.may("find_related"):
        return None
    try:
        return RelatedView(answer=related_to(context, petition_id, actor, patience=_PATIENCE))
    except Problem as problem:
        if problem.code not in _TOLD:
            raise
        return RelatedView(note=problem.detail)
