import re
from pathlib import Path

import pytest
import yaml

from nlp.errors import KnowledgeError
from nlp.knowledge import CERTAINTY, Knowledge, check_overlay, load_knowledge
from nlp.knowledge.checks import ARTICLE, sourced_sections
from nlp.knowledge.render import length_of, render
from nlp.taxonomy import load_taxonomy

ROOT = Path(__file__).parents[2]
GUIDE_FLAGS = {
    "self_harm",
    "violence_threat",
    "group_event",
    "official_accusation",
    "minors",
    "domestic_violence",
    "imminent_safety_risk",
    "death_or_serious_injury",
    "criminal_suspicion",
    "judicial_sensitive",
    "fraud_finance_mass",
    "vulnerable",
    "retaliation",
    "military_related",
    "ethnic_religious",
    "repeat_long_history",
    "secret",
    "epidemic",
}
GUIDE_CHANNELS = {
    "suggestion_handling",
    "accusation_handling",
    "judicial_procedure",
    "arbitration",
    "party_personnel_review",
    "administrative_procedure",
    "statutory_duty",
    "petition_procedure",
    "consultation_reply",
}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def overlay(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "office.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def faults(tmp_path: Path, content: object) -> list[str]:
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge(overlay(tmp_path, content))
    return list(caught.value.faults)


def test_every_flag_and_channel_of_the_guide_exists(knowledge: Knowledge) -> None:
    assert {rule.code for rule in knowledge.rules} >= GUIDE_FLAGS
    assert {route.code for route in knowledge.routes} == GUIDE_CHANNELS


def test_everything_shown_names_an_article_or_is_marked(knowledge: Knowledge) -> None:
    for name, entries in sourced_sections(knowledge).items():
        for entry in entries:
            assert ARTICLE.search(entry.basis) or entry.certainty != "verified", (name, entry.code)
            assert entry.basis.strip(), (name, entry.code)
    for matter in knowledge.alternatives:
        for option in matter.options:
            marked = (option.certainty or matter.certainty) != "verified"
            assert ARTICLE.search(option.basis) or marked, (matter.code, option.channel)


def test_local_practice_is_never_statutory(knowledge: Knowledge) -> None:
    local = {deadline.code: deadline for deadline in knowledge.deadlines if deadline.certainty == "local"}
    assert {"local_520_accept", "local_520_handle", "local_210_accept", "local_210_handle"} <= local.keys()
    assert {deadline.kind for deadline in local.values()} == {"local"}
    assert {d.basis[:2] for d in knowledge.deadlines if d.kind == "statutory"} == {"条例"}


def test_every_matter_with_alternatives_offers_at_least_one_other_channel(knowledge: Knowledge) -> None:
    for matter in knowledge.alternatives:
        for main in matter.channels:
            assert any(option.channel != main for option in matter.options), (matter.code, main)


def test_channels_rest_on_the_same_articles_as_in_the_taxonomy(knowledge: Knowledge) -> None:
    for channel in load_taxonomy().channels:
        route = next(route for route in knowledge.routes if route.code == channel.code)
        assert set(re.findall(r"\d+", channel.article)) <= set(re.findall(r"\d+", route.basis)), channel.code


def test_the_documentation_page_is_the_rendered_data(knowledge: Knowledge) -> None:
    page = (ROOT / "docs" / "knowledge.md").read_text(encoding="utf-8")
    assert page == render(knowledge), "run: python -m nlp.knowledge.render > docs/knowledge.md"


def test_lengths_are_written_out(knowledge: Knowledge) -> None:
    lengths = {deadline.code: length_of(deadline) for deadline in knowledge.deadlines}
    assert lengths["petition_handle"] == "60日（自然日）"
    assert lengths["unit_objection"] == "5个工作日"
    assert lengths["duty_actionable"] == "2个月"
    assert lengths["urgent_report"] == "立即"
    assert lengths["assigned_feedback"] == "由交办机关指定"


def test_an_office_may_add_change_and_switch_off(tmp_path: Path) -> None:
    content = {
        "office": "某县信访局",
        "deadlines": [
            {"code": "local_520_accept", "limit": 3},
            {"code": "local_210_accept", "disabled": True},
            {
                "code": "local_reply",
                "kind": "local",
                "who": "承办单位",
                "what": "先行电话联系",
                "limit": 1,
                "unit": "work_day",
                "starts": "forwarded",
                "basis": "本县办法",
            },
        ],
        "rules": [{"code": "overlevel_or_capital", "clues": [{"find": ["去省城找领导"]}]}],
    }
    changed = load_knowledge(overlay(tmp_path, content))
    deadlines = {deadline.code: deadline for deadline in changed.deadlines}
    assert changed.office == "某县信访局"
    assert deadlines["local_520_accept"].limit == 3
    assert deadlines["local_520_accept"].what == "一般信访事项受理压缩（地方“520”）"
    assert "local_210_accept" not in deadlines
    assert deadlines["local_reply"].certainty == "local"
    rule = next(rule for rule in changed.rules if rule.code == "overlevel_or_capital")
    ours = next(rule for rule in load_knowledge().rules if rule.code == "overlevel_or_capital")
    assert rule.clues[:-1] == ours.clues
    assert rule.clues[-1].find == ("去省城找领导",)
    assert rule.certainty == ours.certainty
    assert deadlines["local_520_accept"].certainty == "local"


def test_safety_rules_cannot_be_weakened(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        {
            "office": "某局",
            "rules": [
                {"code": "self_harm", "disabled": True},
                {"code": "group_event", "level": "B"},
                {"code": "violence_threat", "idioms": ["同归于尽"]},
                {"code": "official_accusation", "disabled": True},
            ],
        },
    )
    assert len(found) == 4
    assert "S 级安全规则不能停用" in found[0]
    assert "['level']" in found[1]
    assert "['idioms']" in found[2]
    assert "检举控告规则不能停用" in found[3]


def test_what_an_office_changes_in_the_law_is_marked_local(tmp_path: Path) -> None:
    content = {"office": "某局", "routes": [{"code": "arbitration", "basis": "条例31条(二)；某省条例9条"}]}
    (route,) = (r for r in load_knowledge(overlay(tmp_path, content)).routes if r.code == "arbitration")
    assert route.certainty == "local"


def test_safety_rules_can_be_added_to(tmp_path: Path) -> None:
    content = {"office": "某局", "rules": [{"code": "self_harm", "clues": [{"find": ["寻短路"]}]}]}
    rule = next(r for r in load_knowledge(overlay(tmp_path, content)).rules if r.code == "self_harm")
    assert rule.level == "S"
    assert rule.clues[-1].find == ("寻短路",)
    assert len(rule.clues) > 1


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        {
            "office": "某局",
            "unknown": [],
            "deadlines": [{"code": "petition_handle", "limit": 30}, {"code": "nosuch", "disabled": True}],
            "routes": [{"code": "arbitration", "colour": "red"}],
            "rules": [{"code": "secret", "certainty": "verified"}, {"code": "minors", "disabled": "yes"}],
            "notices": "all",
        },
    )
    text = "\n".join(found)
    assert "没有 'unknown' 这一部分" in text
    assert "petition_handle：法定期限不能改" in text
    assert "nosuch：没有这一条可停用" in text
    assert "routes arbitration：colour 不是这里的字段" in text
    assert "secret：本机关的条目属地方做法" in text
    assert "minors：disabled 只能是 true 或 false" in text
    assert "notices：须为条目的列表" in text


