"""What the working panel shows: one petition, its suggestion head by head, and what may be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from nlp.decide import HEAD_NAMES
from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy
from serving.labels import LabelBook
from serving.redaction import MaskedView
from serving.roles import Actor
from serving.schemas.petitions import PetitionOut
from serving.schemas.suggestion import AnswerOut, CandidateOut, RedactionOut, RouteOptionOut
from serving.web.law import LawView
from serving.web.passages import Passage, passages
from serving.web.related import RelatedView

ALTERNATIVES_SHOWN = 3

_NOTHING = dict.fromkeys(("decide", "claim", "release", "undo", "force_release", "read_original", "draft"), False)
"""What may be done with the petition of a trial: there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadView:
    """One head: what stands, what was suggested with which confidence, and the other candidates.

    `suggested` is None under blind review. `doubts` says in Chinese why this head needs a look.
    """

    head: Head
    name: str
    number: int
    code: str
    label: str
    suggested: CandidateOut | None
    alternatives: Sequence[CandidateOut]
    threshold: float | None
    doubts: Sequence[str]
    basis: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Joint:
    """The product of the confidences of all needed heads, and the line it must clear."""

    value: float
    line: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Everything the panel shows; `petition` is None for a trial that is not kept.

    `decided_now` says that the decision that stands was made under the claim that lasts.
    """

    petition: PetitionOut | None
    decided_now: bool
    title: Sequence[Passage]
    body: Sequence[Passage]
    heads: Sequence[HeadView]
    answer: AnswerOut | None
    routes: Sequence[RouteOptionOut]
    co_departments: Sequence[Mapping[str, str]]
    joint: Joint | None
    blind: bool
    law: LawView | None
    related: RelatedView | None


def work_on(
    petition: PetitionOut,
    *,
    decided_now: bool,
    taxonomy: Taxonomy,
    book: LabelBook,
    law: LawView | None = None,
    related: RelatedView | None = None,
) -> Work:
    """Return the panel of a petition that is kept."""
    standing = dict(petition.labels or {})
    co_codes = (
        petition.review.co_departments
        if petition.review
        else [candidate.code for candidate in petition.answer.co_departments]
        if petition.answer
        else []
    )
    return _panel(
        petition,
        decided_now=decided_now,
        content=petition.content,
        title_length=petition.title_length,
        chips=petition.redactions,
        answer=petition.answer,
        thresholds=petition.thresholds or {},
        standing=standing,
        co_codes=co_codes,
        taxonomy=taxonomy,
        book=book,
        law=law,
        related=related,
    )


def trial(
    view: MaskedView,
    *,
    thresholds: Mapping[str, Any],
    taxonomy: Taxonomy,
    book: LabelBook,
    law: LawView | None = None,
) -> Work:
    """Return the panel of a text that was judged and not kept."""
    return _panel(
        None,
        content=view.content,
        title_length=view.title_length,
        chips=view.chips,
        answer=view.answer,
        thresholds=thresholds,
        standing={head: view.answer.predictions[head].code for head in HEADS},
        co_codes=[candidate.code for candidate in view.answer.co_departments],
        taxonomy=taxonomy,
        book=book,
        law=law,
    )


def _panel(
    petition: PetitionOut | None,
    *,
    decided_now: bool = False,
    content: str,
    title_length: int,
    chips: Sequence[RedactionOut],
    answer: AnswerOut | None,
    thresholds: Mapping[str, Any],
    standing: Mapping[Head, str],
    co_codes: Sequence[str],
    taxonomy: Taxonomy,
    book: LabelBook,
    law: LawView | None,
    related: RelatedView | None = None,
) -> Work:
    pieces = passages(
        content,
        evidence=answer.evidence if answer else (),
        firings=answer.firings if answer else (),
        chips=chips,
        appeals=law.appeal_spans if law else (),
    )
    title, body = _split(pieces, title_length)
    return Work(
        petition=petition,
        decided_now=decided_now,
        title=title,
        body=body,
        heads=[
            _head(head, number, answer=answer, thresholds=thresholds, standing=standing, taxonomy=taxonomy, book=book)
            for number, head in enumerate(HEADS, start=1)
        ],
        answer=answer,
        routes=answer.channel_alternatives if answer else (),
        co_departments=[{"code": code, "name": book.name("department", code)} for code in co_codes],
        joint=_joint(answer, thresholds) if answer else None,
        blind=answer is None,
        law=law,
        related=related,
    )


def _joint(answer: AnswerOut, thresholds: Mapping[str, Any]) -> Joint | None:
    line = thresholds.get("joint")
    if line is None:
        return None
    return Joint(value=prod(answer.predictions[head].confidence for head in thresholds["needed"]), line=float(line))


def _split(pieces: Sequence[Passage], title_length: int) -> tuple[list[Passage], list[Passage]]:
    """Part the pieces at the newline between title and text; marks may run over it."""
    title: list[Passage] = []
    body: list[Passage] = []
    at = 0
    for piece in pieces:
        in_title = max(0, min(len(piece.text), title_length - at))
        for part, side in ((piece.text[:in_title], title), (piece.text[in_title:], body)):
            if part:
                side.append(replace(piece, text=part))
        at += len(piece.text)
    if title and body and body[0].text.startswith("\n"):
        body[0] = replace(body[0], text=body[0].text[1:])
    return title, [piece for piece in body if piece.text]


def _head(
    head: Head,
    number: int,
    *,
    answer: AnswerOut | None,
    thresholds: Mapping[str, Any],
    standing: Mapping[Head, str],
    taxonomy: Taxonomy,
    book: LabelBook,
) -> HeadView:
    prediction = answer.predictions[head] if answer else None
    code = standing.get(head, "")
    bound = thresholds.get("per_head", {}).get(head)
    return HeadView(
        head=head,
        name=HEAD_NAMES[head],
        number=number,
        code=code,
        label=book.name(head, code) if code else "",
        suggested=prediction,
        alternatives=prediction.alternatives[:ALTERNATIVES_SHOWN] if prediction else (),
        threshold=None if bound is None else float(bound),
        doubts=[reason.message for reason in answer.decision.reasons if reason.detail == head] if answer else (),
        basis=basis_of(taxonomy, code) if head == "channel" and code else "",
    )


def basis_of(taxonomy: Taxonomy, channel: str) -> str:
    """Return the article a channel rests on and how it is handled; nothing for a code of another version."""
    found = next((known for known in taxonomy.channels if known.code == channel), None)
    return f"{found.article}：{found.handling}" if found else ""


def may(work: Work, actor: Actor) -> dict[str, bool]:
    """Return what `actor` may do now with the petition of `work`; the API checks again."""
    petition = work.petition
    if petition is None:
        return _NOTHING
    mine = petition.claim is not None and petition.claim.mine
    free = petition.claim is None
    decide = actor.may("decide") and petition.purged_at is None
    blind_ok = petition.labels is not None or actor.may("review_blind")
    return {
        "decide": decide and mine,
        "claim": decide and free and blind_ok,
        "release": mine,
        "undo": decide and mine and work.decided_now and not (petition.review and petition.review.blind),
        "force_release": petition.claim is not None and not mine and actor.may("force_release"),
        "read_original": petition.has_original and actor.may("read_original"),
        "draft": actor.may("draft_notice"),
    }
