"""Draft letters: what they hold, what stays blank, what is refused."""

import zipfile
from dataclasses import replace
from datetime import date
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document

from nlp.errors import NoticeTemplateError, PetitionError
from nlp.knowledge import load_knowledge
from nlp.notices import (
    BLANK,
    NOTICES,
    Draft,
    Facts,
    NoticeError,
    PersonDecision,
    Stage,
    check_templates,
    draft_notice,
)
from nlp.notices.recipient import warn_of_recipient
from nlp.petition import RouteOption
from nlp.taxonomy import load_taxonomy

DECISION = PersonDecision(
    decided_by="李某", decided_on=date(2026, 11, 22), basis="《信访工作条例》第十九条第三款", reason="该事项正在办理"
)
FACTS = Facts(
    office="某某县信访局",
    number="XF20261121",
    petitioner="王某",
    source="网上信访",
    received_on=date(2026, 11, 21),
    accepted_on=date(2026, 11, 23),
    appeals=("请求修复幸福路", "请求恢复路灯"),
    handler="县住建局",
    transfer_basis="《信访工作条例》第二十二条第一款第二项",
    transferred_on=date(2026, 11, 24),
    assigned=False,
    limit="自受理之日起60日内办结",
    due_on=date(2027, 1, 22),
    query="信访信息系统",
    contact="赵某，0731-00000000",
    options=(
        RouteOption(
            channel="arbitration",
            name="劳动仲裁",
            basis="劳动争议调解仲裁法2、5条",
            certainty="verified",
            effect="按争议程序办（劳动保障监察条例21条2款）",
            to="劳动人事争议仲裁委员会",
            limit="一年内申请",
        ),
        RouteOption(
            channel="statutory_duty", name="劳动监察", basis="劳动保障监察条例第9条", certainty="inferred", effect="无"
        ),
    ),
    higher_office="某某市住建局",
    signed_on=date(2026, 11, 25),
)

EMPTY = Facts(
    options=tuple(
        RouteOption(channel=code, name=code, basis="条例31条", certainty="verified") for code in ("one", "other")
    )
)
"""Nothing is known but that there is a choice, without which no letter of choice is drafted."""


def drafted(code: str, facts: Facts = FACTS) -> Draft:
    return draft_notice(code, facts, decision=DECISION if code == "notice_not_accept" else None)


def words_of(draft: Draft) -> str:
    return "\n".join(paragraph.text for paragraph in Document(BytesIO(draft.docx)).paragraphs)


@pytest.mark.parametrize("code", NOTICES)
def test_docx_and_html_say_the_same_and_are_marked_as_drafts(code: str) -> None:
    draft = drafted(code)
    for line in words_of(draft).splitlines():
        assert line in draft.html
    assert "草稿" in draft.html
    assert "草稿" in Document(BytesIO(draft.docx)).sections[0].header.paragraphs[0].text
    assert "http" not in draft.html


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("notice_accept", ["XF20261121", "某某县信访局", "1．请求修复幸福路", "2．请求恢复路灯", "60日"]),
        ("notice_accept", ["2027年1月22日", "信访信息系统", "赵某", "第三十四条", "第三十五条"]),
        ("notice_transfer", ["转送告知单", "县住建局", "第二十二条", "2026年11月24日", "信访信息系统"]),
        ("notice_not_accept", ["该事项正在办理", "第十九条第三款", "1．请求修复幸福路", "赵某"]),
        ("notice_choice", ["途径一：劳动仲裁", "途径二：劳动监察", "条文待核实", "效果：按争议程序办", "由您决定"]),
        ("notice_choice", ["向谁提出：劳动人事争议仲裁委员会", "期限：一年内申请", "□ 劳动仲裁", "□ 劳动监察"]),
        ("notice_choice", ["依据：《劳动争议调解仲裁法》第2、5条", "（《劳动保障监察条例》第21条第2款）"]),
        ("handling_opinion", ["网上信访", "诉求1", "诉求2", "30日内", "某某市住建局", "第三十五条"]),
    ],
)  # fmt: skip
def test_required_elements_are_there(code: str, wanted: list[str]) -> None:
    words = words_of(drafted(code))
    assert [part for part in wanted if part not in words] == []


@pytest.mark.parametrize(
    ("stage", "said", "unsaid"),
    [
        (
            "review",
            ["复查受理告知单", "复查请求", "第三十六条第一款"],
            ["60日", "第三十四条", "第三十五条"],
        ),
        ("recheck", ["复核受理告知单", "复核请求", "第三十六条第二款"], ["60日", "第三十四条", "第三十五条"]),
    ],
)
def test_a_review_is_accepted_in_words_of_its_own(stage: Stage, said: list[str], unsaid: list[str]) -> None:
    limit = "自收到请求之日起30日内"
    words = words_of(drafted("notice_accept", replace(FACTS, stage=stage, limit=limit)))
    assert [word for word in (*said, limit) if word not in words] == []
    assert [word for word in unsaid if word in words] == []


