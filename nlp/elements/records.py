"""What the elements step returns: spans of the original with their type, and the place of the problem."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from nlp.divisions import DivisionLevel

ElementType = Literal["place", "home_place", "time", "unit", "amount", "people", "prior", "request"]
ELEMENT_TYPES: tuple[ElementType, ...] = (
    "place", "home_place", "time", "unit", "amount", "people", "prior", "request",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """One registration element at `[start, end)` of the original text.

    `kind` narrows the type (a unit: 公安机关; an amount: 元; a prior handling: 已投诉), `level` is the administrative
    level of a place or unit where it shows, `value` a number where one can be read (yuan, people; the smallest meant).
    """

    type: ElementType
    start: int
    end: int
    kind: str = ""
    level: str = ""
    value: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Jurisdiction:
    """Where the problem lies, as far as the text tells; decides the office (条例第5条(三)、第20条第4款).

    `names` holds what is known by level. `code` is the division code of the narrowest level that the gazetteer
    knows without doubt, empty for places anonymised at source (A市). `candidates` lists codes when a name fits
    several places.
    """

    names: Mapping[DivisionLevel, str] = field(default_factory=dict)
    code: str = ""
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Elements:
    """All elements of one petition in text order, and where the problem lies."""

    found: tuple[Element, ...]
    jurisdiction: Jurisdiction

    def of_type(self, element_type: ElementType) -> tuple[Element, ...]:
        """Return the elements of one type in text order."""
        return tuple(element for element in self.found if element.type == element_type)
