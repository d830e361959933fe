"""Flags that the model raises beside the must-review rules.

The rules find what is said in words that somebody thought of. For flags with enough annotated petitions the two
branches learned what such cases read like; a logistic blend per flag weighs both with the rule's own finding. It may
raise a flag that no rule raised, and tells the urgent cases from those a person looks at the same day. What a rule
found always stays in sight, keeps its level where the rule is firm (self-harm, threats), and flags without a blend
(trafficking, secrets …) are the rules' alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp

from nlp.calibrate import is_number
from nlp.explain import strongest_span
from nlp.knowledge import Knowledge, Rule
from nlp.petition import Firing, Head, Level, Masked, Prediction
from nlp.runtime import Reading, Runtime
from nlp.taxonomy import Taxonomy


@dataclass(frozen=True, kw_only=True, slots=True)
class FlagBlend:
    """Logistic blend of one flag: p = sigmoid(bias + encoder * e + linear * l + strong or weak, as the rule fired).

    `strong` counts where the rule fired at its own level, `weak` where it fired at a lesser one. Raises ValueError
    unless all five are finite numbers.
    """

    encoder: float
    linear: float
    strong: float
    weak: float
    bias: float

    def __post_init__(self) -> None:
        """Refuse what is no number."""
        for name in self.__slots__:
            if not is_number(value := getattr(self, name)):
                raise ValueError(f"{name} must be a finite number, got {value!r}")

    def probability(self, encoder: float, linear: float, *, strong: bool, weak: bool) -> float:
        """Return the probability of the flag from raw scores of both branches and what the rule said."""
        logit = self.bias + self.encoder * encoder + self.linear * linear + self.strong * strong + self.weak * weak
        return 1 / (1 + exp(-max(-50.0, min(50.0, logit))))


@dataclass(frozen=True, kw_only=True, slots=True)
class FlagModel:
    """The learned flags of a bundle: `blends` by code, in the order of the branches' outputs.

    Below probability `urgent[code]`, a flag whose rule is of level S is of level A unless the rule is firm and fired;
    from `look[code]` on, a flag is raised even where no rule fired. Raises ValueError for probabilities outside 0 to 1
    and for codes that do not match.
    """

    blends: Mapping[str, FlagBlend]
    look: Mapping[str, float]
    urgent: Mapping[str, float]

    def __post_init__(self) -> None:
        """Check codes and probabilities."""
        for name, cuts in (("urgent", self.urgent), ("look", self.look)):
            if set(self.blends) != set(cuts):
                raise ValueError(f"{name} has {sorted(cuts)}, blends have {sorted(self.blends)}")
            for code, value in cuts.items():
                if not (is_number(value) and 0 <= value <= 1):
                    raise ValueError(f"{name} of {code} must lie between 0 and 1, got {value!r}")


def weigh_firings(
    masked: Masked,
    reading: Reading,
    firings: Sequence[Firing],
    *,
    model: FlagModel,
    runtime: Runtime,
    knowledge: Knowledge,
    min_characters: int,
) -> tuple[Firing, ...]:
    """Return the rules' firings with what the model adds to them, the most urgent first.

    A flag that only the model raised points at the clause that moved it most. The model raises none on texts of fewer
    than `min_characters` characters, of which it knows nothing and which go to a person as too short anyway. Codes
    unknown to an office's own `knowledge` are left out.
    """
    rules = {rule.code: rule for rule in knowledge.rules}
    found = {firing.code: firing for firing in firings}
    telling = not too_short(masked, min_characters)
    for place, (code, blend) in enumerate(model.blends.items()):
        if code not in rules:
            continue
        own, fired = rules[code].level, found.get(code)
        p = blend.probability(
            float(reading.flags.encoder[place]),
            float(reading.flags.linear[place]),
            strong=fired is not None and fired.level == own,
            weak=fired is not None and fired.level != own,
        )
        level: Level = "A" if own == "S" and p < model.urgent[code] else own
        if fired is not None:
            found[code] = replace(fired, level=level) if own == "S" and not rules[code].firm else fired
        elif telling and p >= model.look[code]:
            encoder, linear = runtime.flags.directions(place)
            span = strongest_span(
                masked, reading, runtime, encoder=blend.encoder * encoder, linear=blend.linear * linear
            )
            found[code] = _raised(rules[code], level, span)
    return _by_urgency(found.values())


def too_short(masked: Masked, min_characters: int) -> bool:
    """Tell whether a text is so short that the model knows nothing of it."""
    return len(masked.text.strip()) < min_characters


def add_answers(
    firings: Sequence[Firing],
    predictions: Mapping[Head, Prediction],
    *,
    knowledge: Knowledge,
    taxonomy: Taxonomy,
    locate: Callable[[Head], tuple[int, int]],
) -> tuple[Firing, ...]:
    """Return the firings with those of the rules that the model's own answers set off, the most urgent first.

    Who takes a petition for an accusation has flagged it, whatever its words; `locate` gives the span of the original
    that moved the answer of a head.
    """
    nature, channel = (predictions[head].best.code for head in ("nature", "channel"))
    found = list(firings)
    for rule in knowledge.rules:
        if not rule.natures or any(firing.code == rule.code for firing in firings):
            continue
        if nature in rule.natures:
            found.append(_raised(rule, rule.level, locate("nature")))
        elif set(taxonomy.channel(channel).natures) <= set(rule.natures):
            found.append(_raised(rule, rule.level, locate("channel")))
    return _by_urgency(found)


def _by_urgency(firings: Iterable[Firing]) -> tuple[Firing, ...]:
    return tuple(sorted(firings, key=lambda firing: (firing.level != "S", firing.level, firing.start)))


def _raised(rule: Rule, level: Level, span: tuple[int, int]) -> Firing:
    return Firing(
        code=rule.code,
        level=level,
        name=rule.name,
        start=span[0],
        end=span[1],
        basis=rule.basis,
        certainty=rule.certainty,
        action=rule.action,
        source="model",
    )
