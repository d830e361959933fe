"""Read YAML files into records and say everything that is wrong with them at once."""

from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from nlp.errors import KnowledgeError

Record = TypeVar("Record")


class _OnceLoader(yaml.CSafeLoader):
    """Notes every key that stands twice in a mapping: YAML would silently keep the last one."""

    def __init__(self, text: str) -> None:
        """Read `text`."""
        super().__init__(text)
        self.faults: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping; of lists under one key both are kept, so that their faults are found too."""
        first: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            earlier = first.setdefault(key.value, value)
            if earlier is not value:
                self.faults.append(f"第{key.start_mark.line + 1}行：{key.value!r} 在同一层写了两次，须合成一处")
                if isinstance(earlier, yaml.SequenceNode) and isinstance(value, yaml.SequenceNode):
                    value.value = [*earlier.value, *value.value]
        return super().construct_mapping(node, deep=deep)


_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(path: Path, *, faults: list[str]) -> Any:
    """Return the content of one YAML file; keys that stand twice go to `faults`.

    Raises KnowledgeError when it cannot be read or is no YAML.
    """
    try:
        loader = _OnceLoader(path.read_text(encoding="utf-8"))
        content = loader.get_single_data()
        faults.extend(loader.faults)
        return content
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(str(path), [f"读不了：{error}"]) from error
    except yaml.YAMLError as error:
        detail = " ".join(str(error).split())
        raise KnowledgeError(str(path), [f"不是合格的 YAML：{detail}"]) from error


def parse(kind: type[Record], entries: Iterable[object], *, section: str, faults: list[str]) -> tuple[Record, ...]:
    """Return the well-formed entries as records of `kind`; what is wrong with the others goes to `faults`."""
    adapter = TypeAdapter(kind)
    records = []
    for number, entry in enumerate(entries, start=1):
        try:
            records.append(adapter.validate_python(entry))
        except ValidationError as error:
            where = entry.get("code", f"第{number}条") if isinstance(entry, dict) else f"第{number}条"
            details = error.errors(include_url=False)
            faults.extend(f"{section} {where}：{_sentence(detail)}" for detail in details)
    return tuple(records)


def _sentence(detail: ErrorDetails) -> str:
    """Turn one pydantic error into a Chinese sentence on the field and what was given."""
    field = ".".join(str(part) for part in detail["loc"]) or "条目"
    said = _SAID.get(detail["type"], detail["msg"]).format(**detail.get("ctx", {}))
    given = "" if detail["type"] in _WITHOUT_VALUE else f"，写的是 {detail['input']!r:.60}"
    return f"{field} {said}{given}"


_SAID = {
    "missing": "没有写",
    "unexpected_keyword_argument": "不是这里的字段",
    "literal_error": "只能是 {expected}",
    "string_type": "须为文字",
    "int_type": "须为整数",
    "int_parsing": "须为整数",
    "bool_type": "须为 true 或 false",
    "bool_parsing": "须为 true 或 false",
    "tuple_type": "须为列表",
    "dataclass_type": "须按字段逐项写",
}
"""What pydantic finds wrong, by its type; what is not here is said in pydantic's words."""

_WITHOUT_VALUE = frozenset({"missing", "unexpected_keyword_argument"})


def repeated(codes: Sequence[str]) -> list[str]:
    """Return the codes that occur more than once, each once, sorted."""
    return sorted({code for code in codes if codes.count(code) > 1})
