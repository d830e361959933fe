"""Bring the model's scores and the law together: which channel, on what basis, what else is open, what contradicts.

The rules follow the order in nlp/knowledge/precedence.yaml. They overrule the model only where the law leaves no choice
or where they were right more often than wrong on annotated petitions (docs/rules.md, docs/decisions/0010); everywhere
else a contradiction becomes a reason for a person to look, with both sides. Parallel channels are offered, never
chosen, and nothing here says or implies a refusal.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.accused import ACCUSATION, accusation_in, accused_unit
from nlp.deadlines import limits_in_words
from nlp.knowledge import CERTAINTY, Alternatives, Knowledge, Neighbour, Route
from nlp.petition import Candidate, Certainty, Firing, Head, Masked, Prediction, Reason, RouteOption, Scores
from nlp.rules.matters import Matters, Seen, find_matters
from nlp.taxonomy import Taxonomy, load_taxonomy

_N_CANDIDATES = 5

_CERTAIN = 0.95
"""A model this sure has read what the signs of a court case are about; both are told, a person decides."""

_BEGINNING = 45
"""Up to here (title and first words) a scene is what the petition is about, not an aside."""

MOST_ASSISTING = 2
"""No more departments are proposed to assist (annotation guide: 协办，最多两个)."""

_VILLAGE = re.compile(r"村(?:支书|主任|干部|长|委|支两委|两委|官|会计)|社区(?:书记|主任|干部)|居委会")
_TOWN = re.compile(
    r"(?:(?<!城)镇|乡(?!村|亲|下)|街道)"
    r"(?:[里上的办党政人大纪财经农国土民司综领干书长主副驻包工所站中和与及]|(?![^,.;:!?。、\n]{1,5}(?:村|社区|居委)))"
)
"""The township itself or its people; not a mere address such as 石桥镇李家村."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Routing:
    """What law and model together say about the route of one petition.

    `channel` and `department` are the model's candidates, re-ranked where a rule overruled it. `matters` are
    codes of the matters recognised, for the deadlines.
    """

    channel: Prediction
    department: Prediction
    alternatives: tuple[RouteOption, ...]
    legal_basis: str
    co_departments: tuple[Candidate, ...]
    reasons: tuple[Reason, ...]
    matters: tuple[str, ...]


def combine(
    masked: Masked,
    scores: Scores,
    *,
    labels: Mapping[Head, Sequence[str]],
    knowledge: Knowledge,
    firings: Sequence[Firing],
    taxonomy: Taxonomy | None = None,
) -> Routing:
    """Return the routing of one petition; `labels` are the codes of each head in the order of its scores.

    Names come from `taxonomy` (default: the standard one).
    """
    taxonomy = taxonomy or load_taxonomy()
    matters = find_matters(masked.text, knowledge=knowledge)
    accused = accusation_in(firings)
    models = {head: _prediction(head, scores, labels, taxonomy) for head in ("nature", "channel", "department")}
    channel, channel_reasons = _weigh_channel(models["channel"], models["nature"], matters, taxonomy)
    overruled = channel.best.code != models["channel"].best.code
    department, department_reasons = _weigh_department(
        models["department"], channel.best.code, matters, taxonomy, overruled=overruled
    )
    standing = open_matters(matters, channel.best.code, knowledge, accused=accused)
    taken = {channel.best.code, *closed_channels(matters)}
    offered = open_channels(standing, knowledge, taxonomy, told=matters.told)
    options = tuple(option for option in offered if option.channel not in taken)
    co_departments = _co_departments(department.best.code, channel.best.code, matters, masked.text, taxonomy)
    reasons = [
        *channel_reasons,
        *_prerequisites(matters, channel.best, options, taxonomy),
        *department_reasons,
        *accused_unit(department, co_departments, masked.text, knowledge, taxonomy, accused=accused),
        *_choice(standing, options),
        *_by_person(department.best, taxonomy),
    ]
    return Routing(
        channel=channel,
        department=department,
        alternatives=options,
        legal_basis=_legal_basis(channel.best.code, standing, knowledge),
        co_departments=co_departments,
        reasons=tuple(reasons),
        matters=tuple(seen.entry.code for seen in matters.alternatives),
    )


def _prediction(head: Head, scores: Scores, labels: Mapping[Head, Sequence[str]], taxonomy: Taxonomy) -> Prediction:
    """Return all candidates of one head, best first."""
    probabilities: NDArray[np.float32] = scores.probabilities[head]
    return Prediction(
        head=head,
        candidates=tuple(
            Candidate(
                code=labels[head][place],
                name=taxonomy.name(head, labels[head][place]),
                confidence=float(probabilities[place]),
            )
            for place in probabilities.argsort(kind="stable")[::-1]
        ),
    )