def test_references_and_signals_are_checked(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        {
            "office": "某局",
            "deadlines": [{"code": "local_520_accept", "channels": ["nowhere"]}],
            "rules": [{"code": "secret", "clues": [{"find": ["绝密(", "{nogroup}", "密?"]}]}],
            "neighbours": [
                {
                    "code": "x",
                    "scene": "试",
                    "decisive": "试",
                    "department": "nowhere",
                    "basis": " ",
                    "signals": "试",
                }
            ],
        },
    )
    text = "\n".join(found)
    assert "deadlines local_520_accept：没有 'nowhere' 这个途径" in text
    assert "secret：信号 '绝密(' 不是正则表达式" in text
    assert "没有的词组 'nogroup'" in text
    assert "信号 '密?' 连空文字也能匹配" in text
    assert "neighbours x：没有 'nowhere' 这个部门" in text
    assert "neighbours x：没有写依据" in text


@pytest.mark.parametrize("content", [[], {"deadlines": []}, {"office": ""}])
def test_an_overlay_names_its_office(content: object, tmp_path: Path) -> None:
    assert "本机关的名称" in faults(tmp_path, content)[0]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="读不了"):
        load_knowledge(tmp_path / "missing.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("office: [", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="不是合格的 YAML"):
        load_knowledge(broken)


def test_check_overlay_says_what_it_does(tmp_path: Path) -> None:
    content = {"office": "某县信访局", "deadlines": [{"code": "local_210_accept", "disabled": True}]}
    assert check_overlay(overlay(tmp_path, content)) == (
        "某县信访局的口径文件可以使用。deadlines：新增0、修改0、停用1。"
    )


def test_the_overlay_of_the_documentation_page_works(knowledge: Knowledge, tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(office:.*?)```", render(knowledge), re.DOTALL)
    assert example
    path = tmp_path / "office.yaml"
    path.write_text(example.group(1), encoding="utf-8")
    assert check_overlay(path) == (
        "某县信访局的口径文件可以使用。rules：新增0、修改1、停用0；deadlines：新增0、修改1、停用1。"
    )


def test_what_stands_twice_is_refused_with_its_line_and_all_other_faults(tmp_path: Path) -> None:
    path = tmp_path / "office.yaml"
    path.write_text(
        "office: 某局\n"
        "deadlines:\n"
        "  - {code: petition_handle, limit: 30}\n"
        "rules:\n"
        "  - {code: minors, name: 甲, name: 乙}\n"
        "deadlines:\n"
        "  - {code: nosuch, disabled: true}\n",
        encoding="utf-8",
    )
    with pytest.raises(KnowledgeError) as caught:
        check_overlay(path)
    text = "\n".join(caught.value.faults)
    assert "第6行：'deadlines' 在同一层写了两次" in text
    assert "第5行：'name' 在同一层写了两次" in text
    assert "petition_handle：法定期限不能改" in text
    assert "nosuch：没有这一条可停用" in text


def test_what_the_law_wants_first_cannot_be_taken_away(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        {
            "office": "某局",
            "prerequisites": [{"code": "labour_arbitration_first", "disabled": True}],
            "circumstances": [
                {"code": "judgment_given", "disabled": True},
                {"code": "in_court", "excludes": []},
            ],
        },
    )
    assert len(found) == 3
    assert "法律规定的前置程序（劳动争议调解仲裁法5条）不能停用" in found[0] + found[1] + found[2]
    assert any("judgment_given：法律规定的情形" in fault and "不能停用" in fault for fault in found)
    assert any("in_court" in fault and "['excludes']" in fault for fault in found)


def test_what_is_not_verified_may_be_switched_off_and_the_rest_reworded(tmp_path: Path) -> None:
    content = {
        "office": "某局",
        "circumstances": [
            {"code": "award_given", "disabled": True},
            {"code": "judgment_given", "advice": "请在法院程序内提出"},
        ],
    }
    found = {entry.code: entry for entry in load_knowledge(overlay(tmp_path, content)).circumstances}
    assert "award_given" not in found
    assert found["judgment_given"].advice == "请在法院程序内提出"


def test_what_is_switched_off_starts_and_stops_no_clock(tmp_path: Path) -> None:
    content = {
        "office": "某局",
        "circumstances": [{"code": "award_given", "disabled": True}],
        "situations": [{"code": "teacher_decision", "disabled": True}],
    }
    found = {deadline.code: deadline for deadline in load_knowledge(overlay(tmp_path, content)).deadlines}
    assert found["labour_award_suit"].perhaps == ()
    assert found["labour_award_suit"].situations == ("labour_award",)
    assert "teacher_appeal_decide" not in found


def test_situations_of_the_law_can_be_reworded_and_not_switched_off(tmp_path: Path) -> None:
    reworded = {"office": "某局", "situations": [{"code": "petition_opinion", "advice": "请上一级复查"}]}
    known = {entry.code: entry for entry in load_knowledge(overlay(tmp_path, reworded)).situations}
    assert known["petition_opinion"].advice == "请上一级复查"
    off = {"office": "某局", "situations": [{"code": "petition_opinion", "disabled": True}]}
    assert any("法律规定的情形（条例35条）不能停用" in fault for fault in faults(tmp_path, off))


@pytest.mark.parametrize(
    ("section", "entry"),
    [
        ("rules", {"code": "minors", "action": "不再受理"}),
        ("rules", {"code": "self_harm", "action": "按规定 不予\n受理"}),
        ("circumstances", {"code": "judgment_given", "advice": "只登记，不交办"}),
        ("alternatives", {"code": "unpaid_wages", "effect": "选择后仅作登记"}),
        ("alternatives", {"code": "unpaid_wages", "options": [{"channel": "arbitration", "note": "信访不受理"}]}),
    ],
)
def test_no_text_for_clerks_speaks_of_a_refusal(section: str, entry: dict[str, object], tmp_path: Path) -> None:
    found = faults(tmp_path, {"office": "某局", section: [entry]})
    assert any("是否受理只能由人依法决定" in fault for fault in found)


def test_a_letter_that_needs_a_decision_may_name_it(tmp_path: Path) -> None:
    content = {"office": "某局", "notices": [{"code": "notice_not_accept", "name": "不予受理告知书"}]}
    assert "修改1" in check_overlay(overlay(tmp_path, content))


def test_no_source_is_a_code_of_ours(knowledge: Knowledge) -> None:
    assert "种子" not in str(vars(knowledge)).replace("种子农药", "")
    assert "种子材料" not in CERTAINTY.values()