def test_every_letter_is_known_to_the_knowledge_files() -> None:
    assert set(NOTICES) <= {notice.code for notice in load_knowledge().notices}


@pytest.mark.parametrize("code", NOTICES)
def test_missing_facts_become_listed_blanks(code: str) -> None:
    draft = drafted(code, EMPTY)
    assert {"机关名称", "信访件编号", "落款日期"} <= set(draft.blanks)
    assert words_of(draft).count(BLANK) >= len(draft.blanks)
    assert "None" not in draft.html


def test_full_facts_leave_no_blank_in_a_plain_letter() -> None:
    assert drafted("notice_accept").blanks == ()


def test_results_of_an_opinion_are_always_left_to_people() -> None:
    assert {"查明的事实和理由", "处理意见"} <= set(drafted("handling_opinion").blanks)


def test_a_refusal_needs_a_person() -> None:
    with pytest.raises(NoticeError, match="必须由人作出决定"):
        draft_notice("notice_not_accept", FACTS)
    with pytest.raises(NoticeError, match="决定人"):
        PersonDecision(decided_by=" ", decided_on=date(2026, 11, 22), basis="条例第19条", reason="在办")
    with pytest.raises(PetitionError, match="依据条款"):
        PersonDecision(decided_by="李某", decided_on=date(2026, 11, 22), basis="", reason="在办")


def test_unknown_letters_are_refused_with_the_choices() -> None:
    with pytest.raises(NoticeError, match="notice_accept"):
        draft_notice("fine_notice", FACTS)


def test_markup_in_facts_is_escaped_and_control_characters_go() -> None:
    facts = Facts(petitioner="<script>alert(1)</script>", appeals=("a & b\x00\x0b {{ office }}",))
    draft = drafted("notice_accept", facts)
    assert "<script>" not in draft.html
    assert "&lt;script&gt;" in draft.html
    assert "a & b {{ office }}" in words_of(draft)
    assert zipfile.ZipFile(BytesIO(draft.docx)).testzip() is None


@pytest.mark.parametrize("character", ["\uffff", "\ufffe", "\ud800", "\x07", "\t"])
def test_characters_that_xml_cannot_hold_go(character: str) -> None:
    draft = drafted("notice_accept", Facts(appeals=(f"请修{character}路",)))
    assert "1．请修路" in words_of(draft).splitlines()


def test_a_refusal_to_be_served_holds_no_note_of_the_office() -> None:
    words = words_of(drafted("notice_not_accept"))
    assert "李某" not in words
    assert "不送达" not in words


@pytest.mark.parametrize(("n", "said"), [(0, "没有写明"), (1, "劳动仲裁")])
def test_one_channel_is_no_choice(n: int, said: str) -> None:
    with pytest.raises(NoticeError, match=f"不足两条（{said}）"):
        drafted("notice_choice", replace(FACTS, options=FACTS.options[:n]))


def test_what_is_not_known_of_a_choice_is_a_blank_of_that_choice() -> None:
    assert {"途径二向谁提出", "途径二期限"} <= set(drafted("notice_choice").blanks)
    assert "途径一期限" not in drafted("notice_choice").blanks


def test_more_than_nine_options_are_numbered() -> None:
    options = tuple(
        RouteOption(channel="arbitration", name=f"途径{n}", basis="条例", certainty="verified", effect="无")
        for n in range(1, 12)
    )
    words = words_of(drafted("notice_choice", replace(FACTS, options=options)))
    assert "途径九：途径9" in words
    assert "途径十：途径10" in words
    assert "途径11：途径11" in words


def test_a_letter_is_offered_only_for_what_its_text_covers() -> None:
    accept = next(notice for notice in load_knowledge().notices if notice.code == "notice_accept")
    assert "复查、复核请求的受理另行告知" in accept.when


