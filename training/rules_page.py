"""The page docs/rules.md: how well rules and routes do, as tables, with every failed case named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlp.petition import Firing, Head
from training.urgent_reading import URGENT, Agreement

if TYPE_CHECKING:
    from nlp.knowledge import Knowledge
    from training.evaluate_rules import Case, Routed, Written

PARTS = ("dev", "held", "fresh")
"""The parts of the annotated messages; see training.evaluate_rules."""

_INTRODUCTION = """\
# 规则与途径的评估

本页由 `python -m training.evaluate_rules --data ../shared/data` 生成。案例只列编号，不列信访原文。

标注件按近似重复组分成两半：规则在 `dev` 半写成，`held` 半只用于测量（例外：试验“已判决”改途径的门槛时看过一次
held 的途径结果）。第二批标注中划为 `fit` 的件后来也用于修改规则，其余的（`fresh`）只用于测量
（例外：十五件漏掉的测试件曾被读过，词表中有一个说法出自其中一件，见 docs/decisions/0014；另二十件答错的测试件
为 docs/decisions/0017 读过）。
规则速度：每500字 {milliseconds:.2f} 毫秒（处理器时间，全部规则）。

S 级标记由读者专门重读（`datasets/annotations/urgent_reading.csv`）：第一遍逐件填十栏，漏标很多。校准和测试件由两位
读者各读一遍，与第一遍按多数定；其余件由一位读者读。读者是同一语言模型的不同会话，彼此一致不等于正确。两人都读的件：

{readings}
"""


@dataclass(frozen=True, kw_only=True)
class Hits:
    """Right, wrong and missed firings."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> str:
        """Share of firings that are right."""
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> str:
        """Share of what should have fired that did."""
        return _share(self.right, self.right + self.missed)


def page(
    *,
    cases: Sequence[Case],
    readings: Sequence[Agreement],
    milliseconds: float,
    routed: Sequence[Routed],
    sentences: Sequence[Written],
    adversarial: Sequence[Written],
    knowledge: Knowledge,
) -> str:
    """Return the whole page as Markdown."""
    return "\n".join(
        [
            _INTRODUCTION.format(milliseconds=milliseconds, readings=_readings(readings)),
            _annotated(cases, knowledge),
            _safety(cases),
            _sentences(sentences),
            _adversarial(adversarial),
            _overruled(routed, "channel", "法定途径"),
            _overruled(routed, "department", "责任部门"),
            _offered(routed),
        ]
    )


def _readings(readings: Sequence[Agreement]) -> str:
    head = ["标记", "第一遍", "重读一", "重读二", "定为", "κ（第一遍与重读一）", "κ（两遍重读）"]
    rows = [[f"`{code}`", *counts, *(f"{value:.2f}" for value in kappas)] for code, counts, kappas in readings]
    return _table(head, rows)


def _share(part: int, whole: int) -> str:
    """Return a share with three digits, or a dash where there is nothing to divide."""
    return f"{part / whole:.3f}" if whole else "—"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def _hits(cases: Iterable[Case], code: str, counts: Callable[[Firing], bool]) -> Hits:
    """Compare one rule with the annotated flags."""
    right = wrong = missed = 0
    for case in cases:
        fired = code in case.firings and counts(case.firings[code])
        flagged = code in case.example.flags
        right += fired and flagged
        wrong += fired and not flagged
        missed += flagged and not fired
    return Hits(right=right, wrong=wrong, missed=missed)


def _together(cases: Sequence[Case], counts: Callable[[Firing], bool]) -> Hits:
    """Add up the safety rules."""
    each = [_hits(cases, code, counts) for code in URGENT]
    return Hits(
        right=sum(hits.right for hits in each),
        wrong=sum(hits.wrong for hits in each),
        missed=sum(hits.missed for hits in each),
    )


def _any_level(_firing: Firing) -> bool:
    return True


def _level_s(firing: Firing) -> bool:
    return firing.level == "S"


def _annotated(cases: Sequence[Case], knowledge: Knowledge) -> str:
    """Each rule against the annotated flags, by half."""
    flags = {flag for case in cases for flag in case.example.flags}
    rows = []
    for rule in knowledge.rules:
        if rule.code not in flags:
            continue
        row: list[object] = [f"`{rule.code}`", rule.level]
        for half in PARTS:
            hits = _hits([case for case in cases if case.half == half], rule.code, _any_level)
            row += [hits.right + hits.missed, hits.right + hits.wrong, hits.precision, hits.recall]
        rows.append(row)
    sizes = "，".join(f"{part} {sum(case.half == part for case in cases)} 件" for part in PARTS)
    head = ["规则", "级", *(f"{part} {name}" for part in PARTS for name in ("标注", "命中", "精确率", "召回率"))]
    return f"## 每条规则与标注（{sizes}；任何级别的命中都算）\n\n{_table(head, rows)}"


def _safety(cases: Sequence[Case]) -> str:
    """Show the rules of level S together, and what they miss."""
    rows = []
    misses = []
    for half in PARTS:
        here = [case for case in cases if case.half == half]
        for label, counts in (("只算 S 级命中", _level_s), ("任何级别", _any_level)):
            hits = _together(here, counts)
            rows.append([half, label, hits.right, hits.wrong, hits.missed, hits.precision, hits.recall])
        for code in URGENT:
            missed = [c.example.id for c in here if code in c.example.flags and code not in c.firings]
            lower = [
                c.example.id
                for c in here
                if code in c.example.flags and code in c.firings and c.firings[code].level != "S"
            ]
            misses.append([half, f"`{code}`", "、".join(missed) or "无", "、".join(lower) or "无"])
    return (
        "## S 级合计\n\n"
        "多人共同诉求、公共安全险情各有强弱两类线索：强的按 S 级立即报告，弱的（如只有人数、只写“安全隐患”）按 A 级"
        "送人工。目标是召回率不低于 0.95、精确率不低于 0.5；规则单独两项不能同时达到，按下表如实列出。\n\n"
        + _table(["半", "口径", "对", "错", "漏", "精确率", "召回率"], rows)
        + "\n### 漏掉的和降为 A 级的\n\n"
        + _table(["半", "规则", "漏掉", "只按 A 级命中"], misses)
    )


