"""Write the knowledge as a page for people: docs/knowledge.md is generated here and a test holds the two equal.

`python -m nlp.knowledge.render > docs/knowledge.md`
"""

import sys
from collections.abc import Iterable, Iterator, Mapping

from nlp.knowledge.loading import load_knowledge
from nlp.knowledge.records import CERTAINTY, EVENTS, Circumstance, Clue, Deadline, Knowledge, Route, Rule
from nlp.petition import Level
from nlp.taxonomy import load_taxonomy

KIND = {"statutory": "条例期限", "other_procedure": "其他法定程序期限", "local": "地方做法（不是法定期限）"}
"""What is shown for each kind of deadline."""

_LEVEL: dict[Level, str] = {"S": "S 立即", "A": "A 当日", "B": "B 工作日内"}
_UNIT = {"natural_day": "日（自然日）", "work_day": "个工作日", "month": "个月"}

_INTRODUCTION = """\
# 法律知识：途径、选择、人工审核、时限、部门

本页由 `python -m nlp.knowledge.render` 从 `nlp/knowledge/*.yaml` 生成，不要手改；改数据后重新生成。
“条例”指《信访工作条例》（2022年）。知识版本 {edition}，法条文本截至 {law_as_of}。

每条都带依据和可信度：

| 标记 | 含义 |
|---|---|
| 已核 | 看到了条文或原文 |
| 地方工作材料 | 来自某地的工作方案、计划、报道，不是法律规定 |
| 记忆，未核 | 凭记忆，没有核到原文，使用前须核 |
| 推断 | 由法条归纳的工程规则或通行做法，各地可改 |
| 地方做法 | 某地或本机关自己的口径，任何时候都不作为法定要求显示 |

信号词、事项、邻近部门规则一律是推断。系统只给参考：任何影响信访权利的处理都由人决定。
"""

_OVERLAY = """\
## 本机关的口径文件

一个 YAML 文件即可增加、修改、停用条目，不动程序；`petition knowledge check FILE` 一次报出全部错误。

```yaml
office: 某县信访局
deadlines:
  - {code: local_520_accept, limit: 3}        # 修改
  - {code: local_210_accept, disabled: true}  # 停用
rules:
  - code: overlevel_or_capital
    clues: [{find: 去省城找领导}]              # 给已有规则增加线索
```

机关增加或修改的条目标为“地方做法”（只改措辞、只加线索的保留原来的可信度）。
S 级安全规则和检举控告规则不能停用、降级或减少线索，法律规定的期限不能修改，已核的前置程序和情形只能改措辞。
停用的情形不再起算、也不再排除任何期限。
同一层的键写两次是错误；给经办人看的文字不能写不予受理、不再受理、只登记（须由人决定的文书除外）。
"""


