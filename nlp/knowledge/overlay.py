"""An office's own practice, laid over the product's knowledge without touching code.

The overlay is a YAML file: the office's name and, per section, entries by code. A known code changes the given fields,
`disabled: true` switches an entry off, a new code adds an entry. Whatever an office adds or changes is marked local
practice, except that new wording or further clues leave an entry's source as it was. Rules of level S protect life,
those set off by a nature keep accusations from the accused (art. 30): they can be added to, never weakened. What the
law wants first and what it lets a judgment or court case mean can be reworded, never switched off. No text for clerks
may speak of a refusal, which a person decides; only the letters that need such a decision may.

    office: 某县信访局
    deadlines:
      - {code: local_520_accept, limit: 3}
      - {code: local_210_accept, disabled: true}
"""

import re
from collections.abc import Iterator
from typing import Any, cast

from nlp.knowledge.reading import repeated

_WORDING = frozenset({"code", "name", "action", "why", "clues"})
"""What may change in an entry without touching its source."""

_SAFETY_FIELDS = _WORDING | {"disabled", "certainty"}
"""What an overlay may say about a rule it may not weaken: wording, further clues; `disabled` has its own message."""


_LAW_WORDING = frozenset({"code", "name", "matter", "advice", "certainty"})
"""What an overlay may say about a entry on what comes first or has happened that is the law; `disabled` as above."""

_UNSEEN = frozenset({"code", "signals", "idioms", "clues", "disabled"})
"""Fields of an entry that hold no words for a clerk."""

_REFUSAL = re.compile(
    r"(?:不予|不再|拒绝|不)受理|[只仅](?:作|做|予)?登记|不予(?:办理|处理|登记|接收)|不再(?:办理|处理)"
)
"""Words of a decision that only a person may take (条例19、36条): no entry may speak them."""


def apply_overlay(
    content: dict[str, Any],
    overlay: object,
    *,
    sections: tuple[str, ...],
    faults: list[str],
) -> str:
    """Change `content` (section → entries) as `overlay` says and return the office's name.

    Every fault is one sentence in `faults`; a faulty entry changes nothing.
    """
    if not isinstance(overlay, dict) or not isinstance(overlay.get("office"), str) or not overlay["office"].strip():
        faults.append("须在 office 下写明本机关的名称")
        return ""
    grounds = _grounds_in(content)
    for section, entries in overlay.items():
        if section == "office":
            continue
        if section not in sections:
            faults.append(f"没有 {section!r} 这一部分；可写 {'、'.join(sections)}")
        elif not isinstance(entries, list) or not all(_has_code(entry) for entry in entries):
            faults.append(f"{section}：须为条目的列表，每条写明 code")
        else:
            codes = [entry["code"] for entry in entries]
            faults.extend(f"{section} {code}：写了两次" for code in repeated(codes))
            for entry in entries:
                _apply(content[section], entry, section=section, faults=faults)
    _forget(grounds - _grounds_in(content), content["deadlines"])
    return cast("str", overlay["office"])


def _has_code(entry: object) -> bool:
    """Tell whether an entry can be found by its code."""
    return isinstance(entry, dict) and isinstance(entry.get("code"), str)


def _apply(entries: list[dict[str, Any]], change: dict[str, Any], *, section: str, faults: list[str]) -> None:
    """Add, change or switch off one entry."""
    code = change["code"]
    wrong = _faults_of_change(entries, change, section=section)
    if wrong:
        faults.extend(f"{section} {code}：{fault}" for fault in wrong)
        return
    known = next((entry for entry in entries if entry["code"] == code), None)
    fields = {key: value for key, value in change.items() if key != "disabled"}
    if known is None or change.keys() - _WORDING:
        fields["certainty"] = "local"
    if known is None:
        entries.append(fields)
    elif change.get("disabled"):
        entries.remove(known)
    else:
        further = fields.pop("clues", [])
        if further:
            known["clues"] = [*known.get("clues", []), *further]
        known.update(fields)


def _grounds_in(content: dict[str, Any]) -> set[str]:
    """Return the codes of what a text may say has happened."""
    return {entry["code"] for section in ("circumstances", "situations") for entry in content[section]}


def _forget(gone: set[str], deadlines: list[dict[str, Any]]) -> None:
    """Take what was switched off out of the clocks; a clock that nothing else could start goes with it."""
    for deadline in tuple(deadlines):
        for field in ("unless", "perhaps", "situations"):
            codes = deadline.get(field)
            if isinstance(codes, list) and any(code in codes for code in gone):
                deadline[field] = [code for code in codes if code not in tuple(gone)]
                if field != "unless" and not any(deadline.get(key) for key in ("channels", "situations", "perhaps")):
                    deadlines.remove(deadline)


def _faults_of_change(entries: list[dict[str, Any]], change: dict[str, Any], *, section: str) -> list[str]:
    """Return what an office may not do with this entry."""
    known = next((entry for entry in entries if entry["code"] == change["code"]), None)
    faults = []
    if not isinstance(change.get("disabled", False), bool):
        faults.append(f"disabled 只能是 true 或 false，写的是 {change['disabled']!r}")
    if change.get("certainty", "local") != "local":
        faults.append(f"本机关的条目属地方做法，certainty 只能是 local，写的是 {change['certainty']!r}")
    if not (section == "notices" and (known or change).get("needs_decision")):
        faults.extend(_refusals_in(change))
    if known is None:
        if "disabled" in change:
            faults.append(f"没有这一条可停用；现有 {'、'.join(e['code'] for e in entries)}")
        return faults
    return [*faults, *_faults_of_weakening(known, change, section=section)]


def _faults_of_weakening(known: dict[str, Any], change: dict[str, Any], *, section: str) -> list[str]:
    """Return what an office may not take from an entry of ours that protects people or is the law's own."""
    faults = []
    if section == "rules" and (known.get("level") == "S" or known.get("natures")):
        kind = "S 级安全规则" if known.get("level") == "S" else "检举控告规则"
        if change.get("disabled"):
            faults.append(f"{kind}不能停用")
        weaker = sorted(change.keys() - _SAFETY_FIELDS)
        if weaker:
            faults.append(f"{kind}只能改措辞、加线索，不能改 {weaker}")
    if section in {"circumstances", "prerequisites", "situations"} and known.get("certainty") == "verified":
        kind = "法律规定的前置程序" if section == "prerequisites" else "法律规定的情形"
        if change.get("disabled"):
            faults.append(f"{kind}（{known['basis']}）不能停用")
        weaker = sorted(change.keys() - _LAW_WORDING - {"disabled"})
        if weaker:
            faults.append(f"{kind}（{known['basis']}）只能改措辞，不能改 {weaker}；要加信号可另立一条")
    if section == "deadlines" and known.get("kind") != "local":
        faults.append("法定期限不能改；可另加一条更短的，kind 写 local")
    return faults


def _refusals_in(change: dict[str, Any]) -> list[str]:
    """Return a fault for every text of an entry that speaks of a refusal as decided, blanks within it or not."""
    texts = [(field, text) for field, value in change.items() if field not in _UNSEEN for text in _texts_in(value)]
    found = [(field, _REFUSAL.search("".join(text.split()))) for field, text in texts]
    return [
        f"{field} 里写了“{refusal.group()}”：是否受理只能由人依法决定，给经办人看的文字不能这样写"
        for field, refusal in found
        if refusal
    ]


def _texts_in(value: object) -> Iterator[str]:
    """Yield every text in a value, however deep, but signals."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in _UNSEEN:
                yield from _texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_in(inner)
