"""The label system in service, in the shape the desk and the API need: look up, validate, list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy
from nlp.taxonomy.records import SEPARATOR
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
    def of(cls, taxonomy: Taxonomy) -> Self:
        """Read the labels out of `taxonomy`."""
        # A directory may write a hotline such as 12345 without quotes: YAML makes a number of it.
        aliases = {unit.code: tuple(map(str, unit.aliases)) for unit in taxonomy.departments}
        return cls(
            version=taxonomy.version,
            heads={
                head: tuple(
                    Label(
                        code=code,
                        name=taxonomy.name(head, code),
                        parent=code.partition(SEPARATOR)[0] if head == "category_l2" else "",
                        aliases=aliases[code] if head == "department" else (),
                    )
                    for code in codes
                )
                for head, codes in taxonomy.labels.items()
            },
        )

    def find(self, head: Head, code: str) -> Label | None:
        """Return the label, or None where this version does not know `code`."""
        return next((label for label in self.heads[head] if label.code == code), None)

    def name(self, head: Head, code: str) -> str:
        """Return the Chinese name of `code`, or the code itself where this version does not know it."""
        label = self.find(head, code)
        return label.name if label else code

    def check(self, labels: Mapping[Head, str], *, at: str = "labels", complete: bool = True) -> None:
        """Raise the 422 problem that names everything `labels` has wrong.

        That is: unknown codes, missing heads (where they must be `complete`), a second level that does not
        belong to the first.
        """
        faults = [(head, "missing", f"缺少 {head}") for head in HEADS if complete and head not in labels]
        for head, code in labels.items():
            label = self.find(head, code)
            if label is None:
                faults.append((head, "unknown_code", f"{head} 没有代码 {code!r}"))
            elif label.parent and labels.get("category_l1", label.parent) != label.parent:
                faults.append((head, "wrong_parent", f"{code} 不属于 {labels['category_l1']}"))
        if faults:
            raise Problem(
                422,
                code="unknown_label",
                detail="；".join(message for _, _, message in faults),
                errors=[{"at": f"{at}/{head}", "rule": rule, "message": text} for head, rule, text in faults],
            )