def _promoted(prediction: Prediction, code: str) -> Prediction:
    """Move one candidate to the front; its confidence stays the model's own."""
    chosen = [candidate for candidate in prediction.candidates if candidate.code == code]
    others = [candidate for candidate in prediction.candidates if candidate.code != code]
    return Prediction(head=prediction.head, candidates=(*chosen, *others))


def _shown(prediction: Prediction) -> Prediction:
    """Keep the first few candidates."""
    return Prediction(head=prediction.head, candidates=prediction.candidates[:_N_CANDIDATES])


def _conflict(detail: str, message: str) -> Reason:
    """Model and rule disagree: a person decides."""
    return Reason(code="rule_conflict", detail=detail, message=message)


def _weigh_channel(
    channel: Prediction, nature: Prediction, matters: Matters, taxonomy: Taxonomy
) -> tuple[Prediction, list[Reason]]:
    """Apply what has already happened, then nature before route."""
    weighed, reasons = _already_decided(channel, matters, taxonomy)
    best = weighed.best
    if nature.best.code not in taxonomy.channel(best.code).natures:
        message = f"性质“{nature.best.name}”与途径“{best.name}”不一致，须先定性质再定途径（条例29、30、31条）"
        reasons.append(_conflict("nature", message))
    return _shown(weighed), reasons


def _already_decided(channel: Prediction, matters: Matters, taxonomy: Taxonomy) -> tuple[Prediction, list[Reason]]:
    """Give no fresh route of the same kind to a matter plainly decided or in court; ask a person where it may be."""
    best = channel.best
    if not {"appeal", "request"} & set(taxonomy.channel(best.code).natures):
        return channel, []
    reasons = []
    weighed = channel
    for seen in matters.circumstances:
        fact = seen.entry
        told = f"文中显示{fact.name}（{_cited(fact.basis, fact.certainty)}；{fact.advice}）"
        if fact.channel == best.code:
            if fact.by_person:
                reasons.append(Reason(code="must_review", detail=fact.code, message=f"{told}，须人工核定"))
            continue
        signs = sum(other.n_signals for other in matters.circumstances if other.entry.channel == fact.channel)
        name = taxonomy.name("channel", fact.channel)
        overruled = best.code in fact.excludes and signs >= fact.plain and best.confidence < _CERTAIN
        if overruled and weighed is channel:
            weighed = _promoted(channel, fact.channel)
        verdict = f"规则改为“{name}”" if overruled else f"规则认为可能属“{name}”"
        reasons.append(_conflict("channel", f"{told}：模型建议“{best.name}”，{verdict}，须人工核定"))
    return weighed, reasons


def _prerequisites(
    matters: Matters, best: Candidate, options: Sequence[RouteOption], taxonomy: Taxonomy
) -> list[Reason]:
    """Tell what must come before the proposed channel or one that is open beside it, unless that is behind already."""
    behind = {channel for seen in matters.circumstances for channel in seen.entry.excludes}
    proposed = {best.code: f"模型建议“{best.name}”"}
    proposed |= {option.channel: f"可选途径有“{option.name}”" for option in options if option.channel != best.code}
    reasons = []
    for seen in matters.prerequisites:
        law = seen.entry
        if law.first in behind or not {law.first, law.before} & set(proposed):
            continue
        told = f"{law.matter}（{_cited(law.basis, law.certainty)}）"
        if law.before in proposed:
            first = taxonomy.name("channel", law.first)
            reasons.append(_conflict("channel", f"{told}：{proposed[law.before]}，须先核是否已走“{first}”"))
        elif law.first == best.code:
            reasons.append(Reason(code="must_review", detail=law.code, message=f"{told}，须向信访人说明先后"))
    return reasons


def _weigh_department(
    department: Prediction, channel: str, matters: Matters, taxonomy: Taxonomy, *, overruled: bool
) -> tuple[Prediction, list[Reason]]:
    """Accusations go to those who may handle them; a plain scene goes where its neighbour rule says.

    Where the law has `overruled` the model's channel, a person looks whether the department goes with the other one: to
    follow was wrong on the four annotated petitions where it would have mattered (docs/decisions/0010).
    """
    best = department.best
    if channel == ACCUSATION:
        handlers = [taxonomy.acting(handler) for handler in taxonomy.channel(channel).handlers]
        if best.code in handlers:
            return _shown(department), []
        weighed = _promoted(department, handlers[0])
        message = (
            f"检举控告不得转给被检举人或其单位（条例30条3款）：模型建议“{best.name}”，"
            f"规则改为“{weighed.best.name}”，按干部管理权限核定"
        )
        return _shown(weighed), [_conflict("department", message)]
    if overruled:
        message = f"途径由规则改为“{taxonomy.name('channel', channel)}”，“{best.name}”是否仍为承办单位须人工核定"
        return _shown(department), [_conflict("department", message)]
    for seen in matters.neighbours:
        scene = seen.entry
        settled = taxonomy.acting(scene.department)
        if scene.settles and seen.start <= _BEGINNING and settled != best.code:
            weighed = _promoted(department, settled)
            message = (
                f"“{scene.scene}”看{scene.decisive}（{_cited(scene.basis, scene.certainty)}）：模型建议“{best.name}”，"
                f"规则改为“{weighed.best.name}”"
            )
            return _shown(weighed), [_conflict("department", message)]
    return _shown(department), []


