"""The router: one petition in, one routing suggestion out, whatever came before."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from time import perf_counter

from nlp.accused import ACCUSATION_FLAG, accusation_in
from nlp.appeals import (
    Appeal,
    Appeals,
    accusations_apart,
    assisting,
    split_appeals,
    warned,
)
from nlp.bundle import Bundle, load_bundle
from nlp.calibrate import Calibration, rank
from nlp.decide import Thresholds, decide, text_reasons
from nlp.errors import TextError
from nlp.explain import explain
from nlp.flags import FlagModel, add_answers, too_short, weigh_firings
from nlp.knowledge import Knowledge, load_knowledge
from nlp.petition import (
    HEADS,
    AppealAnswer,
    Candidate,
    Evidence,
    Firing,
    Head,
    Masked,
    Petition,
    Prediction,
    Reason,
    Scores,
    StageTimes,
    Suggestion,
)
from nlp.prepare import prepare
from nlp.routes import Routing, combine
from nlp.rules import find_firings
from nlp.runtime import Reading, Runtime
from nlp.taxonomy import Taxonomy, load_taxonomy

MAX_CHARACTERS = 100_000
"""Longer texts are refused: no petition is that long, and a mistaken file upload is."""

_N_CANDIDATES = 5

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
"""What counts towards the least length: digits, marks and foreign letters tell nothing of a petition."""


@dataclass(frozen=True, kw_only=True)
class Router:
    """Everything needed to judge petitions; made by `Router.load`, safe to use from several threads."""

    bundle: Bundle
    taxonomy: Taxonomy
    knowledge: Knowledge
    runtime: Runtime
    calibration: Calibration
    thresholds: Thresholds
    flags: FlagModel

    @classmethod
    def load(
        cls,
        bundle_dir: Path | None = None,
        *,
        taxonomy_overlay: Path | None = None,
        knowledge_overlay: Path | None = None,
        error_budget: float | None = None,
        on: date | None = None,
        n_threads: int | None = None,
    ) -> "Router":
        """Load and verify a bundle (None: the bundled default) with an office's overlays as of a day.

        `error_budget` is one of those that the bundle has thresholds for; None leaves it to the bundle.
        Raises BundleError, TaxonomyError or KnowledgeError, whatever is at fault.
        """
        taxonomy = load_taxonomy(taxonomy_overlay, on=on)
        bundle = load_bundle(bundle_dir, taxonomy)
        return cls(
            bundle=bundle,
            taxonomy=taxonomy,
            knowledge=load_knowledge(knowledge_overlay),
            runtime=bundle.runtime(n_threads=n_threads),
            calibration=bundle.calibration(),
            thresholds=bundle.decision_thresholds(error_budget),
            flags=bundle.flag_model(),
        )

    def suggest(self, petition: Petition) -> Suggestion:
        """Return the routing suggestion for `petition`; raises TextError if there is no text or far too much."""
        check_text(petition)
        started = perf_counter()
        masked = prepare(petition)
        tokens = self.runtime.tokenise(masked.text)
        tokenised = perf_counter()
        reading = self.runtime.infer(tokens)
        inferred = perf_counter()
        suggestion = self.conclude(petition, masked, reading)
        times = StageTimes(tokenise=tokenised - started, infer=inferred - tokenised, decide=perf_counter() - inferred)
        return replace(suggestion, times=times)

    def conclude(self, petition: Petition, masked: Masked, reading: Reading) -> Suggestion:
        """Return the answer with its law, reasons and evidence from what `runtime` read in the `masked` text.

        Where more than one appeal is found, each is read and answered by itself as well.
        """
        routed = self._route(masked, reading)
        routing = routed.routing
        appeals = split_appeals(masked, title_length=len(petition.title), score=accusations_apart(self.knowledge))
        answers = self._judge_apart(masked, appeals)
        decision = decide(
            routed.predictions,
            thresholds=self.thresholds,
            n_characters=_n_characters(masked),
            known_share=reading.known_share,
            firings=routed.firings,
            further=(*routing.reasons, *_appeals_reasons(appeals, answers, routed.firings)),
        )
        return Suggestion(
            petition_id=petition.id,
            predictions=routed.predictions,
            channel_alternatives=routing.alternatives,
            legal_basis=routing.legal_basis,
            co_departments=assisting(
                routing, answers, text=masked.text, knowledge=self.knowledge, taxonomy=self.taxonomy
            ),
            firings=routed.firings,
            evidence=self._evidence(masked, reading, routed.predictions),
            redactions=masked.redactions,
            n_appeals=appeals.suspected,
            appeals=answers,
            masked_text=masked.text,
            decision=decision,
            bundle_id=self.bundle.id,
            taxonomy_version=self.taxonomy.version,
        )

    def _route(self, masked: Masked, reading: Reading) -> "_Routed":
        """Return what model, rules and law say of one text, a whole petition or one appeal of several."""
        scores = self._handed_over(self.calibration.scores(reading.encoder, reading.linear))
        predictions = {head: self.predict(scores, head) for head in HEADS}
        firings = self._firings(masked, reading, predictions)
        routing = combine(
            masked,
            scores,
            labels=self.calibration.labels,
            knowledge=self.knowledge,
            firings=firings,
            taxonomy=self.taxonomy,
        )
        predictions |= {"channel": routing.channel, "department": routing.department}
        return _Routed(predictions=predictions, firings=firings, routing=routing)

    def _judge_apart(self, masked: Masked, appeals: Appeals) -> tuple[AppealAnswer, ...]:
        """Return the answer to every appeal where there are several; one appeal is the whole and costs nothing."""
        if appeals.count == 1:
            return ()
        answers = [self._judge_appeal(masked.part(appeal.masked_spans), appeal) for appeal in appeals.items]
        return warned(answers, text=masked.text, knowledge=self.knowledge, taxonomy=self.taxonomy)

    def _judge_appeal(self, part: Masked, appeal: Appeal) -> AppealAnswer:
        """Return the answer to one of several appeals from the `part` of the text that holds it."""
        n_characters = _n_characters(part)
        if n_characters < self.thresholds.min_characters:
            message = f"这个诉求只有{n_characters}个汉字，不足以研判，分类和去向由人核定"
            return AppealAnswer(
                spans=appeal.spans,
                predictions={},
                accusation=accusation_in(find_firings(part, knowledge=self.knowledge)),
                reasons=(Reason(code="too_short", message=message),),
            )
        reading = self.runtime.read(part.text)
        routed = self._route(part, reading)
        return AppealAnswer(
            spans=appeal.spans,
            predictions=routed.predictions,
            channel_alternatives=routed.routing.alternatives,
            legal_basis=routed.routing.legal_basis,
            accusation=accusation_in(routed.firings),
            reasons=(
                *routed.routing.reasons,
                *text_reasons(self.thresholds, n_characters=n_characters, known_share=reading.known_share),
            ),
        )

    def _handed_over(self, scores: Scores) -> Scores:
        """Add what a department without a local office is given to the one that acts for it (an office's overlay)."""
        places = self.calibration.labels["department"].index
        given = scores.probabilities["department"].copy()
        for unit in self.taxonomy.departments:
            if unit.substitute:
                given[places(unit.substitute)] += given[places(unit.code)]
                given[places(unit.code)] = 0.0
        return Scores(probabilities={**scores.probabilities, "department": given})

    def _firings(self, masked: Masked, reading: Reading, predictions: Mapping[Head, Prediction]) -> tuple[Firing, ...]:
        """Return what a person must see: what words, the learned flags and the answers themselves give away."""
        firings = weigh_firings(
            masked,
            reading,
            find_firings(masked, knowledge=self.knowledge),
            model=self.flags,
            runtime=self.runtime,
            knowledge=self.knowledge,
            min_characters=self.thresholds.min_characters,
        )

        if too_short(masked, self.thresholds.min_characters):
            return firings

        def locate(head: Head) -> tuple[int, int]:
            evidence = self._evidence(masked, reading, {head: predictions[head]})
            return (evidence[0].start, evidence[0].end) if evidence else masked.original_span(0, len(masked.text))

        return add_answers(firings, predictions, knowledge=self.knowledge, taxonomy=self.taxonomy, locate=locate)

    def _evidence(
        self, masked: Masked, reading: Reading, predictions: Mapping[Head, Prediction]
    ) -> tuple[Evidence, ...]:
        return explain(
            masked,
            reading,
            runtime=self.runtime,
            predictions=predictions,
            blends=self.calibration.blends,
            labels=self.calibration.labels,
        )

    def predict(self, scores: Scores, head: Head) -> Prediction:
        """Return the best candidates of one head under the office's own names; the second level's under the first's."""
        probabilities = scores.probabilities[head]
        order = rank(scores, head, self.calibration.labels)[:_N_CANDIDATES]
        labels = self.calibration.labels[head]
        return Prediction(
            head=head,
            candidates=tuple(
                Candidate(
                    code=labels[place],
                    name=self.taxonomy.name(head, labels[place]),
                    confidence=float(probabilities[place]),
                )
                for place in order
            ),
        )


def check_text(petition: Petition) -> None:
    """Raise TextError if `petition` is not text, holds nothing to judge or is longer than any petition is."""
    if not isinstance(petition.text, str) or not isinstance(petition.title, str):
        kinds = f"{type(petition.title).__name__}、{type(petition.text).__name__}"
        raise TextError(f"标题和正文须为文本，收到的是{kinds}")
    if not petition.content.strip():
        raise TextError("信访内容为空：标题和正文至少填写一项")
    if len(petition.content) > MAX_CHARACTERS:
        raise TextError(f"信访内容过长：{len(petition.content)}字，上限{MAX_CHARACTERS}字；请确认是否误传了文件")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Routed:
    """What model, rules and law say of one text; channel and department are those of `routing`."""

    predictions: Mapping[Head, Prediction]
    firings: tuple[Firing, ...]
    routing: Routing


def _n_characters(masked: Masked) -> int:
    """Return how many characters of a text count towards the least length."""
    return len(_CHINESE.findall(masked.text))


def _appeals_reasons(
    appeals: Appeals, answers: Sequence[AppealAnswer], firings: tuple[Firing, ...]
) -> Iterator[Reason]:
    """Several appeals may need several offices: a person splits them, and sees which of them accuses officials."""
    if appeals.suspected < 2:
        return
    accusing = "、".join(f"第{number}个" for number, answer in enumerate(answers, start=1) if answer.accusation)
    message = f"疑有{appeals.suspected}个可分别办理的诉求，请人工拆分"
    if accusing:
        message += f"；{accusing}涉及检举控告公职人员，须单独办理，不得转给被检举的人或单位（条例30条3款、46条(五)）"
    yield Reason(code="several_appeals", message=message)
    if accusing and not accusation_in(firings):
        yield Reason(
            code="must_review",
            detail=ACCUSATION_FLAG,
            message=f"{accusing}诉求疑似检举控告公职人员，须由人工审核（条例30条）",
        )
