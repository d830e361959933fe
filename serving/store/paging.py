"""Orders in which petitions are listed, and the cursors that go on where a page ended.

A cursor holds the sort keys of the page's last row, so that what comes in or leaves meanwhile shifts nothing.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

from serving.errors import Problem
from serving.store.schema import PetitionRow


@dataclass(frozen=True, kw_only=True, slots=True)
class SortKey:
    """One column of an order and the type of its values."""

    column: InstrumentedAttribute[Any]
    kind: type
    descending: bool = False

    @property
    def clause(self) -> UnaryExpression[Any]:
        """What ORDER BY takes."""
        return self.column.desc() if self.descending else self.column.asc()

    def after(self, value: Any) -> ColumnElement[bool]:
        """Return what holds of the rows that this column alone puts after `value`."""
        found: ColumnElement[bool] = self.column < value if self.descending else self.column > value
        return found


Order = tuple[SortKey, ...]

NEWEST: Order = (
    SortKey(column=PetitionRow.received_at, kind=datetime, descending=True),
    SortKey(column=PetitionRow.id, kind=str, descending=True),
)
"""Latest received first."""

PRESSING: Order = (
    SortKey(column=PetitionRow.urgency, kind=int),
    SortKey(column=PetitionRow.due_at, kind=datetime),
    SortKey(column=PetitionRow.uncertainty, kind=float, descending=True),
    SortKey(column=PetitionRow.id, kind=str),
)
"""By level, then statutory days left, then uncertainty: the order in which petitions are handed out."""


def clauses(order: Order) -> tuple[UnaryExpression[Any], ...]:
    """Return what ORDER BY takes for `order`."""
    return tuple(key.clause for key in order)


def after(order: Order, cursor: str) -> ColumnElement[bool]:
    """Return what holds of the rows behind `cursor` in `order`; raises the 422 problem for a cursor that is none."""
    values = _read(order, cursor)
    ties = [key.column == value for key, value in zip(order, values, strict=True)]
    return or_(*(and_(*ties[:n], key.after(values[n])) for n, key in enumerate(order)))


def cursor_at(order: Order, row: PetitionRow) -> str:
    """Return the cursor of the page that goes on after `row`."""
    values = [getattr(row, key.column.key) for key in order]
    raw = json.dumps([value.isoformat() if isinstance(value, datetime) else value for value in values])
    return base64.urlsafe_b64encode(raw.encode()).decode()


def _read(order: Order, cursor: str) -> list[Any]:
    try:
        given = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return [_value(key.kind, value) for key, value in zip(order, given, strict=True)]
    except (binascii.Error, ValueError, TypeError) as error:
        raise Problem(422, code="bad_cursor", detail="cursor 须取自上一页的 next_cursor。") from error


def _value(kind: type, given: Any) -> Any:
    """Return a member of a cursor as a value of its column; raises ValueError or TypeError for any other."""
    if kind is datetime:
        moment = datetime.fromisoformat(given)
        if moment.tzinfo is None:
            raise ValueError("a moment without its zone")
        return moment
    if type(given) is not kind:
        raise TypeError(f"{kind.__name__} expected")
    return given
