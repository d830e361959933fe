"""Connections to the database: SQLite (WAL) or PostgreSQL, behind `read` and `write`."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session

from serving.store import migrate

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # what was acknowledged survives a power cut, not only a killed process
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=30000",
    "PRAGMA secure_delete=ON",  # purged text is overwritten, not merely unlinked
)


def make_engine(url: str, *, pool: int = 10) -> Engine:
    """Return an engine whose errors never carry parameters, so that no text reaches a log through them."""
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite_engine(url, pool=pool)
    return create_engine(url, pool_size=pool, max_overflow=0, pool_pre_ping=True, hide_parameters=True)


def _sqlite_engine(url: str, *, pool: int) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        folder = Path(path).parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 30},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        raw: sqlite3.Connection = connection
        raw.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in _SQLITE_PRAGMAS:
            raw.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its place in the line at once: a transaction that starts reading and then writes
        # would fail with "database is locked" as soon as another one wrote in between.
        immediate = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


class Store:
    """The database of one server process."""

    def __init__(self, url: str, *, pool: int = 10) -> None:
        """Connect lazily to the database at `url`."""
        self.engine = make_engine(url, pool=pool)
        self._writer = self.engine.execution_options(writes=True)

    def prepare(self, *, auto_migrate: bool) -> None:
        """Bring the database to the version of this program, or raise StoreError where it is another."""
        if auto_migrate:
            migrate.upgrade(self.engine)
        else:
            migrate.check(self.engine)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session that sees one consistent state; nothing it changes is kept."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session whose changes are kept all together at the end, or not at all."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
