"""What a letter is filled with: facts the office has, and the decision of a person where one is needed."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal
from unicodedata import category

from nlp.errors import PetitionError
from nlp.petition import RouteOption

BLANK = "＿＿＿＿"
"""Stands where a fact is missing; the clerk fills it in."""


class NoticeError(PetitionError):
    """A letter cannot be drafted: unknown kind, faulty template, or no person has decided yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonDecision:
    """What a person decided: who, when, on which article and why. Only a named person's decision turns away a petition.

    `basis` is the article as written (条例第19条第3款), `reason` the matter of fact, `turn_to` where to go instead.
    """

    decided_by: str
    decided_on: date
    basis: str
    reason: str
    turn_to: str = ""

    def __post_init__(self) -> None:
        """Refuse a decision without a person, an article or a reason."""
        for name, value in (("decided_by", self.decided_by), ("basis", self.basis), ("reason", self.reason)):
            if not any(category(character) in _LETTERS and character not in _FILLERS for character in value):
                raise NoticeError(f"决定缺少“{_LABELS[name]}”，不能据此起草告知单。")
        if not _ARTICLE.search(self.basis):
            raise NoticeError(
                f"依据条款要写明法规名称和第几条，如《信访工作条例》第十九条第三款；写的是“{self.basis}”，不能据此起草告知单。"
            )


_LETTERS = frozenset({"Lu", "Ll", "Lo"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters to Unicode, blanks to the eye."""

_ARTICLE = re.compile(
    r"(?:条例|法|规定|办法|规则|细则|决定|意见)[^，。；,;]{0,20}?第?[\d〇零一二三四五六七八九十百]+条"
    r"|〔\d{4}〕\d+号"
)
"""A law or rule by name with its article, or the number of a document."""

_LABELS = {"decided_by": "决定人", "basis": "依据条款", "reason": "事由"}


Stage = Literal["handling", "review", "recheck"]
"""Which level of the petition procedure a letter belongs to: the matter itself, its 复查, its 复核."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """The facts of one petition; an empty string, an empty tuple or None means not known and leaves a blank.

    `appeals` are the requests, one sentence each; `options` the channels open to the petitioner; `limit` is the time
    limit in words with its article (自受理之日起60日内，条例第34条), as the deadline rules give it for
    the `stage`.
    """

    stage: Stage = "handling"
    office: str = ""
    number: str = ""
    petitioner: str = ""
    source: str = ""
    received_on: date | None = None
    accepted_on: date | None = None
    appeals: tuple[str, ...] = ()
    handler: str = ""
    transfer_basis: str = ""
    transferred_on: date | None = None
    assigned: bool | None = None
    limit: str = ""
    due_on: date | None = None
    query: str = ""
    contact: str = ""
    options: tuple[RouteOption, ...] = ()
    higher_office: str = ""
    signed_on: date | None = None
