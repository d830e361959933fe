"""What every request handler of one app shares, and how a handler gets at it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from serving.metrics import Metrics
from serving.model_host import ModelHost
from serving.rates import Rates
from serving.related import RelatedPetitions
from serving.seal import Seal
from serving.settings import Settings
from serving.store.engine import Store

if TYPE_CHECKING:
    from serving.telemetry import Telemetry  # its libraries are optional


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """The parts of one running app; `now` is its clock, `telemetry` None where no span is wanted."""

    settings: Settings
    metrics: Metrics
    host: ModelHost
    store: Store
    related: RelatedPetitions
    seal: Seal
    rates: Rates
    now: Callable[[], datetime]
    telemetry: "Telemetry | None" = None

    @property
    def claim_lasts(self) -> timedelta:
        """How long a claim holds without a heartbeat."""
        return timedelta(minutes=self.settings.claim_minutes)


def get_context(request: Request) -> Context:
    """Return the parts of the app that serves `request`."""
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(get_context)]
