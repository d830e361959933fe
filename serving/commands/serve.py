"""petition serve."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from nlp.errors import BundleError, CollectedError
from nlp.knowledge import load_knowledge
from nlp.notices import check_templates
from nlp.taxonomy import load_taxonomy
from serving import logs
from serving.app import create_app
from serving.commands.opening import SettingsError, read_settings
from serving.context import utc_now
from serving.roles import COMMAND_LINE
from serving.settings import Settings
from serving.store import accounts
from serving.store.engine import Store


def make_app() -> FastAPI:
    """Return the app of one worker process: its settings come from the environment alone."""
    settings = Settings()
    logs.configure(settings.log_level)
    return create_app(settings)


def serve(
    host: Annotated[str | None, typer.Option(help="监听地址，默认 127.0.0.1。")] = None,
    port: Annotated[int | None, typer.Option(help="监听端口，默认 8000。")] = None,
    workers: Annotated[int | None, typer.Option(help="进程数；大于 1 须用 PostgreSQL。")] = None,
) -> None:
    """Run the server until it is told to stop."""
    settings = read_settings(host=host, port=port, workers=workers)
    logs.configure(settings.log_level)
    _check_own_choices(settings)
    _prepare(settings)
    typer.echo(f"信访事项研判：http://{settings.host}:{settings.port}/", err=True)
    for name in ("host", "port", "workers"):  # the worker processes read the environment
        os.environ[f"PETITION_{name.upper()}"] = str(getattr(settings, name))
    uvicorn.run(
        "serving.commands.serve:make_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=None,
        access_log=False,  # ours names the route, never the path
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=int(settings.shutdown_grace) + 5,
        # After uvicorn's 5 seconds a busy machine would have its workers killed, again and again, while they import.
        timeout_worker_healthcheck=120,
    )


def _check_own_choices(settings: Settings) -> None:
    """Refuse to start on what an office chose and is at fault, with every fault of all: the model loads much later."""
    faults = []
    checks: Sequence[tuple[Callable[[Path | None], object], Path | None]] = (
        (load_taxonomy, settings.taxonomy_overlay),
        (load_knowledge, settings.knowledge_overlay),
        (check_templates, settings.notice_templates),
    )
    for check, files in checks:
        try:
            check(files)
        except CollectedError as error:
            faults.append(str(error))
    if settings.error_budget is not None:
        from nlp.bundle import DEFAULT, Bundle  # the model's libraries load in seconds: not before they are needed

        try:
            Bundle(folder=settings.bundle or DEFAULT, id="").decision_thresholds(settings.error_budget)
        except BundleError as error:
            faults.append(f"PETITION_ERROR_BUDGET：{error}")
    if faults:
        raise SettingsError("没有启动，本机关的文件或设置有误。" + "\n".join(faults))


def _prepare(settings: Settings) -> None:
    """Bring the database up to date and, the first time, show how to sign in."""
    store = Store(settings.database_url, pool=2)
    try:
        store.prepare(auto_migrate=settings.auto_migrate)
        with store.write() as session:
            password = accounts.create_first_admin(session, actor=COMMAND_LINE, now=utc_now())
    finally:
        store.close()
    if password:
        typer.echo("", err=True)
        typer.echo("首次启动：已建立管理员账号（只显示这一次，首次登录须改口令）", err=True)
        typer.echo(f"  用户名  admin\n  口令    {password}\n", err=True)
