"""The law and the office practice the router knows, as frozen records: what the YAML files here hold.

Every record an officer can be shown carries `basis` (the article, as written in the law) and `certainty`;
how the two must fit together is checked in `nlp.knowledge.checks`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator

from nlp.petition import Certainty, Level

CERTAINTY: Mapping[Certainty, str] = {
    "verified": "已核",
    "seed": "地方工作材料",
    "memory": "记忆，未核",
    "inferred": "推断",
    "local": "地方做法",
}
"""What is shown for each certainty mark."""


def _words(value: object) -> object:
    """Split a YAML block of words at white space, so that regular expressions need no quoting."""
    return value.split() if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""Signals or words: in YAML a list, or one block of text in which white space separates them."""


class _Closed:
    """Makes unknown keys in a YAML entry a fault: pydantic reads `__pydantic_config__` of any dataclass."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sourced(_Closed):
    """Anything an officer can be shown: a stable code, the article it rests on, how sure we are of that."""

    code: str
    basis: str
    certainty: Certainty


@dataclass(frozen=True, kw_only=True, slots=True)
class Clue(_Closed):
    """One way in which a must-review rule may be met.

    `find` are signals (regular expressions over masked text, `{word}` stands for a word group). One
    match is a hit unless a condition speaks against it: `near` must be found in it or within `within` characters,
    at least `distinct` different signals must occur in the text, the `{count}` in the match must be at
    least `at_least`, and a negation just before the match cancels it unless `negatable` is false.
    A clue may have a `level` of its own: weaker signs call less urgently, graver ones more.
    """

    find: Words
    near: Words = ()
    within: int = 20
    at_least: int | None = None
    distinct: int = 1
    negatable: bool = True
    level: Level | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule(Sourced):
    """When a person must look, how urgently, on what basis, and what to do.

    `trigger` says what state of the suggestion sets a rule off instead of words in the text. An answer of one of
    `natures`, or of a channel for nothing else, sets it off as well.
    A match of `idioms` that overlaps a hit cancels it. The level of a `firm` rule stands whatever the model makes of
    the text; the model may only add to it, and a negation cancels only where it touches the hit.
    """

    name: str
    level: Level
    action: str
    why: str = ""
    firm: bool = False
    trigger: str = ""
    natures: tuple[str, ...] = ()
    clues: tuple[Clue, ...] = ()
    idioms: Words = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Lexicon(_Closed):
    """Word groups that signals may name as `{group}`, and the words that negate what follows them."""

    words: Mapping[str, Words]
    negators: Words


@dataclass(frozen=True, kw_only=True, slots=True)
class SubRoute(Sourced):
    """One concrete procedure within a channel."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Route(Sourced):
    """What the law says about one legal channel; its name, natures and handlers stand in the taxonomy.

    `reviewable` says whether the result can go to review and re-examination (条例35、36条). `clocks` are the deadlines
    to know before choosing the channel; an option may name its own.
    """

    order: int
    result: str
    reviewable: bool
    note: str = ""
    matters: tuple[str, ...] = ()
    clocks: tuple[str, ...] = ()
    sub_routes: tuple[SubRoute, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Option(_Closed):
    """One channel open for a matter; `certainty` is that of the whole matter unless given.

    `to` is the department, `body` who decides where that is somebody else, such as an arbitration commission. `clocks`
    are the deadlines to know before choosing it; without any those of the route are.
    """

    channel: str
    basis: str
    to: str = ""
    body: str = ""
    note: str = ""
    clocks: tuple[str, ...] = ()
    certainty: Certainty | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternatives(_Closed):
    """A matter with two or more open channels: the petitioner is told and chooses.

    Offered when one of `signals` is found that no match of `idioms` overlaps and the main channel is one of `channels`;
    `effect` says what a choice rules out.
    """

    code: str
    matter: str
    certainty: Certainty
    signals: Words
    channels: tuple[str, ...]
    effect: str
    options: tuple[Option, ...]
    idioms: Words = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Precedence(Sourced):
    """One step in the order in which channels are weighed."""

    order: int
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstance(Sourced):
    """Something that has already happened in the matter and leaves only the remedies of `channel`.

    From `plain` different signs on, the model is overruled where it would open one of `excludes`; all else only asks a
    person. With `by_person` a person is asked even where the model agrees, since a procedure of its own is running.
    """

    name: str
    channel: str
    excludes: tuple[str, ...]
    advice: str
    signals: Words
    plain: int = 3
    idioms: Words = ()
    by_person: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation(Sourced):
    """Something a text says has happened that starts clocks or rules them out; `basis` is why it matters.

    `advice` is what a person must look at; it never says what is to be decided.
    """

    name: str
    signals: Words
    idioms: Words = ()
    advice: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prerequisite(Sourced):
    """A procedure (`first`) that the law wants before another one (`before`)."""

    matter: str
    first: str
    before: str
    signals: Words


DeadlineKind = Literal["statutory", "other_procedure", "local"]
"""What must not be mixed up when shown: the petition regulation, another procedure's law, an office's practice."""

Unit = Literal["natural_day", "work_day", "month", "immediate", "specified"]


EVENTS: Mapping[str, str] = {
    "received": "收到信访事项之日",
    "forwarded": "收到转送、交办之日",
    "assigned": "交办之日",
    "accepted": "受理之日",
    "received_by_handler": "有权机关收到申请之日",
    "opinion_received": "收到处理意见书之日",
    "review_requested": "收到复查请求之日",
    "review_received": "收到复查意见之日",
    "recheck_requested": "收到复核请求之日",
    "decision_known": "知道行政行为、处理决定之日",
    "decision_served": "认定书送达之日",
    "reconsideration_accepted": "受理行政复议申请之日",
    "reconsideration_received": "收到复议决定之日",
    "infringement_known": "知道或者应当知道权利被侵害之日",
    "arbitration_accepted": "仲裁受理之日",
    "judgment_effective": "裁判生效之日",
    "supervision_requested": "申请检察监督之日",
    "inspection_filed": "劳动监察立案之日",
    "injury": "事故伤害发生之日",
    "application_accepted": "受理申请之日",
    "ruling_received": "接到权属处理决定通知之日",
    "award_received": "收到仲裁裁决书之日",
    "dispute_arose": "争议发生之日",
    "personnel_review_requested": "收到复核、复审申请之日",
    "personnel_review_received": "收到复核、复审决定之日",
    "appeal_accepted": "受理申诉、复核之日",
    "inquiry_answer_due": "质疑答复期满之日",
    "penalty_case_filed": "行政处罚立案之日",
}
"""Events a clock can run from, in the words shown; a deadline may also run from the end of another one."""


Condition = Literal[
    "", "simple", "disclosure", "licence", "registration", "postal", "labour", "no_special_limit", "decision",
    "reconsideration", "personnel", "penalty",
]  # fmt: skip
"""What only a person can see unless the text says it: fit for simple handling, a labour matter, a decision given …."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadline(Sourced):
    """One clock: who must do what within `limit` units after `starts`, an event or the code of another deadline.

    `limit` is absent where the unit is `immediate` or `specified` (by whoever assigns the petition). Empty
    `channels` (but `except_channels`), `matters`, `levels` or `receivers` mean all; `when` names a condition only a
    person can see. With `matters` as well, the condition is met by them and open only where no matter is recognised.
    What was read (codes of situations or circumstances) outranks the channel: `situations` start a clock in every
    channel, `perhaps` do if a person agrees, `unless` rule it out. A clock with either of the first two and no
    `channels` starts by nothing else, and no `when` stays open once any situation was read.
    """

    kind: DeadlineKind
    who: str
    what: str
    unit: Unit
    starts: str
    limit: int | None = None
    channels: tuple[str, ...] = ()
    except_channels: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    receivers: tuple[Literal["petition_bureau", "unit"], ...] = ()
    when: Condition = ""
    situations: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferLevel(Sourced):
    """By whom a petition is assigned on, by its weight."""

    name: str
    by: str
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour(Sourced):
    """Which of several easily confused departments answers for a scene, and what decides it.

    Where the words of the scene alone settle it, `settles` is true: the rule then outranks the model when the
    scene stands in the title or at the very beginning. Otherwise it is only shown.
    """

    scene: str
    decisive: str
    department: str
    signals: Words = ()
    co: tuple[str, ...] = ()
    idioms: Words = ()
    settles: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice(Sourced):
    """A letter the office writes; `needs_decision` means that no draft is offered before a person has decided."""

    name: str
    when: str
    contents: tuple[str, ...]
    needs_decision: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistrationItem(Sourced):
    """Something a registration must hold, with the question to ask when it is missing."""

    name: str
    group: Literal["petitioner", "matter", "history"]
    required: bool
    question: str


@dataclass(frozen=True, kw_only=True, slots=True)
class About(_Closed):
    """Which state of the law the files describe, and what still has to be checked."""

    edition: str
    law_as_of: str
    doubts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Knowledge:
    """Everything the rules need to know; hashed by identity, so that compiled forms can be kept.

    `office` is the name of the office whose overlay was applied, empty without one.
    """

    about: About
    lexicon: Lexicon
    rules: tuple[Rule, ...]
    routes: tuple[Route, ...]
    alternatives: tuple[Alternatives, ...]
    precedence: tuple[Precedence, ...]
    circumstances: tuple[Circumstance, ...]
    situations: tuple[Situation, ...]
    prerequisites: tuple[Prerequisite, ...]
    deadlines: tuple[Deadline, ...]
    transfer_levels: tuple[TransferLevel, ...]
    neighbours: tuple[Neighbour, ...]
    notices: tuple[Notice, ...]
    registration: tuple[RegistrationItem, ...]
    office: str = ""
