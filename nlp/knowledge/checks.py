"""What must hold among the entries: references lead somewhere, sources are named, signals are sound."""

import re
from collections.abc import Iterable, Iterator

from nlp.knowledge.reading import repeated
from nlp.knowledge.records import EVENTS, Deadline, Knowledge, Rule, Sourced
from nlp.knowledge.signals import faults_of, groups_in
from nlp.taxonomy import load_taxonomy

ARTICLE = re.compile(r"\d+(?:[-、]\d+)*条|〔\d{4}〕\d+号|机构改革方案")
"""What a basis must name when its certainty is `verified`: an article, or the number of a document."""


def sourced_sections(knowledge: Knowledge) -> dict[str, tuple[Sourced, ...]]:
    """Return every list of entries that officers can be shown, by section."""
    return {
        "rules": knowledge.rules,
        "routes": knowledge.routes,
        "sub_routes": tuple(sub for route in knowledge.routes for sub in route.sub_routes),
        "precedence": knowledge.precedence,
        "circumstances": knowledge.circumstances,
        "situations": knowledge.situations,
        "prerequisites": knowledge.prerequisites,
        "deadlines": knowledge.deadlines,
        "transfer_levels": knowledge.transfer_levels,
        "neighbours": knowledge.neighbours,
        "notices": knowledge.notices,
        "registration": knowledge.registration,
    }


def faults_in(knowledge: Knowledge) -> list[str]:
    """Return everything that is inconsistent, one Chinese sentence each; empty if all is well."""
    return [
        *_repeated_codes(knowledge),
        *_unsourced(knowledge),
        *_dangling(knowledge),
        *_unsound_signals(knowledge),
        *_odd_deadlines(knowledge.deadlines),
        *_missing_levels(knowledge),
    ]


def _repeated_codes(knowledge: Knowledge) -> Iterator[str]:
    """Codes are keys: each once per section, and situations and circumstances share theirs."""
    sections: dict[str, list[str]] = {
        name: [entry.code for entry in entries] for name, entries in sourced_sections(knowledge).items()
    }
    sections["alternatives"] = [entry.code for entry in knowledge.alternatives]
    sections["situations、circumstances"] = sections.pop("situations") + sections.pop("circumstances")
    del sections["sub_routes"]
    for name, codes in sections.items():
        yield from (f"{name} {code}：代码重复" for code in repeated(codes))


def _unsourced(knowledge: Knowledge) -> Iterator[str]:
    """Whatever is shown names its source, and says `verified` only of an article."""
    for name, entries in sourced_sections(knowledge).items():
        for entry in entries:
            yield from (f"{name} {entry.code}：{fault}" for fault in _basis_faults(entry.basis, entry.certainty))
    for matter in knowledge.alternatives:
        for option in matter.options:
            certainty = option.certainty or matter.certainty
            for fault in _basis_faults(option.basis, certainty):
                yield f"alternatives {matter.code} 的 {option.channel}：{fault}"


def _basis_faults(basis: str, certainty: str) -> Iterator[str]:
    """Check one source."""
    if not basis.strip():
        yield "没有写依据"
    elif certainty == "verified" and not ARTICLE.search(basis):
        yield f"标为 verified，依据里却没有条款，写的是 {basis!r}"


def _dangling(knowledge: Knowledge) -> Iterator[str]:
    """Codes that point to other entries exist."""
    labels = load_taxonomy().labels
    channels, targets = set(labels["channel"]), set(labels["department"])
    matters = {matter.code for matter in knowledge.alternatives}
    clocks = {deadline.code for deadline in knowledge.deadlines}
    read = {entry.code for entry in (*knowledge.situations, *knowledge.circumstances)}
    for channel in sorted(channels ^ {route.code for route in knowledge.routes}):
        yield f"routes {channel}：须与分类体系的途径一一对应"
    for where, kind, codes in _references(knowledge):
        known = {
            "途径": channels, "部门": targets, "性质": set(labels["nature"]),
            "事项": matters, "期限": clocks, "情形": read,
        }[kind]  # fmt: skip
        for code in codes:
            if code and code not in known:
                yield f"{where}：没有 {code!r} 这个{kind}"


