"""The settings and the store, opened for one command."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from nlp.errors import PetitionError
from serving.settings import Settings
from serving.store.engine import Store


class SettingsError(PetitionError):
    """The environment holds settings that are not allowed."""


def read_settings(**changes: object) -> Settings:
    """Return the settings of the environment with `changes` that are not None; raises SettingsError."""
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        return Settings.model_validate(Settings().model_dump() | given) if given else Settings()
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise SettingsError("设置有误：\n" + "\n".join(f"- {fault}" for fault in faults)) from error


@contextmanager
def opened_store() -> Iterator[Store]:
    """Yield the store of the environment's settings, at this program's version."""
    settings = read_settings()
    store = Store(settings.database_url, pool=2)
    try:
        store.prepare(auto_migrate=settings.auto_migrate)
        yield store
    finally:
        store.close()
