"""What every request handler of one app shares, and how a handler gets at it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from serving.metrics import Metrics
from serving.model_host import ModelHost
from serving.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """The parts of one running app."""

    settings: Settings
    metrics: Metrics
    host: ModelHost


def get_context(request: Request) -> Context:
    """Return the parts of the app that serves `request`."""
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(get_context)]
