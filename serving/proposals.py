"""Which department follows when a person corrects the category: a proposal with its grounds, never a decision.

Three grounds, in this order of weight: what this office decided before in that category; how well the duties
in the directory of units match the names of the category; what the model said of this very text. The model
saw the text but thought of another category, so it weighs least.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from nlp.taxonomy import Taxonomy
from nlp.taxonomy.records import SEPARATOR
from serving.store.schema import PetitionRow

ENOUGH_CASES = 3
"""Fewer decided petitions of a category say nothing of the office's habit."""

ENOUGH_DUTY = 0.8
"""Below this score the overlap of names is chance; found by reading the best matches of all 103 categories."""

_HISTORY, _DUTY, _MODEL = 3.0, 1.0, 0.6


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """A department for a category, with the grounds in Chinese; `sure` where it may be filled in at once."""

    code: str
    name: str
    grounds: tuple[str, ...]
    sure: bool


def propose(
    session: Session, taxonomy: Taxonomy, category_l2: str, *, model: Mapping[str, float], limit: int = 4
) -> list[Proposal]:
    """Return the departments that fit `category_l2` best; `model` is its probability per department."""
    history = _history(session, taxonomy, category_l2)
    n_cases = sum(history.values())
    duties = _duties(taxonomy).get(category_l2, {})
    best_duty = max(duties.values(), default=1.0)
    scores: dict[str, float] = {}
    grounds: dict[str, list[str]] = {}
    if n_cases >= ENOUGH_CASES:
        for code, count in history.items():
            scores[code] = _HISTORY * count / n_cases
            grounds.setdefault(code, []).append(f"本机关同类已办 {n_cases} 件，其中 {count} 件由其办理")
    for code, score in duties.items():
        scores[code] = scores.get(code, 0.0) + _DUTY * score / best_duty
        grounds.setdefault(code, []).append("职责与该类内容相符")
    for code in grounds:
        scores[code] += _MODEL * model.get(code, 0.0)
    ranked = sorted(scores, key=lambda code: -scores[code])[:limit]
    return [
        Proposal(
            code=code,
            name=taxonomy.name("department", code),
            grounds=tuple(grounds[code]),
            sure=number == 0 and _clear(code, history, n_cases, duties),
        )
        for number, code in enumerate(ranked)
    ]


def _clear(code: str, history: Mapping[str, int], n_cases: int, duties: Mapping[str, float]) -> bool:
    """Whether `code` stands out enough to be filled in for the clerk to confirm."""
    if n_cases >= ENOUGH_CASES:
        return history.get(code, 0) * 2 > n_cases
    others = max((score for other, score in duties.items() if other != code), default=0.0)
    return duties.get(code, 0.0) > 1.25 * others


def _history(session: Session, taxonomy: Taxonomy, category_l2: str) -> Counter[str]:
    query = (
        select(PetitionRow.department, func.count())
        .where(PetitionRow.state == "decided", PetitionRow.category_l2 == category_l2)
        .group_by(PetitionRow.department)
    )
    history = Counter[str]()
    for department, count in session.execute(query):
        # Decisions may name departments of an earlier directory.
        if department in taxonomy.labels["department"]:
            history[taxonomy.acting(department)] += count
    return history


@lru_cache(maxsize=4)
def _duties(taxonomy: Taxonomy) -> dict[str, dict[str, float]]:
    """Per second-level category: how well the duties of each department match it (rare pairs of characters)."""
    departments = {
        unit.code: _pairs(map(str, (unit.name, *unit.aliases, *unit.matters)))
        for unit in taxonomy.departments
        if unit.petition_recipient
    }
    known_by = Counter(pair for pairs in departments.values() for pair in pairs)
    weight = {pair: math.log(len(departments) / count) for pair, count in known_by.items()}
    found: dict[str, dict[str, float]] = {}
    for category in taxonomy.categories:
        for sub in category.second_level:
            wanted = _pairs(name for name in (sub.name, *sub.third_level) if name != "其他")
            scores: dict[str, float] = {}
            for code, pairs in departments.items():
                acting = taxonomy.acting(code)
                fit = sum(weight[pair] for pair in wanted & pairs) / math.sqrt(len(pairs))
                scores[acting] = max(fit, scores.get(acting, 0.0))
            label = f"{category.name}{SEPARATOR}{sub.name}"
            found[label] = {code: score for code, score in scores.items() if score >= ENOUGH_DUTY}
    return found


def _pairs(names: Iterable[str]) -> set[str]:
    return {name[n : n + 2] for name in names for n in range(len(name) - 1)}
