"""Who works together on several appeals, and what must never travel together.

The department of the whole petition leads, as the annotation guide takes the chief appeal for the whole; those of the
other appeals assist. An accusation of officials is registered and passed on by itself: its handler leads alone or not
at all, and whoever seems accused in the text assists nobody (条例30条3款, 46条(五)).
"""

from collections.abc import Sequence
from dataclasses import replace

from nlp.accused import ACCUSATION, seems_accused
from nlp.knowledge import Knowledge
from nlp.petition import AppealAnswer, Candidate, Reason
from nlp.routes import MOST_ASSISTING, Routing
from nlp.taxonomy import Taxonomy

_LAW = "条例30条3款、46条(五)"


def assisting(
    routing: Routing, answers: Sequence[AppealAnswer], *, text: str, knowledge: Knowledge, taxonomy: Taxonomy
) -> tuple[Candidate, ...]:
    """Return who is proposed to assist the department of `routing` on the appeals `answers` found in masked `text`.

    Departments of the other appeals come first, in text order, then those that the scene calls for; as few as without
    several appeals.
    """
    if routing.channel.best.code == ACCUSATION:
        return routing.co_departments
    own = [answer.predictions["department"].best for answer in answers if answer.predictions and not answer.accusation]
    proposed = {candidate.code: candidate for candidate in (*routing.co_departments, *own)}
    wanted = dict.fromkeys(candidate.code for candidate in (*own, *routing.co_departments))
    wanted.pop(routing.department.best.code, None)
    if any(answer.accusation for answer in answers):
        handlers = {taxonomy.acting(handler) for handler in taxonomy.channel(ACCUSATION).handlers}
        wanted = {
            code: None
            for code in wanted
            if code not in handlers and not seems_accused(code, text, knowledge=knowledge, taxonomy=taxonomy)
        }
    return tuple(proposed[code] for code in list(wanted)[:MOST_ASSISTING])


def warned(
    answers: Sequence[AppealAnswer], *, text: str, knowledge: Knowledge, taxonomy: Taxonomy
) -> tuple[AppealAnswer, ...]:
    """Return `answers` with a warning on each that accuses, and on each that would go to a body accused in another."""
    if not any(answer.accusation for answer in answers):
        return tuple(answers)
    found = []
    for answer in answers:
        department = answer.predictions["department"].best if answer.predictions else None
        message = ""
        if answer.accusation:
            message = f"涉及检举控告公职人员：单独登记、单独转送，不得转给被检举的人或单位（{_LAW}），须人工核定"
        elif department and seems_accused(department.code, text, knowledge=knowledge, taxonomy=taxonomy):
            message = (
                f"“{department.name}”可能是本件另一诉求中被检举的单位：只转本诉求的内容，检举材料不得转给它"
                f"（{_LAW}），须人工核定"
            )
        if message:
            warning = Reason(code="rule_conflict", detail="department", message=message)
            answer = replace(answer, reasons=(warning, *answer.reasons))
        found.append(answer)
    return tuple(found)
