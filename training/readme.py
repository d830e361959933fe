"""Write the bundled model's figures into README.md, between the marks that enclose them.

python -m training.readme
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nlp.bundle import DEFAULT
from nlp.decide import HEAD_NAMES
from nlp.petition import HEADS
from training.card import urgent_recall
from training.figures import BUDGET

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- metrics:begin -->", "<!-- metrics:end -->"


def figures_block(metrics: Mapping[str, Any]) -> str:
    """Return the table of the model beside both baselines, from a bundle's metrics.json."""
    lines = [
        "| 项目 | 本模型准确率（95% 区间） | 字 SVM | 词逻辑回归 | 宏 F1（本模型 / 字 / 词） | ECE | 可定（有误） |",
        "|---|---|---|---|---|---|---|",
    ]
    for head in HEADS:
        systems = metrics["heads"][head]
        model, svm, words = systems["model"], systems["char_svm"], systems["word_logistic"]
        low, high = model["accuracy_interval"]
        top3 = f"；前三 {model['top3']:.3f}" if head == "department" else ""
        lines.append(
            f"| {HEAD_NAMES[head]} | {model['accuracy']:.3f}（{low:.3f}–{high:.3f}）{top3} | {svm['accuracy']:.3f} | "
            f"{words['accuracy']:.3f} | {model['macro_f1']:.3f} / {svm['macro_f1']:.3f} / "
            f"{words['macro_f1']:.3f} | {model['ece']:.3f} | {_settled(metrics['decisions']['per_head'][head])} |"
        )
    rows, auto = metrics["about"]["rows"], metrics["decisions"]["auto_with_accepted"]
    low, high = auto["error_interval"]
    lines += [
        "",
        "“字 SVM”为字符 1–3 元 TF-IDF 加线性 SVM，“词逻辑回归”为分词 TF-IDF 加逻辑回归，与本模型同训练集、同测试集。",
        "“可定”是单项把握达到模型包内事先定的阈值的测试件（按有误不超过 5% 定），括号内为其中有误的；“无”为没有阈值。"
        + _exceeded(metrics),
        _beaten(metrics),
        f"冻结测试集 {rows['test']:,} 条（训练 {rows['fit']:,} 条，两者无近似重复，以字 4-gram 的 Jaccard ≥ 0.5 计；"
        "含特意多选的罕见和疑难件），"
        f"数据指纹 {metrics['about']['data']['messages']}。区间为按近似重复组的自助法。",
        "",
        f"三项合计（分类、途径、部门）错误预算 {metrics['decisions']['budget']:.0%}："
        f"测试集上 {auto['share']:.0%} 可一键采纳，"
        f"其中有误 {auto['error_rate']:.1%}（{low:.1%}–{high:.1%}；可并列的途径算对）。"
        + "".join(_other_budget(budget, served) for budget, served in metrics["decisions"]["other_budgets"].items())
        + "见 docs/decisions/0016-cross-fitted-thresholds.md。",
        "",
        f"S 级情形在测试件上（不含写规则时读过的那一半）：{urgent_recall(metrics)}；"
        "写作者另写的句子和长信见 docs/evaluation.md。",
    ]
    return "\n".join(lines)


def _exceeded(metrics: Mapping[str, Any]) -> str:
    """Name the heads whose threshold lets more errors through on the test rows than it was chosen for."""
    served = metrics["decisions"]["per_head"]
    over = [HEAD_NAMES[head] for head in HEADS if (served[head]["error_rate"] or 0) > BUDGET]
    return f"{'、'.join(over)}在测试件上超出了 {BUDGET:.0%}。" if over else ""


def _other_budget(budget: str, served: Mapping[str, Any]) -> str:
    """Say what an office gets that chooses another error budget."""
    setting = f"`PETITION_ERROR_BUDGET={budget}` 时"
    if served["threshold"] is None:
        return f"{setting}没有阈值能满足，全部由人判断；"
    if served["error_interval"] is None:
        return f"{setting}测试件上没有一件可采纳；"
    low, high = served["error_interval"]
    return f"{setting} {served['share']:.0%}，其中有误 {served['error_rate']:.1%}（{low:.1%}–{high:.1%}）；"


def _settled(served: Mapping[str, Any]) -> str:
    """Say which share of the test rows the served threshold of one head lets through, and how many of those wrongly."""
    if served["threshold"] is None:
        return "无"
    wrong = "" if served["error_rate"] is None else f"（{served['error_rate']:.1%}）"
    return f"{served['share']:.0%}{wrong}"


def _beaten(metrics: Mapping[str, Any]) -> str:
    """Say where a baseline is ahead of the model."""
    ahead = [
        f"{HEAD_NAMES[head]}的{name}（{metrics['heads'][head][baseline][measure]:.3f}）"
        for head in HEADS
        for measure, name in (("accuracy", "准确率"), ("macro_f1", "宏 F1"))
        for baseline in ("char_svm", "word_logistic")
        if metrics["heads"][head][baseline][measure] > metrics["heads"][head]["model"][measure]
    ]
    return f"基线更好的：{'、'.join(ahead)}。" if ahead else "各项均不低于基线。"


def updated(readme: str, block: str) -> str:
    """Return `readme` with `block` between its marks; raises ValueError if they are not there."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md lacks {BEGIN} … {END}")
    return f"{head}{BEGIN}\n\n{block}\n\n{END}{tail}"


if __name__ == "__main__":
    figures = json.loads((DEFAULT / "metrics.json").read_text(encoding="utf-8"))
    README.write_text(updated(README.read_text(encoding="utf-8"), figures_block(figures)), encoding="utf-8")