def test_an_office_can_edit_a_template(tmp_path: Path) -> None:
    (tmp_path / "notice_accept.yaml").write_text(
        "name: 受理单\nblocks:\n- title: 我县的受理单\n- right: '{{ office }}'\n", "utf-8"
    )
    draft = draft_notice("notice_accept", FACTS, templates=tmp_path)
    assert words_of(draft) == "我县的受理单\n某某县信访局"
    assert draft_notice("notice_transfer", FACTS, templates=tmp_path).title == "信访事项转送（交办）告知单"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: [", "不是有效的 YAML"),
        ("name: 单", "必须有 name 和 blocks"),
        ("name: 单\nblocks:\n- picture: 图", "不认识的段落"),
        ("name: 单\nblocks:\n- title: '{{ no_such_fact }}'", "无法填写"),
        ("name: 单\nblocks:\n- title: '{{ office.__class__.__mro__ }}'", "无法填写"),
        ("name: 单\nblocks:\n- title: '{% if %}'", "无法填写"),
        ("name: 单\nblocks:\n- title: '{{ item }}'\n  each: no_such_list", "无法填写"),
    ],
)
def test_faulty_templates_are_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "notice_accept.yaml").write_text(content, "utf-8")
    with pytest.raises(NoticeError, match=said):
        draft_notice("notice_accept", FACTS, templates=tmp_path)


def test_the_templates_of_an_office_are_checked_together(tmp_path: Path) -> None:
    check_templates(None)
    (tmp_path / "notice_accept.yaml").write_text("name: 单\nblocks:\n- title: '{{ no_such_fact }}'", "utf-8")
    (tmp_path / "notice_acept.yaml").write_text("name: 单\nblocks: []", "utf-8")
    with pytest.raises(NoticeTemplateError, match="有2处错误") as raised:
        check_templates(tmp_path)
    assert "notice_accept.yaml 的一段无法填写" in str(raised.value)
    assert "notice_acept.yaml：不是文书模板；文件名只能是 notice_accept.yaml、" in str(raised.value)
    with pytest.raises(NoticeTemplateError, match="没有这个文件夹"):
        check_templates(tmp_path / "none")
    (tmp_path / "notice_acept.yaml").unlink()
    for code in NOTICES:
        shipped = files("nlp") / "notices" / "templates" / f"{code}.yaml"
        (tmp_path / f"{code}.yaml").write_text(shipped.read_text("utf-8"), "utf-8")
    check_templates(tmp_path)


def test_what_needs_a_decision_is_what_the_knowledge_says():
    needs = {notice.code for notice in load_knowledge().notices if notice.needs_decision}
    for code in NOTICES:
        if code in needs:
            with pytest.raises(NoticeError, match="由人作出决定"):
                draft_notice(code, Facts())
        else:
            assert draft_notice(code, EMPTY).html


@pytest.mark.parametrize(
    "basis",
    ["x", "按规定", "第十九条", "条例", "《信访工作条例》有关规定"],
)
def test_a_decision_names_a_law_and_its_article(basis: str) -> None:
    with pytest.raises(NoticeError, match="第几条"):
        replace(DECISION, basis=basis)


@pytest.mark.parametrize("basis", ["条例19条3款", "《信访工作条例》第二十条", "某省信访条例(2021年修订)第26条"])
def test_an_article_may_be_written_in_many_ways(basis: str) -> None:
    assert replace(DECISION, basis=basis).basis == basis


@pytest.mark.parametrize("name", ["", " ", "\u3000", "\u200b", "\u3164", "＿＿＿＿", "——"])
def test_somebody_decides(name: str) -> None:
    with pytest.raises(NoticeError, match="决定人"):
        replace(DECISION, decided_by=name)


def test_the_letter_of_an_accusation_holds_neither_its_content_nor_the_15_days() -> None:
    words = words_of(drafted("notice_transfer_accusation"))
    assert [part for part in ("幸福路", "15日", "第二十三条第三款", "届满") if part in words] == []
    assert [part for part in ("第二十三条末款", "第三十条第三款", "县住建局") if part not in words] == []


def warned(handler: str, text: str) -> str:
    return "".join(warn_of_recipient(handler, text, knowledge=load_knowledge(), taxonomy=load_taxonomy()))


def test_a_recipient_that_may_be_the_accused_is_told() -> None:
    assert "可能就是被检举人所在单位" in warned("县教育局", "举报县教育局局长收受红包。")
    assert "先核对被检举的是不是它" in warned("县教育局", "举报镇上一名干部收受红包。")
    assert "先核对被检举的是不是它" in warned("某某公司", "举报一名干部收受红包。")
    assert warned("县纪委监委", "举报县教育局局长收受红包。") == ""
    assert warned("", "举报县教育局局长收受红包。") == ""


def test_a_warning_stands_on_the_page_and_not_on_paper() -> None:
    draft = draft_notice("notice_transfer", FACTS, warnings=("先核对<被检举人>",))
    assert "先核对&lt;被检举人&gt;" in draft.html
    assert ".warning { display: none; }" in draft.html
    assert "先核对" not in words_of(draft)
    assert draft.warnings == ("先核对<被检举人>",)
