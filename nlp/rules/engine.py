"""Match the must-review rules against one petition.

Deterministic and declarative: what is looked for stands in nlp/knowledge/must_review.yaml; this module only knows
how a clue is met (co-occurrence, distinct signals, counts) and what cancels a hit (negation, idioms, titles of
books and laws). A firm rule gives way only to a negation that touches the hit: 我不会自杀, not 没有钱治病自杀.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from nlp.knowledge import Clue, Knowledge, Rule
from nlp.knowledge.signals import any_of, expand
from nlp.petition import Firing, Level, Masked
from nlp.rules.anchors import Index, index_of
from nlp.rules.counts import smallest_count
from nlp.rules.disguise import Plain, undisguise

_URGENCY: dict[Level, int] = {"S": 0, "A": 1, "B": 2}
_NEGATION_REACH = 8
"""How many characters before a hit are searched for a negation, within the same clause."""

_NEGATED_GAP = r"[^,.;:!?。、\n不没未非只就才办逼我你]{0,4}"
"""What may stand between a negation and what it negates: not 没有办法只有…, not 不要逼我…, not 不是不想…."""

_TITLE = re.compile(r"《(?P<name>[^》\n]{1,40})》")
_OFFICIAL_TITLE = re.compile(
    r"(?:法|法典|条例|办法|规定|规则|规程|规范|细则|标准|准则|制度|纲要|规划|方案|预案|指南|通知|通报|通告|公告|公报|意见|决定|决议|批复"
    r"|解释|报告|证明|合同|协议|(?:通知|决定|认定|裁定|裁决|判决|告知|意见|鉴定|答复)书)(?:[(（][^)）]*[)）])?\Z"
)
_OWN_WRITING = re.compile(r"我|遗书|绝笔|遗言|请愿|联名|公开信|(?:信|声明|倡议书?)\Z")
_WORK_LONGER_BY = 4
"""A title with so many characters more than the hit is that of a book or film, unless petitioners wrote it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _CompiledClue:
    """A clue with its expressions compiled; `signals` are numbers in the rule book."""

    clue: Clue
    signals: tuple[int, ...]
    near: re.Pattern[str] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _CompiledRule:
    """A rule with its expressions compiled."""

    rule: Rule
    clues: tuple[_CompiledClue, ...]
    idioms: re.Pattern[str] | None
    negation: re.Pattern[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _RuleBook:
    """All rules that look at the text, and their signals with an index."""

    rules: tuple[_CompiledRule, ...]
    signals: tuple[re.Pattern[str], ...]
    index: Index


@dataclass(frozen=True, kw_only=True, slots=True)
class _Hit:
    """One uncancelled match of one clue, in offsets of the plain text."""

    level: Level
    start: int
    end: int


def find_firings(masked: Masked, *, knowledge: Knowledge) -> tuple[Firing, ...]:
    """Return at most one firing per rule, the most urgent first; offsets are in the original text.

    Of several hits of one rule the most urgent, then the earliest is shown.
    """
    book = _compiled(knowledge)
    plain = undisguise(masked.text)
    matches = {
        number: tuple(book.signals[number].finditer(plain.text)) for number in book.index.worth_trying(plain.text)
    }
    titles = list(_TITLE.finditer(plain.text))
    firings = []
    for compiled in book.rules:
        hits = list(_hits(compiled, matches, plain.text, titles))
        if hits:
            hit = min(hits, key=lambda found: (_URGENCY[found.level], found.start))
            firings.append(_firing(compiled.rule, hit, plain, masked))
    return tuple(sorted(firings, key=lambda firing: (_URGENCY[firing.level], firing.start)))


@lru_cache(maxsize=8)
def _compiled(knowledge: Knowledge) -> _RuleBook:
    """Compile the rules of one knowledge once."""
    words = knowledge.lexicon.words
    signals: list[re.Pattern[str]] = []

    def compiled_clue(clue: Clue) -> _CompiledClue:
        first = len(signals)
        signals.extend(re.compile(expand(signal, words)) for signal in clue.find)
        near = re.compile(any_of(clue.near, words)) if clue.near else None
        return _CompiledClue(clue=clue, signals=tuple(range(first, len(signals))), near=near)

    negators = rf"(?<![不没未非])(?<!不是)(?:{'|'.join(knowledge.lexicon.negators)})"
    near, touching = re.compile(rf"{negators}{_NEGATED_GAP}\Z"), re.compile(rf"{negators}\Z")
    rules = tuple(
        _CompiledRule(
            rule=rule,
            clues=tuple(compiled_clue(clue) for clue in rule.clues),
            idioms=re.compile(any_of(rule.idioms, words)) if rule.idioms else None,
            negation=touching if rule.firm else near,
        )
        for rule in knowledge.rules
        if rule.clues
    )
    return _RuleBook(rules=rules, signals=tuple(signals), index=index_of(signals))


def _hits(
    compiled: _CompiledRule,
    matches: dict[int, tuple[re.Match[str], ...]],
    text: str,
    titles: Sequence[re.Match[str]],
) -> Iterator[_Hit]:
    """Yield the hits of one rule that nothing cancels."""
    idioms: list[re.Match[str]] | None = None
    for clue in compiled.clues:
        found = [match for number in clue.signals for match in matches.get(number, ())]
        met = [match for match in found if _meets(match, clue, text, compiled.negation)]
        if met and idioms is None:
            idioms = list(compiled.idioms.finditer(text)) if compiled.idioms else []
        standing = [match for match in met if not _overlaps(match, idioms or ()) and not _in_title(match, titles)]
        if len({match.group() for match in standing}) >= clue.clue.distinct:
            for match in standing:
                yield _Hit(level=clue.clue.level or compiled.rule.level, start=match.start(), end=match.end())


def _overlaps(match: re.Match[str], others: Iterable[re.Match[str]]) -> bool:
    """Tell whether `match` shares a character with any of `others`."""
    return any(other.start() < match.end() and match.start() < other.end() for other in others)


def _in_title(match: re.Match[str], titles: Sequence[re.Match[str]]) -> bool:
    """Tell whether `match` lies in the title of a law, a document or a work, not in that of the petitioners' paper."""
    for title in titles:
        inside = title.start() < match.start() and match.end() < title.end()
        if inside and not _OWN_WRITING.search(title["name"]):
            longer_by = len(title["name"]) - len(match.group())
            if longer_by >= _WORK_LONGER_BY or _OFFICIAL_TITLE.search(title["name"]):
                return True
    return False


def _meets(match: re.Match[str], compiled: _CompiledClue, text: str, negation: re.Pattern[str]) -> bool:
    """Tell whether one match meets the conditions of its clue."""
    clue = compiled.clue
    if clue.at_least is not None and smallest_count(match["count"]) < clue.at_least:
        return False
    if clue.negatable and negation.search(text, max(0, match.start() - _NEGATION_REACH), match.start()):
        return False
    if compiled.near is None:
        return True
    window = max(0, match.start() - clue.within), match.end() + clue.within
    return bool(compiled.near.search(text, *window))


def _firing(rule: Rule, hit: _Hit, plain: Plain, masked: Masked) -> Firing:
    """Turn a hit into a firing with offsets in the original."""
    first, last = plain.origin[hit.start], plain.origin[hit.end - 1]
    start, end = masked.original_span(first, last + 1)
    return Firing(
        code=rule.code,
        level=hit.level,
        name=rule.name,
        start=start,
        end=end,
        basis=rule.basis,
        certainty=rule.certainty,
        action=rule.action,
    )
