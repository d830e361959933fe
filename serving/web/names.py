"""Chinese names of the codes that pages show."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from nlp.decide import HEAD_NAMES
from nlp.knowledge import CERTAINTY
from nlp.related import Relation
from serving.law import day_of
from serving.queues import QUEUE_NAMES
from serving.roles import ROLE_NAMES
from serving.store.decisions import CORRECTION_REASONS

STATE_NAMES = {
    "queued": "待办",
    "auto_accepted": "自动采纳",
    "decided": "已办",
    "sent_back": "已退回补充",
    "out_of_scope": "不属范围",
}

SOURCE_NAMES = {
    "web": "网上",
    "letter": "来信",
    "visit": "来访",
    "phone": "电话",
    "mail": "邮件",
    "other": "其他",
}

ACTION_NAMES = {
    "auto": "自动采纳",
    "accept": "采纳建议",
    "correct": "更正",
    "send_back": "退回补充",
    "out_of_scope": "不属范围",
    "several_appeals": "一件多诉",
}

LEVEL_NAMES = {"S": "S 立即", "A": "A 当日", "B": "B 工作日内"}

AGE_NAMES = {"<=1": "1 天以内", "<=3": "2–3 天", "<=7": "4–7 天", "<=15": "8–15 天", ">15": "超过 15 天"}

EVENT_NAMES = {
    "petition.submitted": "登记",
    "petition.claimed": "领取",
    "petition.released": "放回",
    "petition.force_released": "强制放回",
    "petition.decided": "办理",
    "petition.undone": "撤销决定",
    "petition.original_read": "查看原文",
    "petitions.exported": "导出已办件",
    "petitions.purged": "清理到期正文",
    "petition.purged": "清除一件的正文",
    "user.created": "新建用户",
    "user.changed": "修改用户",
    "user.password_reset": "重置口令",
    "user.password_changed": "修改口令",
    "user.signed_in": "登录",
    "user.signed_out": "退出",
    "user.locked": "连续输错，账号锁定",
    "key.created": "新建密钥",
    "key.revoked": "作废密钥",
    "model.reloaded": "切换模型包",
    "notice.drafted": "起草文书",
}

NOTICE_NAMES = {
    "notice_accept": "受理告知单",
    "notice_transfer": "转送（交办）告知单",
    "notice_transfer_accusation": "检举控告转送告知单",
    "notice_not_accept": "不予受理告知单",
    "notice_choice": "多途径选择告知单",
    "handling_opinion": "信访处理意见书",
}

RELATION_NAMES: dict[Relation, str] = {
    "same_text": "文字相同",
    "near_duplicate": "文字大部分相同",
    "same_matter": "事项相近",
}

FIGURE_NAMES: Mapping[str, str] = {
    **{str(head): name for head, name in HEAD_NAMES.items()},
    "about": "数据",
    "bundle": "模型包（写入成绩之前的编号）",
    "taxonomy": "分类体系",
    "revision": "代码版本",
    "data": "数据指纹",
    "messages": "来信",
    "labels": "标注",
    "rows": "件数",
    "fit": "训练",
    "calibration": "校准",
    "thresholds": "定采纳线",
    "test": "测试",
    "definitions": "口径",
    "interval": "95% 区间",
    "ece_by_chance": "偶然的校准误差",
    "heads": "各项",
    "together": "一级分类、途径、部门同时正确",
    "model": "模型（实际服务）",
    "blend": "融合（不含规则）",
    "encoder": "仅编码器",
    "linear": "仅线性分支",
    "char_svm": "基线：字 n-gram＋SVM",
    "word_logistic": "基线：词＋逻辑回归",
    "accuracy": "准确率",
    "accuracy_interval": "准确率 95% 区间",
    "accuracy_with_accepted": "准确率（含可接受途径）",
    "macro_f1": "宏平均 F1",
    "macro_f1_interval": "宏平均 F1 95% 区间",
    "top3": "前三命中",
    "ece": "校准误差 ECE",
    "coverage_at_budget": "差错不超过 5% 时可采纳的比例（界限取自测试件）",
    "coverage_at_twice_the_budget": "差错不超过 10% 时可采纳的比例（界限取自测试件）",
    "decisions": "按采纳线办的结果",
    "budget": "差错预算",
    "joint_threshold": "采纳线",
    "auto": "自动采纳",
    "auto_with_accepted": "自动采纳（可接受途径也算对）",
    "other_budgets": "可选用的其他预算",
    "per_head": "单项采纳",
    "threshold": "采纳线",
    "share": "占全部",
    "errors": "差错件数",
    "error_rate": "差错率",
    "error_interval": "差错率 95% 区间",
    "urgent_flags": "S 级情形",
    "annotated": "标注件数",
    "right": "其中提示",
    "raised": "共提示",
}
"""What a bundle's metrics.json calls its figures."""

NAMES: Mapping[str, Mapping[Any, str]] = {
    "head": HEAD_NAMES,
    "state": STATE_NAMES,
    "source": SOURCE_NAMES,
    "action": ACTION_NAMES,
    "level": LEVEL_NAMES,
    "age": AGE_NAMES,
    "event": EVENT_NAMES,
    "notice": NOTICE_NAMES,
    "queue": QUEUE_NAMES,
    "relation": RELATION_NAMES,
    "role": ROLE_NAMES,
    "certainty": CERTAINTY,
    "correction": CORRECTION_REASONS,
    "figure": FIGURE_NAMES,
}
"""All of them, by the kind of code."""


def name_of(kind: str, code: str | None) -> str:
    """Return the Chinese name of a code of `kind`, or the code itself where there is none."""
    return NAMES[kind].get(code or "", code or "")


_DETAILS = {
    "version": "第几版",
    "state": "状态",
    "queue": "队列",
    "bundle": "模型",
    "decision": "决定",
    "changed": "改动",
    "review": "决定号",
    "reason": "原因",
    "holder": "原领取人",
    "role": "角色",
    "prefix": "前缀",
    "acts_as": "身份",
    "display_name": "姓名",
    "disabled": "停用",
    "format": "格式",
    "notice": "文书",
    "n_blanks": "留空处数",
    "older_than": "登记早于",
    "purged": "清理件数",
    "still_open": "未办结、保留",
}
_KINDS = {
    "state": "state",
    "queue": "queue",
    "decision": "action",
    "role": "role",
    "notice": "notice",
    "changed": "head",
}


def told(detail: Mapping[str, Any], *, leave_out: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return the members of a line of the record in Chinese, what is empty left out."""
    found = []
    for key, value in detail.items():
        if key in leave_out or value in ("", [], None):
            continue
        if key == "older_than":
            value = day_of(datetime.fromisoformat(value)).isoformat()
        values = value if isinstance(value, list) else [value]
        kind = _KINDS.get(key)
        words = [name_of(kind, part) if kind else _word(part) for part in values]
        found.append((_DETAILS.get(key, key), "、".join(words)))
    return found


def _word(value: object) -> str:
    return ("是" if value else "否") if isinstance(value, bool) else str(value)
