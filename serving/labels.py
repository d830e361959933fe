"""The label system in service, in the shape the desk and the API need: look up, validate, list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from nlp.petition import HEADS, Head
from serving.errors import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """One answer a head can give; `parent` is the first-level category of a second-level one."""

    code: str
    name: str
    parent: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelBook:
    """Every label of one taxonomy version, by head."""

    version: str
    heads: Mapping[Head, tuple[Label, ...]]

    @classmethod
    def of(cls, taxonomy: Any) -> Self:  # noqa: ANN401  the one place that knows the shape of a taxonomy
        """Read the labels out of `taxonomy` (a LabelBook is returned as it is)."""
        if isinstance(taxonomy, cls):
            return taxonomy
        raise TypeError(f"not a taxonomy: {type(taxonomy).__name__}")

    def find(self, head: Head, code: str, *, parent: str = "") -> Label | None:
        """Return the label, or None where this version does not know `code` (below `parent`, if given)."""
        for label in self.heads[head]:
            if label.code == code and (not parent or not label.parent or label.parent == parent):
                return label
        return None

    def name(self, head: Head, code: str) -> str:
        """Return the Chinese name of `code`, or the code itself where this version does not know it."""
        label = self.find(head, code)
        return label.name if label else code

    def check(self, labels: Mapping[Head, str], *, at: str = "labels", complete: bool = True) -> None:
        """Raise the 422 problem that names everything `labels` has wrong: unknown codes, missing heads."""
        faults = [
            {"at": f"{at}/{head}", "rule": "missing", "message": f"缺少 {head}"}
            for head in HEADS
            if complete and head not in labels
        ]
        for head, code in labels.items():
            parent = labels.get("category_l1", "") if head == "category_l2" else ""
            if self.find(head, code, parent=parent) is None:
                below = f"（{parent} 之下）" if parent else ""
                faults.append(
                    {
                        "at": f"{at}/{head}",
                        "rule": "unknown_code",
                        "message": f"{head}{below}没有代码 {code!r}",
                    }
                )
        if faults:
            detail = "；".join(fault["message"] for fault in faults)
            raise Problem(422, code="unknown_label", detail=detail, errors=faults)
