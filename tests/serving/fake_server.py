"""The app with the fake classifier in processes of its own, for tests that kill it: `python fake_server.py`.

Settings come from the environment, as those of `petition serve` do.
"""

import importlib.util
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from serving import logs
from serving.app import create_app
from serving.settings import Settings

HERE = Path(__file__).parent


def make_app() -> FastAPI:
    spec = importlib.util.spec_from_file_location("fakes", HERE / "conftest.py")
    assert spec
    assert spec.loader
    fakes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fakes)
    settings = Settings()
    logs.configure(settings.log_level)
    return create_app(settings, fakes.FakeClassifier())


if __name__ == "__main__":
    settings = Settings()
    uvicorn.run(
        "fake_server:make_app",
        factory=True,
        app_dir=str(HERE),
        port=settings.port,
        workers=settings.workers,
        log_config=None,
        access_log=False,
        timeout_worker_healthcheck=120,
    )
