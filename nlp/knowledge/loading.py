"""Load the knowledge files of this folder, with an office's overlay, and check that everything fits together."""

from pathlib import Path
from typing import Any

from nlp.errors import KnowledgeError
from nlp.knowledge.checks import faults_in
from nlp.knowledge.overlay import apply_overlay
from nlp.knowledge.reading import parse, read_yaml
from nlp.knowledge.records import (
    About,
    Alternatives,
    Circumstance,
    Deadline,
    Knowledge,
    Lexicon,
    Neighbour,
    Notice,
    Precedence,
    Prerequisite,
    RegistrationItem,
    Route,
    Rule,
    Situation,
    TransferLevel,
)

FOLDER = Path(__file__).parent

SECTIONS: dict[str, type] = {
    "rules": Rule,
    "routes": Route,
    "alternatives": Alternatives,
    "precedence": Precedence,
    "circumstances": Circumstance,
    "situations": Situation,
    "prerequisites": Prerequisite,
    "deadlines": Deadline,
    "transfer_levels": TransferLevel,
    "neighbours": Neighbour,
    "notices": Notice,
    "registration": RegistrationItem,
}
"""The lists of entries, by their key in the files; all entries have a `code`."""


def load_knowledge(overlay: Path | None = None) -> Knowledge:
    """Return the product's knowledge, changed by the office's `overlay` file if one is given.

    Raises KnowledgeError listing every fault found, whether in our files or in the overlay.
    """
    faults: list[str] = []
    content = _read_folder(faults)
    office = ""
    if overlay is not None:
        office = apply_overlay(content, read_yaml(overlay, faults=faults), sections=tuple(SECTIONS), faults=faults)
    source = str(overlay or FOLDER)
    single: dict[str, Any] = {
        key: parse(kind, [content[key]], section=key, faults=faults)
        for key, kind in (("about", About), ("lexicon", Lexicon))
    }
    lists: dict[str, Any] = {
        key: parse(kind, content[key], section=key, faults=faults) for key, kind in SECTIONS.items()
    }
    if faults:
        raise KnowledgeError(source, faults)
    knowledge = Knowledge(office=office, about=single["about"][0], lexicon=single["lexicon"][0], **lists)
    faults = faults_in(knowledge)
    if faults:
        raise KnowledgeError(source, faults)
    return knowledge


def check_overlay(overlay: Path) -> str:
    """Check an office's overlay file and return a Chinese sentence on what it does.

    Raises KnowledgeError listing every fault found.
    """
    ours, theirs = load_knowledge(), load_knowledge(overlay)
    changes = []
    for section in SECTIONS:
        before = {entry.code: entry for entry in getattr(ours, section)}
        after = {entry.code: entry for entry in getattr(theirs, section)}
        added = len(after.keys() - before.keys())
        removed = len(before.keys() - after.keys())
        changed = sum(1 for code in before.keys() & after.keys() if before[code] != after[code])
        if added or removed or changed:
            changes.append(f"{section}：新增{added}、修改{changed}、停用{removed}")
    return f"{theirs.office}的口径文件可以使用。" + ("；".join(changes) or "没有改动任何条目") + "。"


def _read_folder(faults: list[str]) -> dict[str, Any]:
    """Return the content of all our files as one mapping of sections."""
    content: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        content |= read_yaml(path, faults=faults)
    return content