def _references(knowledge: Knowledge) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Yield (where, kind of thing pointed to, codes)."""
    for rule in knowledge.rules:
        yield f"rules {rule.code}", "性质", rule.natures
    for route in knowledge.routes:
        yield f"routes {route.code}", "期限", route.clocks
    for matter in knowledge.alternatives:
        yield f"alternatives {matter.code}", "途径", matter.channels
        yield f"alternatives {matter.code}", "途径", [option.channel for option in matter.options]
        yield f"alternatives {matter.code}", "部门", [option.to for option in matter.options]
        yield f"alternatives {matter.code}", "期限", [clock for option in matter.options for clock in option.clocks]
    for circumstance in knowledge.circumstances:
        yield f"circumstances {circumstance.code}", "途径", (circumstance.channel, *circumstance.excludes)
    for prerequisite in knowledge.prerequisites:
        yield f"prerequisites {prerequisite.code}", "途径", (prerequisite.first, prerequisite.before)
    for deadline in knowledge.deadlines:
        yield f"deadlines {deadline.code}", "途径", (*deadline.channels, *deadline.except_channels)
        yield f"deadlines {deadline.code}", "事项", deadline.matters
        yield f"deadlines {deadline.code}", "情形", (*deadline.situations, *deadline.perhaps, *deadline.unless)
    for neighbour in knowledge.neighbours:
        yield f"neighbours {neighbour.code}", "部门", (neighbour.department, *neighbour.co)


def _unsound_signals(knowledge: Knowledge) -> Iterator[str]:
    """Signals are regular expressions that match something, and name known word groups."""
    words = knowledge.lexicon.words
    for group, members in words.items():
        yield from (f"lexicon {group}：{fault}" for fault in faults_of(members, {}))
    yield from (f"lexicon negators：{fault}" for fault in faults_of(knowledge.lexicon.negators, {}))
    used = {group for rule in knowledge.rules for signal in _all_signals(rule) for group in groups_in(signal)}
    yield from (f"lexicon {group}：没有信号用到这个词组" for group in sorted(words.keys() - used))
    for rule in knowledge.rules:
        if not rule.clues and not rule.trigger:
            yield f"rules {rule.code}：既没有线索也没有触发条件"
        yield from (f"rules {rule.code}：{fault}" for fault in faults_of(_all_signals(rule), words))
        for clue in rule.clues:
            if not clue.find:
                yield f"rules {rule.code}：有一条线索没有写 find"
            counted = ["{count}" in signal for signal in clue.find]
            if not all(counted) if clue.at_least is not None else any(counted):
                yield f"rules {rule.code}：at_least 与每个信号里的 {{count}} 须同时有"
    for name in ("alternatives", "circumstances", "situations", "prerequisites", "neighbours"):
        for entry in getattr(knowledge, name):
            signals = [*entry.signals, *getattr(entry, "idioms", ())]
            yield from (f"{name} {entry.code}：{fault}" for fault in faults_of(signals, words))


def _all_signals(rule: Rule) -> tuple[str, ...]:
    """Return all expressions of a rule."""
    return (*rule.idioms, *(signal for clue in rule.clues for signal in (*clue.find, *clue.near)))


def _missing_levels(knowledge: Knowledge) -> Iterator[str]:
    """Find the transfer levels that nlp.deadlines proposes and that are not there."""
    present = {level.code for level in knowledge.transfer_levels}
    for code in ("level_major", "level_first_to_repeat", "level_ordinary"):
        if code not in present:
            yield f"transfer_levels {code}：程序要用，不能停用，可以改名"


def _odd_deadlines(deadlines: tuple[Deadline, ...]) -> Iterator[str]:
    """Find clocks without a limit that need one, and local practice that looks like law."""
    known = EVENTS.keys() | {deadline.code for deadline in deadlines}
    for deadline in deadlines:
        if deadline.starts not in known:
            yield f"deadlines {deadline.code}：没有 {deadline.starts!r} 这个起算事件；可写 {sorted(known)}"
        open_ended = deadline.unit in {"immediate", "specified"}
        if open_ended != (deadline.limit is None) or (deadline.limit is not None and deadline.limit <= 0):
            yield f"deadlines {deadline.code}：limit {deadline.limit!r} 与 unit {deadline.unit!r} 不配"
        if (deadline.kind == "local") != (deadline.certainty == "local"):
            yield f"deadlines {deadline.code}：kind 与 certainty 须同为 local 或同不为 local"
