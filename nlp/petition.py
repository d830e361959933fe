"""The records that the stages of the router speak, in the order in which a petition meets them.

All offsets are counted in Unicode code points. "Original" always means `Petition.content`, the text as
the citizen wrote it: stages that rewrite text carry a map back, so whatever is shown to a clerk can be
highlighted in the citizen's own words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Head = Literal["category_l1", "category_l2", "nature", "channel", "department"]
HEADS: tuple[Head, ...] = ("category_l1", "category_l2", "nature", "channel", "department")

Level = Literal["S", "A", "B"]
"""Urgency of a person's look: S within minutes, A the same day, B within working days."""

Certainty = Literal["verified", "seed", "memory", "inferred", "local"]
"""How sure we are of a piece of law or practice; see docs/knowledge.md."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Petition:
    """One free-text petition as received."""

    text: str
    title: str = ""
    id: str | None = None

    @property
    def content(self) -> str:
        """Title and text as one string, joined by a newline: what all offsets refer to."""
        return f"{self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Normalised:
    """Text in the one spelling the model knows, with a map back.

    `origin[i]` is the offset in the original of the character that became `text[i]`.
    """

    text: str
    origin: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Redaction:
    """A piece of personal data that was replaced: its kind and where it stood in the original, never what it said."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Masked:
    """Normalised text whose personal data has given way to typed placeholders such as `[姓名]`.

    `origin[i]` maps `text[i]` to the original; every character of a placeholder maps to the start of
    what it replaced.
    """

    text: str
    origin: tuple[int, ...]
    redactions: tuple[Redaction, ...] = ()

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the original that covers `text[start:end]` (start < end)."""
        first = self.origin[start]
        last = self.origin[end - 1] + 1
        covering = max((r.end for r in self.redactions if r.start <= self.origin[end - 1] < r.end), default=last)
        return first, covering

    def part(self, spans: Sequence[tuple[int, int]]) -> "Masked":
        """Return the parts of the text at `spans`, one after another, as a masked text of its own."""
        return Masked(
            text="".join(self.text[start:end] for start, end in spans),
            origin=tuple(place for start, end in spans for place in self.origin[start:end]),
            redactions=self.redactions,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """Calibrated probabilities per head; `probabilities[head]` has shape (labels of that head,) and sums to 1."""

    probabilities: Mapping[Head, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One possible answer of a head."""

    code: str
    name: str
    confidence: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """What one head says: its candidates, best first, at least one."""

    head: Head
    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        """The most probable candidate."""
        return self.candidates[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Firing:
    """One must-review rule that found something in a petition, or that the model suspects to be met."""

    code: str
    level: Level
    name: str
    start: int
    end: int
    basis: str
    certainty: Certainty
    action: str
    source: Literal["rule", "model"] = "rule"


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteOption:
    """One legal channel that is open for the matter; where several are, the petitioner is told and chooses.

    `to` says to whom one turns and `limit` by when, with the article; both in words, empty where not known.
    """

    channel: str
    name: str
    basis: str
    certainty: Certainty
    note: str = ""
    effect: str = ""
    to: str = ""
    limit: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A span of the original that raised the probability of a head's answer by `weight` (0 to 1)."""

    head: Head
    code: str
    start: int
    end: int
    weight: float


ReasonCode = Literal[
    "low_confidence",
    "close_call",
    "must_review",
    "too_short",
    "several_appeals",
    "out_of_distribution",
    "multi_route",
    "rule_conflict",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a person must look: a code for queues and statistics, a Chinese sentence for the clerk.

    `detail` narrows the code: the head in doubt, or the must-review rule that fired.
    """

    code: ReasonCode
    message: str
    detail: str = ""

    @property
    def key(self) -> str:
        """`code` or `code:detail`, the form used in tables and queues."""
        return f"{self.code}:{self.detail}" if self.detail else self.code


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Whether a clerk may accept the suggestion as it stands (`auto`) or a person must decide (`review`)."""

    action: Literal["auto", "review"]
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StageTimes:
    """Seconds that a petition spent in each stage.

    `queue`: waiting for the model, 0 where nothing waits; `tokenise`: normalising, masking, cutting into pieces and
    n-grams; `infer`: both branches; `decide`: calibration, routes, rules, thresholds, evidence, and all stages of each
    appeal where there are several.
    """

    queue: float = 0.0
    tokenise: float = 0.0
    infer: float = 0.0
    decide: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AppealAnswer:
    """The router's answer for one of several appeals; `spans` count in the original, in text order.

    `predictions` is empty where the appeal has too few words to be judged: the whole petition's answer would name the
    department of another appeal, so a person is asked instead, and `reasons` says so. `accusation` tells that officials
    are accused in it; such an appeal is registered and passed on by itself.
    """

    spans: tuple[tuple[int, int], ...]
    predictions: Mapping[Head, Prediction]
    channel_alternatives: tuple[RouteOption, ...] = ()
    legal_basis: str = ""
    accusation: bool = False
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """The router's whole answer for one petition.

    `n_appeals` is the number of requests that may need handling apart, at least 1; `appeals` are the answers to those
    that were told apart, empty where there is one, whose answer is the whole. `times` tells how the answer came about,
    not what it is: two answers are equal whatever time they took.
    """

    petition_id: str | None
    predictions: Mapping[Head, Prediction]
    channel_alternatives: tuple[RouteOption, ...]
    legal_basis: str
    co_departments: tuple[Candidate, ...]
    firings: tuple[Firing, ...]
    evidence: tuple[Evidence, ...]
    redactions: tuple[Redaction, ...]
    masked_text: str
    decision: Decision
    bundle_id: str
    taxonomy_version: str
    n_appeals: int = 1
    appeals: tuple[AppealAnswer, ...] = ()
    times: StageTimes = field(default=StageTimes(), compare=False, repr=False)

    @property
    def departments(self) -> frozenset[str]:
        """Codes of all departments that are proposed for the petition or for one of its appeals."""
        own = [answer.predictions["department"].best for answer in self.appeals if answer.predictions]
        return frozenset(unit.code for unit in (self.predictions["department"].best, *self.co_departments, *own))
