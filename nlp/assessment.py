"""The law beside a suggestion: appeals, registration elements, what is missing, clocks and the transfer level.

A suggestion says where a petition should go; an assessment says what a clerk must register, ask, tell and watch.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from nlp.appeals import Appeals, accusations_apart, split_appeals
from nlp.deadlines import Clock, Receiver, TransferProposal, propose_transfer, start_clocks
from nlp.elements import Elements, find_elements, missing_items
from nlp.knowledge import Knowledge, RegistrationItem, Situation
from nlp.petition import Firing, Masked, Petition, Suggestion
from nlp.prepare import prepare
from nlp.rules.matters import find_matters


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """Everything of the law for one petition; spans refer to `Petition.content`.

    `situations` is what the text says has happened, on which clocks were started or left out.
    """

    appeals: Appeals
    elements: Elements
    missing: tuple[RegistrationItem, ...]
    situations: tuple[Situation, ...]
    clocks: tuple[Clock, ...]
    transfer: TransferProposal


def assess(
    petition: Petition,
    suggestion: Suggestion,
    *,
    knowledge: Knowledge,
    events: Mapping[str, date],
    receiver: Receiver = "petition_bureau",
    known: Collection[str] = (),
    n_times: int = 1,
    previous_closed: bool = False,
) -> Assessment:
    """Return the assessment of `petition` under `suggestion`.

    `events` are the days known so far, at least "received"; `known` the registration items the form already gives;
    `n_times` and `previous_closed` the history of the same matter. Raises ValueError for unknown events.
    """
    return assess_masked(
        prepare(petition),
        title_length=len(petition.title),
        channel=suggestion.predictions["channel"].best.code,
        firings=suggestion.firings,
        n_departments=len(suggestion.departments),
        knowledge=knowledge,
        events=events,
        receiver=receiver,
        known=known,
        n_times=n_times,
        previous_closed=previous_closed,
    )


def assess_masked(
    masked: Masked,
    *,
    title_length: int,
    channel: str,
    firings: Sequence[Firing],
    n_departments: int,
    knowledge: Knowledge,
    events: Mapping[str, date],
    receiver: Receiver = "petition_bureau",
    known: Collection[str] = (),
    n_times: int = 1,
    previous_closed: bool = False,
) -> Assessment:
    """Return the assessment of a text of which only the masked form is kept, under the `channel` that stands.

    `title_length` is that of the title at the start of the text that `masked.origin` counts in. Otherwise as `assess`.
    """
    elements = find_elements(masked, title_length=title_length)
    matters = find_matters(masked.text, knowledge=knowledge)
    return Assessment(
        appeals=split_appeals(masked, title_length=title_length, score=accusations_apart(knowledge)),
        elements=elements,
        missing=missing_items(masked, elements, registration=knowledge.registration, known=known),
        situations=tuple(seen.entry for seen in matters.situations),
        clocks=start_clocks(
            events,
            channel=channel,
            knowledge=knowledge,
            receiver=receiver,
            matters=tuple(seen.entry.code for seen in matters.alternatives),
            situations=matters.told,
            firings=firings,
        ),
        transfer=propose_transfer(
            knowledge=knowledge,
            firings=firings,
            n_people=_complainants(elements, firings),
            n_departments=n_departments,
            n_times=n_times,
            previous_closed=previous_closed,
        ),
    )


def _complainants(elements: Elements, firings: Sequence[Firing]) -> int | None:
    """Return how many complain together: a number in what shows them as a group, not of pupils or of a family."""
    groups = [firing for firing in firings if firing.code == "group_event" and firing.source == "rule"]
    counts = [
        int(people.value)
        for people in elements.of_type("people")
        if people.value is not None and any(group.start < people.end and people.start < group.end for group in groups)
    ]
    return max(counts, default=None)
