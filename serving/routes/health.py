"""Liveness, readiness and metrics."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST

from serving.access import Allowed
from serving.context import Ctx
from serving.roles import Actor
from serving.schemas.model import StateOut

router = APIRouter(tags=["health"])

Scraper = Annotated[Actor, Depends(Allowed("metrics", open_by="open_metrics"))]


@router.get("/healthz", summary="进程是否存活")
async def healthz() -> StateOut:
    """Answer as long as the process serves requests."""
    return StateOut(status="ok")


@router.get("/readyz", summary="是否可以研判")
async def readyz(context: Ctx) -> StateOut:
    """Answer 200 once the model is warmed up, else the 503 problem that says why not."""
    if not context.host.ready:
        raise context.host.not_ready()
    return StateOut(status="ready")


@router.get("/metrics", summary="Prometheus 指标", response_class=Response)
async def metrics(context: Ctx, _: Scraper) -> Response:
    """Return the metrics of this process in the Prometheus text format."""
    return Response(context.metrics.render(), media_type=CONTENT_TYPE_LATEST)
