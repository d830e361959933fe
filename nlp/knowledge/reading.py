"""Read YAML files into records and say everything that is wrong with them at once."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from nlp.errors import KnowledgeError

Record = TypeVar("Record")


def read_yaml(path: Path) -> Any:
    """Return the content of one YAML file; raises KnowledgeError when it cannot be read or is no YAML."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(str(path), [f"the file cannot be read: {error}"]) from error
    except yaml.YAMLError as error:
        detail = " ".join(str(error).split())
        raise KnowledgeError(str(path), [f"the file is not valid YAML: {detail}"]) from error


def parse(kind: type[Record], entries: Iterable[object], *, section: str, faults: list[str]) -> tuple[Record, ...]:
    """Return the well-formed entries as records of `kind`; what is wrong with the others goes to `faults`."""
    adapter = TypeAdapter(kind)
    records = []
    for number, entry in enumerate(entries, start=1):
        try:
            records.append(adapter.validate_python(entry))
        except ValidationError as error:
            where = entry.get("code", f"entry {number}") if isinstance(entry, dict) else f"entry {number}"
            details = error.errors(include_url=False)
            faults.extend(f"{section} {where}: {_sentence(detail)}" for detail in details)
    return tuple(records)


def _sentence(detail: ErrorDetails) -> str:
    """Turn one pydantic error into `field: what is wrong (given …)`."""
    field = ".".join(str(part) for part in detail["loc"]) or "entry"
    given = "" if detail["type"] == "missing" else f" (given {detail['input']!r:.60})"
    return f"{field}: {detail['msg']}{given}"


def repeated(codes: Sequence[str]) -> list[str]:
    """Return the codes that occur more than once, each once, sorted."""
    return sorted({code for code in codes if codes.count(code) > 1})
