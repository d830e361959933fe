"""Petitions through the model's queue and back, for every route that judges."""

import asyncio
from collections.abc import Sequence

from nlp.errors import PetitionError
from nlp.petition import Petition, Suggestion
from serving.context import Context
from serving.errors import Problem, busy
from serving.model_worker import QueueFull, WorkerClosed


def check_size(context: Context, petitions: Sequence[Petition]) -> None:
    """Raise the 422 problem where there are too many petitions or one is too long."""
    settings = context.settings
    if len(petitions) > settings.max_items:
        raise Problem(
            422,
            code="too_many_items",
            detail=f"一次最多 {settings.max_items} 件，收到 {len(petitions)} 件；更多请用 petition triage。",
        )
    for number, petition in enumerate(petitions, start=1):
        if len(petition.content) > settings.max_text_chars:
            raise Problem(
                422,
                code="text_too_long",
                detail=f"第 {number} 件有 {len(petition.content)} 字，上限 {settings.max_text_chars} 字。",
            )


async def judge(context: Context, petitions: Sequence[Petition]) -> list[Suggestion | PetitionError]:
    """Return what the router says of each petition, or its typed error.

    Raises the problems 422 (size), 429 (queue full) and 503 (no model, or no answer in time).
    """
    check_size(context, petitions)
    try:
        futures = context.host.submit(list(petitions))
    except QueueFull as error:
        raise busy() from error
    waiting = [asyncio.wrap_future(future) for future in futures]
    try:
        async with asyncio.timeout(context.settings.answer_timeout):
            results = await asyncio.gather(*waiting, return_exceptions=True)
    except TimeoutError as error:
        raise Problem(
            503, code="answer_timeout", detail="研判超时，请稍后重试。", headers={"Retry-After": "5"}
        ) from error
    if context.telemetry:
        context.telemetry.note([result.times for result in results if isinstance(result, Suggestion)])
    return [_usable(context, result) for result in results]


def _usable(context: Context, result: Suggestion | BaseException) -> Suggestion | PetitionError:
    if isinstance(result, WorkerClosed):
        raise context.host.not_ready()
    if isinstance(result, PetitionError | Suggestion):
        return result
    raise result


async def judge_one(context: Context, petition: Petition) -> Suggestion:
    """Return the suggestion for one petition; raises PetitionError where it cannot be judged."""
    (result,) = await judge(context, [petition])
    if isinstance(result, PetitionError):
        raise result
    return result
