"""Whether the handler named in a letter may be the one whom the petition accuses (条例30条3款)."""

from nlp.accused import accused_unit
from nlp.knowledge import Knowledge
from nlp.petition import Candidate, Prediction
from nlp.taxonomy import Department, Taxonomy


def warn_of_recipient(handler: str, text: str, *, knowledge: Knowledge, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Return what must be checked before an accusation, the masked `text`, goes to `handler`, a name in words."""
    if not handler.strip():
        return ()
    unit = _named_in(handler, taxonomy)
    if unit is None:
        return (
            f"检举控告送“{handler}”前先核对被检举的是不是它或其下级的人；是的，不得转给它"
            "（条例30条3款、46条(五)），须人工核定",
        )
    candidate = Candidate(code=unit.code, name=handler, confidence=0.0)
    department = Prediction(head="department", candidates=(candidate,))
    return tuple(reason.message for reason in accused_unit(department, (), text, knowledge, taxonomy, accused=True))


def _named_in(handler: str, taxonomy: Taxonomy) -> Department | None:
    """Return the department with the longest name that stands in `handler`."""
    named = [(name, unit) for unit in taxonomy.departments for name in (unit.name, *unit.aliases) if name in handler]
    return max(named, key=lambda pair: len(pair[0]))[1] if named else None
