"""What a table is, whatever file it came from."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row of data.

    `fault` is the typed error (`code:message`) of a row that cannot be trusted; `raw` then holds the line as it
    stood in the file if it could not even be split into cells.
    """

    cells: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""
    raw: str = ""


class Table(Protocol):
    """A readable table; `rows` may be asked for again and gives the same rows."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, unique and not empty."""
        ...

    @property
    def n_rows(self) -> int:
        """How many rows of data there are."""
        ...

    @property
    def for_excel(self) -> bool:
        """Whether the file looks as if it came from Excel, which needs a byte order mark to read UTF-8."""
        ...

    @property
    def notice(self) -> str:
        """What the user should know about how the file was read; usually empty."""
        ...

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the order of the file."""
        ...


def cell_text(value: Any) -> str:
    """Return a cell as text: nothing as the empty text, numbers and nested values as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return header cells as usable names: `列3` for an empty one, `名称_2` for the second of a name."""
    taken: dict[str, None] = {}
    for place, name in enumerate(names, start=1):
        base = name.strip() or f"列{place}"
        unique, n = base, 2
        while unique in taken:
            unique, n = f"{base}_{n}", n + 1
        taken[unique] = None
    return tuple(taken)
