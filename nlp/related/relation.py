"""What two petitions may be to each other, and how that is said to the clerk."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nlp.elements import ElementType, find_elements
from nlp.petition import Masked

Relation = Literal["same_text", "near_duplicate", "same_matter"]
RELATIONS: tuple[Relation, ...] = ("same_text", "near_duplicate", "same_matter")
"""From the surest to the least sure."""

NEAR_DUPLICATE = 0.45
"""Estimated share of common n-grams from which two texts are near-duplicates; see docs/related.md."""
CAMPAIGN = 5
"""Relatives from which a petition may be one of a campaign: five make a collective visit (业务口径，memory)."""

_SAID: dict[Relation, str] = {
    "same_text": "文字完全相同，可能是同一件",
    "near_duplicate": "文字大部分相同，可能是重复提交或者同一模板",
    "same_matter": "反映的事项相近，可能是同一事项",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """One stored petition the new one may be related to; shares are 0 to 1 (text: n-grams, matter: rare n-grams)."""

    petition_id: str
    relation: Relation
    text_share: float
    matter_share: float

    @property
    def rank(self) -> int:
        """Place of the relation among `RELATIONS`."""
        return RELATIONS.index(self.relation)

    @property
    def likeness(self) -> float:
        """The share that the relation stands on."""
        return self.matter_share if self.relation == "same_matter" else self.text_share

    @property
    def message(self) -> str:
        """What the clerk reads; only ever a possibility."""
        shares = f"文字相同约{self.text_share:.0%}，少见词语相同约{self.matter_share:.0%}"
        return f"{_SAID[self.relation]}（{shares}），请人工核对"


@dataclass(frozen=True, kw_only=True, slots=True)
class Related:
    """The answer to a query: matches, surest first; `n_found` counts those cut off too."""

    matches: tuple[Match, ...]
    n_found: int
    campaign: bool

    @property
    def message(self) -> str:
        """One sentence for the clerk; empty when nothing was found."""
        if not self.matches:
            return ""
        if self.campaign:
            return f"发现{self.n_found}件相近来件，可能是多人反映同一事项，请人工核对，不自动合并"
        return f"发现{self.n_found}件可能相关的来件，请人工核对，不自动合并"


def likely_relation(*, same_text: bool, text: float, matter: float, bar: float) -> Relation | None:
    """Return the surest relation that the shares allow, None for none; `bar` is the `matter` share of one matter."""
    if same_text:
        return "same_text"
    if text >= NEAR_DUPLICATE:
        return "near_duplicate"
    return "same_matter" if matter >= bar else None


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What a later petition says that an earlier one does not: spans of its original, by kind of element."""

    spans: tuple[tuple[ElementType, int, int], ...]

    @property
    def message(self) -> str:
        """Whether new facts seem to be told; a person decides (条例第36条第3款: same facts)."""
        if self.spans:
            return f"有{len(self.spans)}处新的时间、金额、人数、单位或者办理经过，可能有新的事实或者理由，请人工核对"
        return "没有发现新的时间、金额、人数、单位或者办理经过，可能是重复反映，请人工核对"


_FACTS: frozenset[ElementType] = frozenset({"time", "amount", "people", "unit", "prior"})


def news_in(later: Masked, earlier: Masked) -> News:
    """Return the facts (times, amounts, numbers, units, handling) in `later` whose wording `earlier` does not hold."""
    return untold(facts_in(later), earlier)


Fact = tuple[ElementType, int, int, str]
"""Kind of element, start and end in the original, and its wording in the masked text."""


def facts_in(masked: Masked) -> tuple[Fact, ...]:
    """Return the facts a petition tells, to be compared with several others."""
    facts = ((e.type, e.start, e.end, _wording(masked, e.start, e.end)) for e in find_elements(masked).found)
    return tuple(fact for fact in facts if fact[0] in _FACTS and fact[3])


def untold(facts: Iterable[Fact], earlier: Masked) -> News:
    """Return those of the `facts` whose wording `earlier` does not hold, each wording once."""
    told = "".join(earlier.text.split())
    spans: dict[str, tuple[ElementType, int, int]] = {}
    for kind, start, end, wording in facts:
        if wording not in told:
            spans.setdefault(wording, (kind, start, end))
    return News(spans=tuple(spans.values()))


def _wording(masked: Masked, start: int, end: int) -> str:
    """Return the masked text that stands for `[start, end)` of the original, without white space."""
    standing = masked.text[bisect_left(masked.origin, start) : bisect_left(masked.origin, end)]
    return "".join(standing.split())
