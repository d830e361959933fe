"""Recipes: a frozen dataclass filled from a TOML file and overridden from the command line.

An unknown key is an error, and so is a value of the wrong type: a recipe never silently does something else than
it says. Dataclasses refuse bad combinations in `__post_init__`, before anything is loaded.
"""

import dataclasses
import tomllib
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from nlp.errors import PetitionError

RECIPES = Path(__file__).parent / "recipes"

T = TypeVar("T")


class RecipeError(PetitionError):
    """A recipe has an unknown key, a value of the wrong type or a bad combination."""


def read_recipe(kind: type[T], path: Path, overrides: Sequence[str] = ()) -> T:
    """Build a `kind` from the TOML file at `path` and `key=value` overrides (values in TOML notation).

    Raises RecipeError naming the key at fault and the keys allowed.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"cannot read recipe {path}: {error}") from error
    for override in overrides:
        key, separator, value = override.partition("=")
        if not separator:
            raise RecipeError(f"override {override!r} is not of the form key=value")
        values[key.strip()] = _toml_value(value.strip())
    return build(kind, values, source=str(path))


def build(kind: type[T], values: Mapping[str, Any], *, source: str) -> T:
    """Build a dataclass of `kind` from plain `values`; nothing unknown, nothing of a wrong type."""
    hints = get_type_hints(kind)
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise RecipeError(f"{source}: unknown key(s) {', '.join(unknown)}; allowed: {', '.join(sorted(known))}")
    try:
        return kind(**{key: _coerced(value, hints[key], key=key, source=source) for key, value in values.items()})
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{source}: {error}") from error


def as_plain(settings: Any) -> dict[str, Any]:
    """Return the resolved settings as JSON-ready values, to be written beside what they produced."""
    return {
        key: str(value) if isinstance(value, Path) else value for key, value in dataclasses.asdict(settings).items()
    }


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _coerced(value: Any, hint: Any, *, key: str, source: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        return None if value is None else _coerced(value, options[0], key=key, source=source)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin is tuple and isinstance(value, list):
        return tuple(value)
    expected = origin or hint
    if isinstance(expected, type) and (
        not isinstance(value, expected) or (expected is not bool and isinstance(value, bool))
    ):
        raise RecipeError(f"{source}: {key} must be {expected.__name__}, got {value!r}")
    return value
