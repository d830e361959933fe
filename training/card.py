"""The model card: what the bundle is, what it was trained on, how good it is, and what it must not be used for."""

from collections.abc import Mapping
from typing import Any

from nlp.decide import HEAD_NAMES
from nlp.petition import HEADS

_USE = """## 用途与禁用

- 用途：对一件信访事项的文字提出**建议**（内容分类、性质、法定途径、责任部门），
  供工作人员采纳或改正。
- 不得用于：对信访人画像、评分、贴标签；判断反映内容是否属实；
  自动作出或发出不予受理、不再受理等影响信访权利的决定；
  把检举控告转给被检举的人或单位。
- 必须人工：检举控告、涉及人身安全等必须审核情形，系统一律转人工，不受把握程度影响。
"""

_DATA = """## 数据

- 文本：第八届“泰迪杯”（2020）C 题公开的匿名群众留言，城市、姓名等已由发布方替换；未见许可声明，
  仅用于训练和评测，本仓库不含其文字。
- 标注：随数据提供的 3,080 条，加上我们逐条阅读新标的 8,564 条（`datasets/annotations/`，按编号，不含文字；
  由语言模型按标注规则 v1.2 逐条阅读产生，其中 200 条由两人独立标注）。
  另有本项目自写的信访件（`datasets/samples/`）。
- 预训练：上述留言中划为训练的部分及其答复，及 `shared/corpus` 所列来源的法律咨询、政策、求助、社会新闻等文本；
  各来源及其声明的许可见该处说明。
- 划分：按近似重复组分层划分，固定于 `datasets/annotations/splits.csv`；
  测试件与其他划分之间无近似重复，训练与定采纳线之间查出一对（`petition-train splits`）。
"""


def render_card(metrics: Mapping[str, Any], settings: Mapping[str, Any], thresholds: Mapping[str, Any]) -> str:
    """Return the card (Markdown, Chinese) from the figures on the test split and the record of how it was made.

    Empty `metrics` are those of a bundle that nobody has measured yet.
    """
    return "\n".join(
        [
            "# 信访事项分流模型",
            "",
            "字词混合词表的小型 Transformer 编码器（自行预训练、多任务微调）与字符 n-gram 线性分支，按项加权后校准。",
            "",
            _DATA,
            _figures(metrics),
            _limits(metrics, thresholds),
            _USE,
            "## 制作记录",
            "",
            f"- 代码版本：`{settings.get('revision', '未知')}`",
            f"- 数据指纹：`{settings.get('inputs', {}).get('data', '未知')}`",
            f"- 设备：{_machine(settings.get('machine', {}))}",
            "",
        ]
    )


def _machine(machine: Mapping[str, str]) -> str:
    return f"{machine['processor']}，Python {machine['python']}" if machine else "未知"


def _figures(metrics: Mapping[str, Any]) -> str:
    if not metrics:
        return "## 测试集表现\n\n本模型包还没有测过：运行 `petition-train evaluate … --update`。\n"
    lines = ["## 测试集表现", "", "| 项目 | 准确率（95% 区间） | 宏平均 F1 | 校准误差 ECE |", "|---|---|---|---|"]
    for head in HEADS:
        figures = metrics["heads"][head]["model"]
        low, high = figures["accuracy_interval"]
        lines.append(
            f"| {HEAD_NAMES[head]} | {figures['accuracy']:.3f}（{low:.3f}–{high:.3f}） | "
            f"{figures['macro_f1']:.3f} | {figures['ece']:.3f} |"
        )
    return "\n".join([*lines, "", "由 `petition-train evaluate` 生成，与基线的对照见 `docs/evaluation.md`。", ""])


def urgent_recall(metrics: Mapping[str, Any]) -> str:
    """Say of every flag of level S how many petitions that carry it were raised at some level."""
    return "，".join(
        f"“{name}” {figures['annotated']} 件提示 {figures['right']} 件"
        for name, figures in metrics["urgent_flags"].items()
    )


def _limits(metrics: Mapping[str, Any], thresholds: Mapping[str, Any]) -> str:
    lines = {thresholds["budget"]: thresholds["joint"]}
    lines |= {float(budget): joint for budget, joint in thresholds.get("other_budgets", {}).items()}
    told = "；".join(
        f"差错预算 {budget:.0%}{'（默认）' if budget == thresholds['budget'] else ''}："
        + ("没有阈值能满足，全部转人工" if joint is None else f"联合把握不低于 {joint:.3f}")
        for budget, joint in sorted(lines.items(), reverse=True)
    )
    policy = (
        f"一键采纳要没有其他审核理由，并且——{told}。"
        f"阈值在留出的件上交叉选定（约 {thresholds['confidence_level']:.0%} 可信，限同源数据；"
        "此前在这些件上作过的选择没有算进去，见 docs/decisions/0006、0016）。"
    )
    found = f"（测试件，不含写规则时读过的那一半：{urgent_recall(metrics)}）" if metrics else ""
    return "\n".join(
        [
            "## 局限",
            "",
            f"- {policy}",
            "- 数据来自一个省级网络平台，2010 年代末；机构改革、新业态、"
            "其他渠道（来电笔录、手写信）的文字会使表现下降。",
            f"- 紧急情形的提示会有漏，话说得委婉的尤其如此{found}；没有提示不等于没有。",
            "- 罕见类别（仲裁、党员人事申诉、部分部门）样本极少，宜以人工为准。",
            "- 口径以 `knowledge` 标注规则为准，各地三定方案不同，须配置本地目录。",
            "",
        ]
    )
