"""Fill a template with facts, and remember every blank."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args
from unicodedata import category

import yaml
from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment

from nlp.errors import NoticeTemplateError
from nlp.knowledge.citations import in_full
from nlp.notices.facts import BLANK, Facts, NoticeError, PersonDecision
from nlp.notices.render import Block, docx_of, html_of

NoticeCode = Literal[
    "notice_accept",
    "notice_transfer",
    "notice_transfer_accusation",
    "notice_not_accept",
    "notice_choice",
    "handling_opinion",
]
NOTICES: tuple[NoticeCode, ...] = get_args(NoticeCode)
"""The letters that can be drafted; the codes are those of `Knowledge.notices`."""

_CHOICE = "notice_choice"
_ONLY_DECIDED = frozenset({"notice_not_accept"})
_KINDS = frozenset({"title", "number", "heading", "paragraph", "plain", "right", "note"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A draft letter: a page of HTML, the bytes of a DOCX file, and the names of what was left blank.

    `warnings` is what a person must check first; the page shows it above the letter and does not print it.
    """

    code: NoticeCode
    title: str
    html: str
    docx: bytes
    blanks: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def draft_notice(
    code: str,
    facts: Facts,
    *,
    decision: PersonDecision | None = None,
    templates: Path | None = None,
    warnings: tuple[str, ...] = (),
) -> Draft:
    """Return the draft of one letter.

    Articles of options may be in our short form (条例31条(五)); the letter writes them out.

    `templates` is a folder of the office's own templates (`<code>.yaml`), which win over ours. Raises NoticeError
    for an unknown letter, a faulty template, a 不予受理告知单 without a person's decision, or a choice between fewer
    than two channels.
    """
    if code not in NOTICES:
        raise NoticeError(f"没有“{code}”这种文书；可以起草的有：{'、'.join(NOTICES)}。")
    if code in _ONLY_DECIDED and decision is None:
        raise NoticeError("不予受理必须由人作出决定后才能起草告知单：请先登记决定人、依据条款和事由。")
    if code == _CHOICE and len(facts.options) < 2:
        open_ones = "、".join(option.name for option in facts.options) or "没有写明"
        raise NoticeError(f"可走的法定途径不足两条（{open_ones}），没有可供信访人选择的，不起草法定途径选择告知单。")
    template = _load(code, templates)
    values = _Values(facts, decision)
    blocks = _filled(template, values, source=code)
    return Draft(
        code=code,
        title=str(template["name"]),
        html=html_of(blocks, title=str(template["name"]), warnings=warnings),
        docx=docx_of(blocks),
        blanks=tuple(values.blanks),
        warnings=warnings,
    )


def check_templates(folder: Path | None) -> None:
    """Raise NoticeTemplateError with every fault of an office's templates: unknown letters, form, unknown names."""
    if folder is None:
        return
    if not folder.is_dir():
        raise NoticeTemplateError(str(folder), ["没有这个文件夹"])
    faults = []
    for file in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        code = next((code for code in NOTICES if file.name == f"{code}.yaml"), None)
        if code is None:
            faults.append(f"{file.name}：不是文书模板；文件名只能是 {'、'.join(f'{code}.yaml' for code in NOTICES)}")
            continue
        try:
            _filled(_load(code, folder), _Values(Facts(), None), source=file.name)
        except NoticeError as error:
            faults.append(str(error))
    if faults:
        raise NoticeTemplateError(str(folder), faults)