def open_matters(matters: Matters, channel: str, knowledge: Knowledge, *, accused: bool) -> tuple[Alternatives, ...]:
    """Return the matters whose channels are open beside the main one."""
    met = {seen.entry.code for seen in matters.alternatives}
    if accused:
        met.add("official_misconduct_with_loss")
    return tuple(matter for matter in knowledge.alternatives if matter.code in met and channel in matter.channels)


def closed_channels(matters: Matters) -> set[str]:
    """Return the channels that what has plainly happened leaves no room for: none of them is offered anew."""
    return {
        channel
        for seen in matters.circumstances
        if seen.entry.by_person or seen.n_signals >= seen.entry.plain
        for channel in seen.entry.excludes
    }


def open_channels(
    matters: Iterable[Alternatives], knowledge: Knowledge, taxonomy: Taxonomy, *, told: Collection[str]
) -> tuple[RouteOption, ...]:
    """Return the channels open in `matters`, each once, the first matter's words first.

    `told` is what the text says has happened; time limits that it rules out are not told.
    """
    routes = {route.code: route for route in knowledge.routes}
    options: dict[str, RouteOption] = {}
    for matter in matters:
        for option in matter.options:
            if option.channel not in options:
                department = taxonomy.name("department", taxonomy.acting(option.to)) if option.to else ""
                options[option.channel] = RouteOption(
                    channel=option.channel,
                    name=taxonomy.name("channel", option.channel),
                    basis=option.basis,
                    certainty=option.certainty or matter.certainty,
                    note=f"{matter.matter}：{option.note}" if option.note else matter.matter,
                    effect=matter.effect,
                    to=option.body or department,
                    limit=limits_in_words(option.clocks or routes[option.channel].clocks, knowledge, told=told),
                )
    return tuple(options.values())


def _choice(matters: Sequence[Alternatives], options: Sequence[RouteOption]) -> list[Reason]:
    """Where the law itself opens several channels, the petitioner is told and chooses."""
    by_law = [matter for matter in matters if matter.certainty == "verified"]
    if not by_law or not options:
        return []
    names = "、".join(option.name for option in options)
    source = "某县信访工作法治化试点方案（2023），地方工作材料"
    message = f"“{by_law[0].matter}”另有可选途径：{names}；须告知信访人，由其选择（{source}）"
    return [Reason(code="multi_route", detail=by_law[0].code, message=message)]


def _co_departments(main: str, channel: str, matters: Matters, text: str, taxonomy: Taxonomy) -> tuple[Candidate, ...]:
    """Propose departments to assist, from the scene, and the township where only village officials are accused."""
    if channel == ACCUSATION:
        codes = ["town_subdistrict"] if _VILLAGE.search(text) and not _TOWN.search(text) else []
    else:
        codes = [code for seen in matters.neighbours for code in _beside(main, seen)]
    codes = [taxonomy.acting(code) for code in codes]
    proposed = [code for code in dict.fromkeys(codes) if code != main][:MOST_ASSISTING]
    return tuple(Candidate(code=code, name=taxonomy.name("department", code), confidence=0.0) for code in proposed)


def _beside(main: str, seen: Seen[Neighbour]) -> tuple[str, ...]:
    """Return who works beside the main department in a scene at the beginning of the text."""
    scene = seen.entry
    if seen.start > _BEGINNING:
        return ()
    if scene.department == main:
        return scene.co
    return (scene.department,) if main in scene.co else ()


def _by_person(department: Candidate, taxonomy: Taxonomy) -> list[Reason]:
    """Let a person look before anything goes to departments such as cadres' discipline, religious affairs, veterans."""
    if not taxonomy.department(department.code).must_review:
        return []
    message = f"“{department.name}”经办的事项须由人工审核"
    return [Reason(code="must_review", detail=department.code, message=message)]


def _legal_basis(channel: str, matters: Iterable[Alternatives], knowledge: Knowledge) -> str:
    """Return the articles for the main channel, the general one first, each with its certainty unless verified."""
    route: Route = next(route for route in knowledge.routes if route.code == channel)
    parts = [(re.sub(r"^条例", "《信访工作条例》第", route.basis), route.certainty)]
    for matter in matters:
        for option in matter.options:
            if option.channel == channel and not option.basis.startswith("条例"):
                parts.append((option.basis, option.certainty or matter.certainty))
    return "；".join(dict.fromkeys(_cited(basis, certainty) for basis, certainty in parts))


def _cited(basis: str, certainty: Certainty) -> str:
    """Write a basis with its certainty, unless it is verified."""
    return basis if certainty == "verified" else f"{basis}（{CERTAINTY[certainty]}）"
