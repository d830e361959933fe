"""The application factory: nothing is global, every app has its own parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from serving import errors, openapi
from serving.classifier import Classifier, LoadClassifier
from serving.context import Context
from serving.metrics import Metrics
from serving.middleware import BodyLimit, RequestLog
from serving.model_host import ModelHost
from serving.routes import classify, health, model
from serving.schemas.base import PROBLEMS
from serving.settings import Settings

DESCRIPTION = "信访事项研判与分办建议：内容分类、性质、法定途径、责任部门、可信度与依据。"


def load_router(bundle_dir: Path | None) -> Classifier:
    """Load the router with the bundle in `bundle_dir`, or the bundled default; raises BundleError."""
    from nlp.router import Router  # the model's libraries load in seconds: not before they are needed

    return Router.load(bundle_dir)


def create_app(
    settings: Settings, classifier: Classifier | None = None, *, load: LoadClassifier = load_router
) -> FastAPI:
    """Return an app that serves `classifier`, or the bundle of `settings` loaded with `load`."""
    metrics = Metrics()
    host = ModelHost(settings, load=load, metrics=metrics, classifier=classifier)
    context = Context(settings=settings, metrics=metrics, host=host)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        host.start()
        try:
            yield
        finally:
            await run_in_threadpool(host.close)

    app = FastAPI(
        title="信访事项研判",
        version=version("petition-router"),
        description=DESCRIPTION,
        docs_url=None,  # the default pages load scripts from a CDN
        redoc_url=None,
        lifespan=lifespan,
        responses=PROBLEMS,
    )
    app.state.context = context
    errors.install(app)
    for router in (health.router, classify.router, model.router):
        app.include_router(router)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, timeout=settings.body_timeout)
    app.add_middleware(RequestLog, metrics=metrics)

    def document() -> dict[str, Any]:
        return openapi.describe(app)

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app