def render(knowledge: Knowledge) -> str:
    """Return the whole page as Markdown."""
    about = knowledge.about
    parts = [
        _INTRODUCTION.format(edition=about.edition, law_as_of=about.law_as_of),
        _routes(knowledge.routes),
        _precedence(knowledge),
        _alternatives(knowledge),
        _rules(knowledge.rules),
        _deadlines(knowledge),
        _departments(knowledge),
        _papers(knowledge),
        _OVERLAY,
        "## 存疑与上线前必须核的点\n\n" + "\n".join(f"{n}. {doubt}" for n, doubt in enumerate(about.doubts, 1)) + "\n",
    ]
    return "\n".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; bars in cells are escaped."""
    heads = list(head)
    lines = [heads, ["---"] * len(heads), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _routes(routes: tuple[Route, ...]) -> str:
    """Channels and their procedures."""
    names = {channel.code: channel.name for channel in load_taxonomy().channels}
    main = _table(
        ["代码", "途径", "依据", "可信度", "结果", "可复查复核"],
        (
            (r.code, names[r.code], r.basis, CERTAINTY[r.certainty], r.result, "是" if r.reviewable else "否")
            for r in sorted(routes, key=lambda route: route.order)
        ),
    )
    notes = "\n".join(f"- {names[route.code]}：{route.note}。" for route in routes if route.note)
    subs = _table(
        ["途径", "具体程序", "依据", "可信度"],
        ((names[r.code], sub.name, sub.basis, CERTAINTY[sub.certainty]) for r in routes for sub in r.sub_routes),
    )
    return f"## 途径\n\n{main}\n{notes}\n\n### 具体程序\n\n{subs}"


def _precedence(knowledge: Knowledge) -> str:
    """Order of weighing, circumstances, prerequisites."""
    order = _table(
        ["顺序", "代码", "规则", "依据", "可信度"],
        ((str(p.order), p.code, p.rule, p.basis, CERTAINTY[p.certainty]) for p in knowledge.precedence),
    )
    circumstances = _table(
        ["代码", "情况", "只剩的救济途径", "不再新开", "几处线索即改", "提示", "依据", "可信度"],
        (
            (c.code, c.name, c.channel, "、".join(c.excludes), _signs(c), c.advice, c.basis, CERTAINTY[c.certainty])
            for c in knowledge.circumstances
        ),
    )
    prerequisites = _table(
        ["代码", "前置", "先走", "后走", "依据", "可信度"],
        ((p.code, p.matter, p.first, p.before, p.basis, CERTAINTY[p.certainty]) for p in knowledge.prerequisites),
    )
    return f"## 优先顺序\n\n{order}\n### 已经发生的情况\n\n{circumstances}\n### 前置程序\n\n{prerequisites}"


def _signs(circumstance: Circumstance) -> str:
    """How many different signs overrule the model; none do where nothing is excluded."""
    return str(circumstance.plain) if circumstance.excludes else "只提示"


def _alternatives(knowledge: Knowledge) -> str:
    """Matters with several channels."""
    taxonomy = load_taxonomy()
    clocks = {deadline.code: f"{deadline.what}：{length_of(deadline)}" for deadline in knowledge.deadlines}
    of_route = {route.code: route.clocks for route in knowledge.routes}
    rows = (
        (
            matter.matter,
            option.channel,
            option.basis,
            CERTAINTY[option.certainty or matter.certainty],
            option.body or (taxonomy.name("department", option.to) if option.to else ""),
            "；".join(clocks[code] for code in option.clocks or of_route[option.channel]),
            option.note,
            matter.effect,
        )
        for matter in knowledge.alternatives
        for option in matter.options
    )
    return "## 可选途径（告知信访人，由信访人选择）\n\n" + _table(
        ["事项", "途径", "依据", "可信度", "向谁提出", "期限", "说明", "选择后的效果"], rows
    )


def _rules(rules: tuple[Rule, ...]) -> str:
    """Must-review rules with their clues."""
    table = _table(
        ["级别", "代码", "名称", "依据", "可信度", "怎么办"],
        ((_LEVEL[r.level], r.code, r.name, r.basis, CERTAINTY[r.certainty], r.action) for r in rules),
    )
    details = "\n".join(line for rule in rules for line in _clues(rule))
    return (
        f"## 必须人工审核\n\n{table}\n### 线索\n\n"
        "线索是脱敏、规范化文本上的正则表达式，`{组}` 是词组，`{number}` 是数量。"
        "习语和前面几个字里的否定词使命中不算；写明“否定词须紧挨着”的规则，隔了字就照算。"
        "法律、文件、作品名称（书名号内）里的命中不算，《遗书》《联名请愿书》等当事人自己写的照算。\n\n"
        + details
        + "\n"
    )


def _clues(rule: Rule) -> Iterator[str]:
    """One line per clue."""
    if rule.trigger:
        yield f"- **{rule.name}**（`{rule.code}`）由系统状态触发：{rule.trigger}。"
    if rule.natures:
        natures = "、".join(load_taxonomy().name("nature", nature) for nature in rule.natures)
        yield f"- **{rule.name}**（`{rule.code}`）：模型判性质为{natures}，或途径只办这些性质的，也算。"
    for clue in rule.clues:
        yield f"- **{rule.name}**（`{rule.code}`{_conditions(clue)}）：" + "、".join(f"`{s}`" for s in clue.find)
    if rule.firm:
        yield "  - 否定词须紧挨着才不算；模型不能降级。"
    if rule.idioms:
        yield "  - 不算：" + "、".join(f"`{idiom}`" for idiom in rule.idioms)


def _conditions(clue: Clue) -> str:
    """Say what else must hold for a clue to count."""
    parts = []
    if clue.level:
        parts.append(f"级别 {clue.level}")
    if clue.near:
        parts.append(f"{clue.within} 字内还要有 " + "/".join(clue.near))
    if clue.at_least is not None:
        parts.append(f"数量至少 {clue.at_least}")
    if clue.distinct > 1:
        parts.append(f"至少 {clue.distinct} 个不同的词")
    if not clue.negatable:
        parts.append("不看否定词")
    return "；" + "；".join(parts) if parts else ""


def length_of(deadline: Deadline) -> str:
    """Return the length of a deadline in Chinese, such as 60日（自然日） or 立即."""
    if deadline.limit is None:
        return "立即" if deadline.unit == "immediate" else "由交办机关指定"
    return f"{deadline.limit}{_UNIT[deadline.unit]}"


def starts_of(deadline: Deadline, knowledge: Knowledge) -> str:
    """Return in Chinese what a deadline runs from."""
    if deadline.starts in EVENTS:
        return EVENTS[deadline.starts]
    earlier = next(other for other in knowledge.deadlines if other.code == deadline.starts)
    return f"“{earlier.what}”届满之日"


def _deadlines(knowledge: Knowledge) -> str:
    """Situations, clocks by kind, transfer levels."""
    names = _names_of_grounds(knowledge)
    situations = _table(
        ["代码", "文中写明", "提示", "依据", "可信度"],
        ((s.code, s.name, s.advice, s.basis, CERTAINTY[s.certainty]) for s in knowledge.situations),
    )
    sections = [f"### 文中写明的情形（决定列出哪些期限）\n\n{situations}"]
    for kind, title in KIND.items():
        rows = (
            (
                d.code,
                d.who,
                d.what,
                length_of(d),
                starts_of(d, knowledge),
                _grounds(d, names),
                d.basis,
                CERTAINTY[d.certainty],
            )
            for d in knowledge.deadlines
            if d.kind == kind
        )
        head = ["代码", "谁", "做什么", "期限", "起算", "何时列出", "依据", "可信度"]
        sections.append(f"### {title}\n\n{_table(head, rows)}")
    levels = _table(
        ["级别", "由谁交办", "触发", "依据", "可信度"],
        (
            (t.name, t.by, "、".join(t.triggers) or "其余", t.basis, CERTAINTY[t.certainty])
            for t in knowledge.transfer_levels
        ),
    )
    return "## 时限\n\n" + "\n".join(sections) + f"\n### 转交办级别（建议）\n\n{levels}"


def _names_of_grounds(knowledge: Knowledge) -> dict[str, str]:
    """Return what channels, matters, situations and circumstances are called."""
    return {
        **{channel.code: channel.name for channel in load_taxonomy().channels},
        **{matter.code: matter.matter for matter in knowledge.alternatives},
        **{situation.code: situation.name for situation in knowledge.situations},
        **{circumstance.code: circumstance.name for circumstance in knowledge.circumstances},
    }


def _grounds(deadline: Deadline, names: Mapping[str, str]) -> str:
    """Say what lists a clock: what was read, else the channel; what leaves it to a person, what leaves it out."""

    def said(codes: Iterable[str]) -> str:
        return "、".join(names[code] for code in codes)

    parts = []
    if deadline.situations:
        parts.append(f"写明{said(deadline.situations)}")
    if deadline.channels or not (deadline.situations or deadline.perhaps):
        listed = f"途径为{said(deadline.channels)}" if deadline.channels else "各途径"
        if deadline.matters:
            listed += f"且涉及{said(deadline.matters)}"
        parts.append(listed + ("（是否适用由人判断）" if deadline.when and not deadline.matters else ""))
    if deadline.perhaps:
        parts.append(f"写明{said(deadline.perhaps)}（是否适用由人判断）")
    if deadline.unless:
        parts.append(f"写明{said(deadline.unless)}的不列")
    if deadline.except_channels:
        parts.append(f"途径为{said(deadline.except_channels)}的不列")
    return "；".join(parts)


def _departments(knowledge: Knowledge) -> str:
    """Departments, neighbour rules, confused scenes."""
    taxonomy = load_taxonomy()
    names = {department.code: department.name for department in taxonomy.departments}
    departments = _table(
        ["代码", "部门", "事项", "依据"],
        ((d.code, d.name, "、".join(d.matters), d.basis) for d in taxonomy.departments),
    )
    near = _table(
        ["部门", "邻近", "怎么分"],
        ((d.name, names.get(n.other, n.other), n.rule) for d in taxonomy.departments for n in d.near),
    )
    scenes = _table(
        ["场景", "看什么", "主办", "协办", "依据", "可信度"],
        (
            (
                n.scene,
                n.decisive,
                names[n.department],
                "、".join(names[code] for code in n.co),
                n.basis,
                CERTAINTY[n.certainty],
            )
            for n in knowledge.neighbours
        ),
    )
    return f"## 部门\n\n{departments}\n### 邻近部门怎么分\n\n{near}\n### 高频易混场景\n\n{scenes}"


def _papers(knowledge: Knowledge) -> str:
    """Notices and registration."""
    notices = _table(
        ["代码", "文书", "何时", "内容", "须先由人决定", "依据", "可信度"],
        (
            (
                n.code,
                n.name,
                n.when,
                "、".join(n.contents),
                "是" if n.needs_decision else "否",
                n.basis,
                CERTAINTY[n.certainty],
            )
            for n in knowledge.notices
        ),
    )
    registration = _table(
        ["代码", "要素", "必登", "缺失时问", "依据", "可信度"],
        (
            (r.code, r.name, "是" if r.required else "视情况", r.question, r.basis, CERTAINTY[r.certainty])
            for r in knowledge.registration
        ),
    )
    return f"## 文书（系统只起草，不发出）\n\n{notices}\n## 登记要素\n\n{registration}"


if __name__ == "__main__":
    sys.stdout.write(render(load_knowledge()))