def _load(code: NoticeCode, folder: Path | None) -> Mapping[str, Any]:
    """Read a template, the office's own first."""
    own = folder / f"{code}.yaml" if folder else None
    resource = files("nlp") / "notices" / "templates" / f"{code}.yaml"
    text = own.read_text(encoding="utf-8") if own and own.is_file() else resource.read_text(encoding="utf-8")
    source = str(own) if own and own.is_file() else f"{code}.yaml"
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise NoticeError(f"文书模板 {source} 不是有效的 YAML：{error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("blocks"), list) or "name" not in content:
        raise NoticeError(f"文书模板 {source} 必须有 name 和 blocks 两项。")
    for block in content["blocks"]:
        kinds = set(block) - {"each"} if isinstance(block, dict) else set()
        if len(kinds) != 1 or not kinds <= _KINDS:
            raise NoticeError(f"文书模板 {source} 有不认识的段落 {block!r}；可用：{'、'.join(sorted(_KINDS))}。")
    return content


class _Values(Mapping[str, Any]):
    """What a template may name: facts and decision; asking for a missing one gives a blank and notes its name."""

    def __init__(self, facts: Facts, decision: PersonDecision | None) -> None:
        """Gather the values and their Chinese names."""
        self.blanks: dict[str, None] = {}
        self._values: dict[str, Any] = {field.name: getattr(facts, field.name) for field in fields(facts)}
        for field in fields(PersonDecision):
            self._values[field.name] = getattr(decision, field.name) if decision else ""
        self._values["blank"] = self._blank

    def __getitem__(self, name: str) -> Any:
        """Return a value ready for the letter; KeyError for a name that does not exist."""
        value = self._values[name]
        if value is None or value == "" or value == ():
            return self._blank(_NAMES.get(name, name)) if value != () else ()
        return f"{value.year}年{value.month}月{value.day}日" if isinstance(value, date) else value

    def __iter__(self) -> Any:
        """Iterate over the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self._values)

    def _blank(self, name: str) -> str:
        """Note a blank under its Chinese name and return the line to write on."""
        self.blanks[name] = None
        return BLANK


def _filled(template: Mapping[str, Any], values: _Values, *, source: str) -> list[Block]:
    """Fill every block; `each: appeals` repeats a block for every item, or leaves one blank item."""
    # Plain text comes out here; HTML is escaped where the page is made, DOCX by its library.
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters["in_full"] = in_full
    blocks: list[Block] = []
    for block in template["blocks"]:
        kind, text = next((kind, text) for kind, text in block.items() if kind != "each")
        try:
            compiled = environment.from_string(str(text))
            needed = _named_in(environment, str(text))
            for item in _items(block.get("each"), values):
                context = {name: values[name] for name in needed if name in values} | item
                blocks.append(Block(kind=kind, text=_clean(compiled.render(context))))
        except (TemplateError, KeyError) as error:
            raise NoticeError(f"文书模板 {source} 的一段无法填写：{error}") from error
    return blocks


def _items(each: str | None, values: _Values) -> list[dict[str, Any]]:
    """Return what a repeated block is filled with, one dictionary for each repetition."""
    if each is None:
        return [{}]
    items = values[each]
    if not items:
        return [{"item": values["blank"](_NAMES.get(each, each)), "n": 1}]
    return [{"item": item, "n": number} for number, item in enumerate(items, start=1)]


def _named_in(environment: SandboxedEnvironment, text: str) -> list[str]:
    """Return the names a piece of template uses, in the order of the text; only those are noted as blanks."""
    names = meta.find_undeclared_variables(environment.parse(text)) - {"item", "n"}
    return sorted(names, key=text.find)


def _clean(text: str) -> str:
    """Remove what XML cannot hold or no font can show: control characters, lone surrogates, noncharacters."""
    return "".join(
        character for character in text.strip() if character == "\n" or category(character) not in {"Cc", "Cs", "Cn"}
    )


_NAMES = {
    "office": "机关名称", "number": "信访件编号", "petitioner": "信访人", "source": "信访事项来源", "received_on": (
        "收到日期"
    ),
    "accepted_on": "受理日期", "appeals": "诉求", "handler": "去向（承办）单位", "transfer_basis": "转送（交办）依据",
    "transferred_on": "转送（交办）日期", "assigned": "转送还是交办", "limit": "办理期限", "due_on": "届满日期",
    "query": "查询方式", "contact": "联系人及电话", "options": "可选途径", "higher_office": "复查机关", "signed_on": (
        "落款日期"
    ),
    "decided_by": "决定人", "decided_on": "决定日期", "basis": "依据条款", "reason": "事由", "turn_to": "应向何处提出",
}  # fmt: skip
