"""Which column of a table holds what, and what the columns are called in the output."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nlp.errors import TableError

NAMES: Mapping[str, tuple[str, ...]] = {
    "id": (
        "id", "petition_id", "留言编号", "信访编号", "信访件编号", "信访件号", "工单编号", "工单号", "事项编号",
        "受理编号", "登记编号", "件号", "编号", "序号",
    ),
    "title": (
        "title", "subject", "留言主题", "留言标题", "信访标题", "诉求标题", "事项标题", "工单标题", "来信标题",
        "标题", "主题", "题名",
    ),
    "text": (
        "text", "content", "留言详情", "留言内容", "信访内容", "诉求内容", "反映内容", "工单内容", "事项内容",
        "来信内容", "问题描述", "诉求描述", "概况信息", "主要内容", "正文", "内容", "详情", "信访诉求", "诉求",
        "反映事项", "信访事项",
    ),
}  # fmt: skip
"""Names by which a column is found; where a table has several of them, the earlier one counts."""

CLASH_SUFFIX = "_input"
"""Added to the name of an input column that would clash with one of ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """The columns a petition is made from, by their names in the input."""

    text: str
    title: str | None = None
    id: str | None = None


def find_columns(
    columns: Sequence[str],
    *,
    id_column: str | None = None,
    title_column: str | None = None,
    text_column: str | None = None,
) -> Columns:
    """Return the columns of id, title and text: as given, otherwise found by their names.

    Raises TableError if a given column does not exist or is given twice, or no text column is found.
    """
    given = {"id": id_column, "title": title_column, "text": text_column}
    named = [name for name in given.values() if name is not None]
    for name in named:
        if name not in columns:
            raise TableError(f"没有列“{name}”。{_listed('表中的列', columns)}")
        if named.count(name) > 1:
            raise TableError(f"列“{name}”不能用于两项")
    free = [column for column in columns if column not in named]
    found = {role: name if name is not None else _find(NAMES[role], free) for role, name in given.items()}
    if found["text"] is None:
        raise TableError(
            f"找不到正文列。{_listed('表中的列', columns)}。{_listed('可识别的列名', NAMES['text'])}。"
            "也可用 --text 指定列名"
        )
    return Columns(text=found["text"], title=found["title"], id=found["id"])


def output_names(columns: Iterable[str], *, added: Sequence[str]) -> dict[str, str]:
    """Return the output name of every input column: its own, with a suffix where `added` has the same name."""
    columns = tuple(columns)
    taken = {*columns, *added}
    names: dict[str, str] = {}
    for column in columns:
        name = column
        while name in added or (name != column and name in taken):
            name += CLASH_SUFFIX
        taken.add(name)
        names[column] = name
    return names


def _find(names: Sequence[str], columns: Sequence[str]) -> str | None:
    by_plain = {_plain(column): column for column in reversed(columns)}
    return next((by_plain[name] for name in names if name in by_plain), None)


def _plain(name: str) -> str:
    """Return a header without width, case, spaces and the marks that forms put on required fields."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if not character.isspace() and character not in "*:")


def _listed(what: str, names: Sequence[str]) -> str:
    shown = "、".join(names[:40]) + ("……" if len(names) > 40 else "")
    return f"{what}：{shown or '（无）'}"