def _sentences(sentences: Sequence[Written]) -> str:
    """Written sentences by rule."""
    rows = []
    for group in dict.fromkeys(sentence.group for sentence in sentences):
        here = [sentence for sentence in sentences if sentence.group == group]
        positive = [sentence for sentence in here if sentence.fires]
        negative = [sentence for sentence in here if not sentence.fires]
        right = sum(sentence.passed for sentence in positive)
        wrong = sum(not sentence.passed for sentence in negative)
        rows.append(
            [
                f"`{group}`",
                len(positive),
                len(negative),
                _share(right, right + wrong),
                _share(right, len(positive)),
                _share(sum(sentence.first_sight for sentence in here), len(here)),
            ]
        )
    failed = "\n".join(f"- {s.id}：{s.text}" for s in sentences if not s.passed) or "- 无"
    return (
        f"## 手写句（{len(sentences)} 句）\n\n{_first_sight(sentences)}\n\n"
        + _table(["规则", "应命中", "不应命中", "精确率", "召回率", "初见通过率"], rows)
        + f"\n未通过：\n\n{failed}\n"
    )


def _first_sight(written: Sequence[Written]) -> str:
    """Say how the batches did before any rule was changed for them, and now."""
    parts = []
    for batch in sorted({item.batch for item in written}):
        here = [item for item in written if item.batch == batch]
        first, now = sum(item.first_sight for item in here), sum(item.passed for item in here)
        parts.append(
            f"第{batch}批 {len(here)} 条：初见 {first}（{first / len(here):.0%}），现在 {now}（{now / len(here):.0%}）"
        )
    return (
        "；".join(parts) + "。初见指第一次运行、还没有为它改过任何规则时的结果，是对新说法的真实估计；"
        "现在的数字是改过规则之后的，不能当作对新文本的估计。"
    )


def _adversarial(texts: Sequence[Written]) -> str:
    """Misleading texts by kind."""
    rows = []
    for group in dict.fromkeys(text.group for text in texts):
        here = [text for text in texts if text.group == group]
        now, first = sum(text.passed for text in here), sum(text.first_sight for text in here)
        rows.append([_KINDS[group], len(here), _share(first, len(here)), _share(now, len(here))])
    failed = (
        "\n".join(f"- {text.id}（{_KINDS[text.group]}）：{text.text}" for text in texts if not text.passed) or "- 无"
    )
    return (
        f"## 对抗集（{len(texts)} 条）\n\n{_first_sight(texts)}\n\n"
        + _table(["类型", "条数", "初见通过率", "现在通过率"], rows)
        + f"\n未通过：\n\n{failed}\n"
    )


_KINDS = {
    "homophone": "谐音、拼音",
    "split": "拆字、夹符号",
    "negation": "否定",
    "reported": "转述",
    "quotation": "引用",
    "sarcasm": "反话",
    "dialect": "方言",
    "hypothetical": "假设、询问",
    "idiom": "习语",
}


def _overruled(routed: Sequence[Routed], head: Head, name: str) -> str:
    """Where the rules overruled the model, right and wrong, by id."""
    alone = with_rules = 0
    named: dict[str, list[str]] = {"改对": [], "改错": [], "两者都不对": []}
    for item in routed:
        truth, model = item.case.example.labels[head], item.best[head]
        rule = (item.routing.channel if head == "channel" else item.routing.department).best.code
        alone += model == truth
        with_rules += rule == truth
        if rule != model:
            named["改对" if rule == truth else "改错" if model == truth else "两者都不对"].append(item.case.example.id)
    rows = [[len(routed), _share(alone, len(routed)), _share(with_rules, len(routed)), *map(len, named.values())]]
    ids = "\n".join(f"- {verdict}：" + ("、".join(found) or "无") for verdict, found in named.items())
    return (
        f"## {name}：模型与规则\n\n随包的模型，在测试件上。\n\n"
        + _table(["件数", "模型准确率", "加规则准确率", *named], rows)
        + f"\n{ids}\n"
    )


def _offered(routed: Sequence[Routed]) -> str:
    """Offered channels and proposed co-departments against the annotated ones, and how often a person is asked."""
    offered = _sets(
        (set(item.case.example.accepted), {option.channel for option in item.routing.alternatives}) for item in routed
    )
    asked = _share(sum(bool(item.routing.reasons) for item in routed), len(routed))
    rows = [[offered.right + offered.wrong, offered.precision, offered.recall, asked]]
    keys = Counter(reason.key for item in routed for reason in item.routing.reasons)
    counts = _table(["理由", "件数"], keys.most_common())
    return (
        "## 可选途径\n\n"
        "标注的“并列途径”是读者认为次一可能的途径，规则列的是法律上另可走的途径，两者口径不同，只作参考。\n\n"
        + _table(["列出", "与标注相符", "标注中列出的", "有途径或部门理由须人工的"], rows)
        + f"\n途径、部门方面须人工的理由：\n\n{counts}"
    )


def _sets(pairs: Iterable[tuple[set[str], set[str]]]) -> Hits:
    """Compare sets of codes."""
    right = wrong = missed = 0
    for truth, found in pairs:
        right += len(truth & found)
        wrong += len(found - truth)
        missed += len(truth - found)
    return Hits(right=right, wrong=wrong, missed=missed)
