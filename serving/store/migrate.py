"""Migrations, run from the program itself: the scripts travel in the wheel."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from nlp.errors import PetitionError

_SCRIPTS = Path(__file__).with_name("migrations")
_LOCK = 7_205_759  # any number that nothing else in this database locks with


class StoreError(PetitionError):
    """The database does not fit this program."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS.as_posix().replace("%", "%%"))
    return config


def head() -> str:
    """Return the version of the schema this program needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise StoreError("the program carries no migrations")
    return revision


def current(engine: Engine) -> str | None:
    """Return the version of the schema in the database, None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Bring the schema to `head`; several processes may try at once."""
    config = _config()
    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(engine: Engine) -> None:
    """Raise StoreError unless the schema is at `head`."""
    found, needed = current(engine), head()
    if found != needed:
        raise StoreError(
            f"数据库结构版本为 {found or '（空）'}，本程序需要 {needed}；请设 PETITION_AUTO_MIGRATE=true 后启动一次。"
        )
