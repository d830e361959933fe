"""The application factory: nothing is global, every app has its own parts."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from serving import errors, openapi
from serving.classifier import Classifier, LoadClassifier
from serving.context import Context, utc_now
from serving.metrics import Metrics
from serving.middleware import BodyLimit, RequestLog
from serving.model_host import ModelHost
from serving.rates import Rates
from serving.related import RelatedPetitions
from serving.routes import accounts as account_routes
from serving.routes import (
    claims,
    classify,
    decisions,
    health,
    insight,
    law,
    model,
    notices,
    pages_law,
    pages_office,
    pages_parts,
    pages_work,
    petitions,
    related,
    session,
)
from serving.schemas.base import PROBLEMS
from serving.seal import Seal
from serving.settings import Settings
from serving.store import accounts, idempotency
from serving.store.engine import Store
from serving.web import pages, visitors

if TYPE_CHECKING:
    from serving.telemetry import Telemetry

DESCRIPTION = "信访事项研判与分办建议：内容分类、性质、法定途径、责任部门、可信度与依据。"
ROUTERS = (
    health.router,
    classify.router,
    law.router,
    notices.router,
    model.router,
    petitions.router,
    related.router,
    claims.router,
    decisions.router,
    insight.router,
    session.router,
    account_routes.router,
    pages.router,
    pages_parts.router,
    pages_work.router,
    pages_law.router,
    pages_office.router,
)
_IDEMPOTENCY_LASTS = timedelta(days=7)


def router_loader(settings: Settings) -> LoadClassifier:
    """Return what loads the router with a bundle; whichever it is, the office's overlays are read with it."""

    def load(bundle_dir: Path | None) -> Classifier:
        from nlp.router import Router  # the model's libraries load in seconds: not before they are needed

        return Router.load(
            bundle_dir,
            taxonomy_overlay=settings.taxonomy_overlay,
            knowledge_overlay=settings.knowledge_overlay,
            error_budget=settings.error_budget,
        )

    return load


def open_telemetry(settings: Settings) -> "Telemetry | None":
    """Return where spans go, None where no setting asks for them."""
    if not settings.telemetry_endpoint:
        return None
    from serving.telemetry import Telemetry  # its libraries are optional

    return Telemetry.to(settings.telemetry_endpoint)


def create_app(
    settings: Settings,
    classifier: Classifier | None = None,
    *,
    load: LoadClassifier | None = None,
    now: Callable[[], datetime] = utc_now,
    telemetry: "Telemetry | None" = None,
) -> FastAPI:
    """Return an app that serves `classifier`, or the bundle of `settings` loaded with `load` (None: as a router)."""
    metrics = Metrics()
    telemetry = telemetry or open_telemetry(settings)
    store = Store(settings.database_url, pool=settings.database_pool)
    context = Context(
        settings=settings,
        metrics=metrics,
        host=ModelHost(settings, load=load or router_loader(settings), metrics=metrics, classifier=classifier),
        store=store,
        related=RelatedPetitions(store),
        seal=Seal(settings),
        rates=Rates(settings),
        now=now,
        telemetry=telemetry,
    )
    app = FastAPI(
        title="信访事项研判",
        version=version("petition-router"),
        description=DESCRIPTION,
        docs_url=None,  # the default pages load scripts from a CDN
        redoc_url=None,
        lifespan=_lifespan,
        responses=PROBLEMS,
    )
    app.state.context = context
    errors.install(app, respond=visitors.respond)
    app.mount("/static", StaticFiles(packages=[("serving.web", "static")]), name="static")
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, timeout=settings.body_timeout)
    app.add_middleware(RequestLog, metrics=metrics)
    if telemetry:
        from serving.telemetry import Spans

        app.add_middleware(Spans, telemetry=telemetry)

    def document() -> dict[str, Any]:
        return openapi.describe(app, ROUTERS)

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    await run_in_threadpool(_open, context)
    try:
        yield
    finally:
        await run_in_threadpool(context.host.close)
        context.related.close()
        context.store.close()
        if context.telemetry:
            context.telemetry.close()


def _open(context: Context) -> None:
    context.store.prepare(auto_migrate=context.settings.auto_migrate)
    now = context.now()
    with context.store.write() as session:
        accounts.forget_old_sessions(session, now=now)
        idempotency.forget(session, before=now - _IDEMPOTENCY_LASTS)
    context.related.start()
    context.host.start()
