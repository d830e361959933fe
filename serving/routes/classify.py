"""POST /v1/classify: suggestions without keeping anything."""

from typing import Annotated

from fastapi import APIRouter, Depends

from nlp.petition import Suggestion
from serving.access import Allowed
from serving.context import Ctx
from serving.errors import Problem
from serving.judging import judge, judge_one
from serving.roles import Actor
from serving.schemas.suggestion import ClassifyIn, ClassifyManyOut, ItemOut, PetitionIn, SuggestionOut

router = APIRouter(prefix="/v1", tags=["classify"])

Classifying = Annotated[Actor, Depends(Allowed("classify", open_by="open_classify"))]


@router.post("/classify", summary="研判一件或多件，不保存")
async def classify(body: ClassifyIn, context: Ctx, _: Classifying) -> SuggestionOut | ClassifyManyOut:
    """Judge one petition (`text`) or several (`items`); nothing is stored.

    Of several, one that cannot be judged carries its own `error` and does not fail the others.
    """
    if (body.text is None) == (body.items is None):
        raise Problem(422, code="text_or_items", detail="text 与 items 须且只须填一个。")
    if body.text is not None:
        one = PetitionIn(text=body.text, title=body.title, id=body.id)
        return SuggestionOut.of(await judge_one(context, one.petition()))
    items = body.items or []
    results = await judge(context, [item.petition() for item in items])
    return ClassifyManyOut(
        items=[
            ItemOut(id=item.id, suggestion=SuggestionOut.of(result))
            if isinstance(result, Suggestion)
            else ItemOut(id=item.id, error=str(result))
            for item, result in zip(items, results, strict=True)
        ]
    )
