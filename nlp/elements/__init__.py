"""Registration elements of a petition: what happened where, when, whom it concerns, what was done, what is asked.

`find_elements` works on masked text and reports spans of the original. Nothing here judges the petitioner or the
truth of what is told. Meaning and measured quality: docs/elements.md.
"""

from bisect import bisect_left
from collections.abc import Iterator

from nlp.elements.completeness import missing_items
from nlp.elements.handling import find_handling
from nlp.elements.places import Place, find_places, jurisdiction
from nlp.elements.quantities import find_amounts, find_people
from nlp.elements.records import ELEMENT_TYPES, Element, Elements, ElementType, Jurisdiction
from nlp.elements.requests import find_requests
from nlp.elements.times import find_times
from nlp.elements.units import OFFICES, find_units
from nlp.petition import Masked

__all__ = ["ELEMENT_TYPES", "Element", "ElementType", "Elements", "Jurisdiction", "find_elements", "missing_items"]


def find_elements(masked: Masked, *, title_length: int = 0) -> Elements:
    """Return the elements of a petition and the place of the problem.

    `title_length` is that of the title at the start of the original (0 without a title).
    """
    text = masked.text
    title_end = bisect_left(masked.origin, title_length)
    places = find_places(text)
    found = sorted(_all(text, places, title_end), key=lambda element: (element.start, element.end))
    return Elements(
        found=tuple(_in_original(element, masked) for element in found),
        jurisdiction=jurisdiction(places, title_end=title_end),
    )


def _all(text: str, places: tuple[Place, ...], title_end: int) -> Iterator[Element]:
    """Yield every element with its span in the masked text."""
    units = tuple(find_units(text))
    for unit in units:
        yield Element(type="unit", start=unit.start, end=unit.end, kind=unit.kind, level=unit.level)
    for place in places:
        # In the name of an office (A7县教育局) a place tells the office's level, elsewhere where something is.
        if not any(unit.start <= place.start and place.end <= unit.end and unit.kind in OFFICES for unit in units):
            yield Element(
                type="home_place" if place.home else ("place"), start=place.start, end=place.end, level=place.level
            )
    for start, end in find_times(text):
        yield Element(type="time", start=start, end=end)
    for start, end, value in find_amounts(text):
        yield Element(type="amount", start=start, end=end, kind="元", value=value)
    for start, end, kind, count in find_people(text):
        yield Element(type="people", start=start, end=end, kind=kind, value=float(count))
    for start, end, kind in find_handling(text):
        yield Element(type="prior", start=start, end=end, kind=kind)
    for start, end in find_requests(text, title_end=title_end):
        yield Element(type="request", start=start, end=end)


def _in_original(element: Element, masked: Masked) -> Element:
    """Return the element with its span in the citizen's own text."""
    start, end = masked.original_span(element.start, element.end)
    return Element(type=element.type, start=start, end=end, kind=element.kind, level=element.level, value=element.value)
