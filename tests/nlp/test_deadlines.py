from datetime import date
from pathlib import Path

import pytest

from nlp.assessment import assess_masked
from nlp.deadlines import Clock, add_work_days, propose_transfer, start_clocks
from nlp.errors import KnowledgeError
from nlp.knowledge import Knowledge, load_knowledge
from nlp.petition import Firing, Level, Masked
from nlp.rules import find_firings


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def firing(code: str, level: Level, name: str = "试") -> Firing:
    return Firing(
        code=code, level=level, name=name, start=0, end=1, basis="条例25条", certainty="verified", action="看"
    )


def by_code(clocks: tuple[Clock, ...]) -> dict[str, Clock]:
    return {clock.code: clock for clock in clocks}


def test_intake_at_the_bureau_starts_fifteen_natural_days(knowledge: Knowledge) -> None:
    clocks = by_code(start_clocks({"received": date(2026, 3, 2)}, channel="statutory_duty", knowledge=knowledge))
    clock = clocks["dept_register_handle"]
    assert (clock.starts_on, clock.ends_on) == (date(2026, 3, 2), date(2026, 3, 17))
    assert (clock.basis, clock.certainty, clock.kind) == ("条例22条1款", "verified", "statutory")
    assert "信访部门" in clock.who
    assert "unit_inform_direct" not in clocks


def test_intake_at_a_unit_starts_its_duty_to_inform(knowledge: Knowledge) -> None:
    clocks = by_code(
        start_clocks({"received": date(2026, 3, 2)}, channel="statutory_duty", knowledge=knowledge, receiver="unit")
    )
    assert clocks["unit_inform_direct"].ends_on == date(2026, 3, 17)
    assert "dept_register_handle" not in clocks


def test_sixty_days_and_the_extension_run_only_in_the_petition_procedure(knowledge: Knowledge) -> None:
    events = {"received": date(2026, 1, 5), "accepted": date(2026, 1, 10)}
    clocks = by_code(start_clocks(events, channel="petition_procedure", knowledge=knowledge))
    assert clocks["petition_handle"].ends_on == date(2026, 3, 11)
    assert clocks["petition_extend"].starts_on == date(2026, 3, 11)
    assert clocks["petition_extend"].ends_on == date(2026, 4, 10)
    others = by_code(start_clocks(events, channel="judicial_procedure", knowledge=knowledge))
    assert "petition_handle" not in others
    assert "review_request" not in others


def test_objection_is_due_in_working_days_past_a_long_holiday(knowledge: Knowledge) -> None:
    events = {"received": date(2026, 9, 20), "forwarded": date(2026, 9, 29)}
    clock = by_code(start_clocks(events, channel="petition_procedure", knowledge=knowledge))["unit_objection"]
    # 1-7 October is the national holiday, Saturday 10 October is worked in lieu, the 11th is a Sunday.
    assert clock.ends_on == date(2026, 10, 12)
    assert clock.note == ""


def test_working_days_follow_the_published_calendar() -> None:
    # 2024: 1-7 October off, Sunday 29 September and Saturday 12 October worked.
    assert add_work_days(date(2024, 9, 27), 1) == (date(2024, 9, 29), "")
    assert add_work_days(date(2024, 9, 30), 1) == (date(2024, 10, 8), "")
    assert add_work_days(date(2024, 10, 8), 4) == (date(2024, 10, 12), "")


def test_beyond_the_published_calendar_weekdays_are_counted_and_it_is_said() -> None:
    day, note = add_work_days(date(2049, 12, 31), 5)
    assert day == date(2050, 1, 7)
    assert "2050年" in note
    assert "人工核对" in note


def test_months_end_on_the_last_day_of_a_shorter_month(knowledge: Knowledge) -> None:
    events = {"received": date(2025, 12, 31), "received_by_handler": date(2025, 12, 31)}
    clocks = by_code(start_clocks(events, channel="statutory_duty", knowledge=knowledge))
    assert clocks["duty_actionable"].ends_on == date(2026, 2, 28)


def test_clocks_whose_start_is_unknown_are_shown_without_a_date(knowledge: Knowledge) -> None:
    clocks = start_clocks({"received": date(2026, 3, 2)}, channel="arbitration", knowledge=knowledge)
    clock = by_code(clocks)["labour_arbitration_request"]
    assert (clock.starts_on, clock.ends_on) == (None, None)
    assert clock.note == "起算日尚不知道"
    assert clock.starts == "知道或者应当知道权利被侵害之日"
    assert clock.length == "12个月"
    dated = [clock.ends_on is not None for clock in clocks]
    assert dated == sorted(dated, reverse=True)


def test_the_labour_clocks_run_for_labour_matters_and_depend_on_a_person_where_none_is_recognised(
    knowledge: Knowledge,
) -> None:
    def clocks(*matters: str) -> dict[str, Clock]:
        events = {"received": date(2026, 3, 2)}
        return by_code(start_clocks(events, channel="arbitration", knowledge=knowledge, matters=matters))

    for code in ("labour_arbitration_request", "labour_arbitration_decide"):
        assert not clocks("unpaid_wages")[code].conditional
        assert clocks()[code].conditional
        assert code not in clocks("rural_land_contract")
    assert "land_arbitration_request" in clocks("rural_land_contract")


def test_accusations_follow_the_rules_of_who_handles_them_not_the_duty_to_inform(knowledge: Knowledge) -> None:
    events = {"received": date(2026, 3, 2), "forwarded": date(2026, 3, 3)}
    clocks = by_code(start_clocks(events, channel="accusation_handling", knowledge=knowledge, receiver="unit"))
    assert not {"unit_inform_direct", "unit_inform_forwarded"} & clocks.keys()
    assert "unit_objection" in clocks


def test_the_review_of_a_fire_finding_is_due_in_fifteen_days(knowledge: Knowledge) -> None:
    events = {"received": date(2026, 3, 2), "decision_served": date(2026, 3, 2)}
    clocks = by_code(
        start_clocks(events, channel="administrative_procedure", knowledge=knowledge, matters=("fire_accident",))
    )
    assert clocks["fire_review_request"].ends_on == date(2026, 3, 17)
    assert "accident_review_request" not in clocks


def clocks_of(text: str, channel: str, knowledge: Knowledge, **events: date) -> dict[str, Clock]:
    masked = Masked(text=text, origin=tuple(range(len(text))))
    return by_code(
        assess_masked(
            masked,
            title_length=0,
            channel=channel,
            firings=(),
            n_departments=1,
            knowledge=knowledge,
            events={"received": date(2026, 3, 2), **events},
        ).clocks
    )


def certain(clocks: dict[str, Clock]) -> set[str]:
    """Return the clocks of other procedures that are shown as running."""
    return {code for code, clock in clocks.items() if clock.kind == "other_procedure" and not clock.conditional}


@pytest.mark.parametrize(
    ("text", "channel", "running"),
    [
        ("我对儿子的刑事判决不服,判决生效已有一年", "judicial_procedure", set()),
        ("同乡借了我六万元一直不还", "judicial_procedure", set()),
        ("有人假冒客服骗走我的积蓄,派出所没有下文", "judicial_procedure", set()),
        ("弟弟被刑事拘留,请求了解情况", "judicial_procedure", set()),
        ("民事判决生效了,我要申请再审", "judicial_procedure", {"retrial_request"}),
        ("行政判决书说驳回,我不服", "judicial_procedure", {"administrative_retrial"}),
        ("镇政府对宅基地使用权争议下了处理决定,我不服", "administrative_procedure", {"land_ruling_suit"}),
        ("刚拿到劳动仲裁裁决,不服这个裁决", "arbitration", {"labour_award_suit"}),
        ("刚拿到劳动仲裁裁决,不服这个裁决", "judicial_procedure", {"labour_award_suit"}),
        ("承包地仲裁裁决不公", "arbitration", {"land_award_suit"}),
        ("复议决定书维持原处罚,我不服", "judicial_procedure", {"suit_after_reconsideration"}),
        (
            "城管给我下了处罚决定书,我不服",
            "administrative_procedure",
            {"reconsider_request", "administrative_suit"},
        ),
        ("我想办一个餐饮许可证", "administrative_procedure", set()),
        ("我是中学教师,学校给我处分,我不服", "party_personnel_review", {"teacher_appeal_decide"}),
        ("我受到留党察看,要求撤销", "party_personnel_review", set()),
        ("单位对我作了人事处理,我不服", "party_personnel_review", set()),
        (
            "我是公务员,考核被定为不称职,我不服",
            "party_personnel_review",
            {
                "civil_servant_review",
                "civil_servant_review_decide",
                "civil_servant_appeal",
                "civil_servant_appeal_decide",
            },
        ),
        (
            "监委对我作出政务处分,我不服",
            "party_personnel_review",
            {"supervision_review", "supervision_review_decide", "supervision_recheck", "supervision_recheck_decide"},
        ),
        ("我是聘任制公务员,单位不履行合同", "arbitration", {"personnel_arbitration_request"}),
        (
            "政府采购项目中标结果不公,质疑后没有答复",
            "administrative_procedure",
            {"procurement_inquiry", "procurement_complaint", "procurement_decide"},
        ),
        ("市场监管局早就立案调查了,一直没有结果", "statutory_duty", {"penalty_decide"}),
        ("饭店油烟太大,请查处", "statutory_duty", set()),
    ],
)
def test_another_procedures_clock_runs_only_where_the_text_says_what_starts_it(
    text: str, channel: str, running: set[str], knowledge: Knowledge
) -> None:
    assert certain(clocks_of(text, channel, knowledge)) == running


def test_a_judgment_of_unknown_kind_leaves_the_retrial_to_a_person(knowledge: Knowledge) -> None:
    clocks = clocks_of("法院判决不公,我不服判决", "judicial_procedure", knowledge)
    assert clocks["retrial_request"].conditional
    assert "retrial_request" not in clocks_of("刑事判决不公,我不服判决", "judicial_procedure", knowledge)


def test_a_land_ruling_leaves_reconsideration_to_a_person_and_has_no_six_months(knowledge: Knowledge) -> None:
    clocks = clocks_of(
        "县政府的权属处理决定我不服", "administrative_procedure", knowledge, ruling_received=date(2026, 3, 2)
    )
    assert clocks["land_ruling_suit"].ends_on == date(2026, 4, 1)
    assert clocks["reconsider_request"].conditional
    assert "administrative_suit" not in clocks


def test_an_award_ends_the_clocks_before_it_and_starts_fifteen_days(knowledge: Knowledge) -> None:
    text = "公司拖欠工资,劳动仲裁裁决书到了,不服裁决"
    clocks = clocks_of(text, "arbitration", knowledge, award_received=date(2026, 3, 1))
    assert clocks["labour_award_suit"].ends_on == date(2026, 3, 16)
    assert not {"labour_arbitration_request", "labour_arbitration_decide", "retrial_request"} & clocks.keys()
    waiting = clocks_of("公司拖欠工资,劳动仲裁迟迟没有裁决", "arbitration", knowledge)
    assert "labour_arbitration_decide" in waiting
    assert "labour_award_suit" not in waiting


def test_inaction_is_told_with_reconsideration_before_the_suit(knowledge: Knowledge) -> None:
    clock = clocks_of("饭店油烟太大,请查处", "statutory_duty", knowledge)["duty_actionable"]
    assert clock.conditional  # a special limit may go before
    assert "先申请行政复议" in clock.what
    assert "即可诉" not in clock.what
    assert "23条(三)" in clock.basis


FRESH = {"petition_handle", "petition_extend", "simple_accept", "simple_handle", "local_520_accept", "local_520_handle"}
FRESH |= {"local_210_accept", "local_210_handle"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "收到信访处理意见书,我不同意,要求复查",
            {"review_request", "review_decide", "recheck_request", "recheck_decide"},
        ),
        ("县里的信访复查意见书我不服,请求复核", {"recheck_request", "recheck_decide"}),
        ("市政府的复核意见书还是维持,我不服", set()),
        ("处理意见、复查意见书、复核意见书都说没问题,我不服", set()),
    ],
)
def test_what_was_decided_in_the_petition_procedure_starts_no_fresh_clock(
    text: str, shown: set[str], knowledge: Knowledge
) -> None:
    clocks = clocks_of(text, "petition_procedure", knowledge, accepted=date(2026, 3, 4))
    stages = {"review_request", "review_decide", "recheck_request", "recheck_decide"}
    assert not FRESH & clocks.keys()
    assert stages & clocks.keys() == shown


def test_a_review_that_is_still_awaited_is_no_decision(knowledge: Knowledge) -> None:
    clocks = clocks_of("去年请求复核,一直没有收到复核意见", "petition_procedure", knowledge)
    assert "recheck_decide" in clocks
    assert "petition_handle" in clocks


def test_three_levels_passed_need_a_person_and_refuse_nothing(knowledge: Knowledge) -> None:
    text = "市政府的复核意见书还是维持,我不服"
    told = assess_masked(
        Masked(text=text, origin=tuple(range(len(text)))),
        title_length=0,
        channel="consultation_reply",
        firings=(),
        n_departments=1,
        knowledge=knowledge,
        events={"received": date(2026, 3, 2)},
    ).situations
    (situation,) = told
    assert (situation.code, situation.basis, situation.certainty) == ("petition_recheck", "条例36条3款", "verified")
    assert "由人" in situation.advice
    assert not any("受理" in found.advice or "只登记" in found.advice for found in knowledge.situations)


def people_level(text: str, knowledge: Knowledge) -> str:
    masked = Masked(text=text, origin=tuple(range(len(text))))
    return assess_masked(
        masked,
        title_length=0,
        channel="petition_procedure",
        firings=find_firings(masked, knowledge=knowledge),
        n_departments=1,
        knowledge=knowledge,
        events={"received": date(2026, 3, 2)},
    ).transfer.name


@pytest.mark.parametrize(
    "text",
    [
        "我家5口人住在两室一厅,请求办理低保",
        "全镇3万人,请问社保怎么交",
        "我们学校有1200名学生,请问几号开学",
    ],
)
def test_numbers_that_count_no_complainants_weigh_nothing(text: str, knowledge: Knowledge) -> None:
    assert people_level(text, knowledge) == "一般"


def test_the_number_who_complain_together_weighs(knowledge: Knowledge) -> None:
    assert people_level("涉及两百多户居民,请修路", knowledge) == "重大疑难复"


def test_matters_and_urgency_select_clocks(knowledge: Knowledge) -> None:
    events = {"received": date(2026, 3, 2)}
    plain = by_code(start_clocks(events, channel="statutory_duty", knowledge=knowledge))
    assert not {"labour_inspection", "consumer_complaint", "urgent_report"} & plain.keys()
    full = by_code(
        start_clocks(
            events,
            channel="statutory_duty",
            knowledge=knowledge,
            matters=("unpaid_wages", "consumer_dispute"),
            firings=(firing("self_harm", "S"),),
        )
    )
    assert {"labour_inspection", "consumer_complaint"} <= full.keys()
    assert full["urgent_report"].ends_on == date(2026, 3, 2)
    assert full["urgent_report"].length == "立即"


def test_what_a_person_must_find_first_is_told_as_conditional(knowledge: Knowledge) -> None:
    clocks = by_code(start_clocks({"received": date(2026, 3, 2)}, channel="petition_procedure", knowledge=knowledge))
    assert clocks["simple_accept"].conditional
    assert clocks["simple_accept"].ends_on == date(2026, 3, 5)
    assert not clocks["petition_handle"].conditional


def test_local_practice_is_marked_as_such(knowledge: Knowledge) -> None:
    events = {"received": date(2026, 3, 2), "accepted": date(2026, 3, 4)}
    clocks = by_code(start_clocks(events, channel="petition_procedure", knowledge=knowledge))
    assert clocks["local_520_handle"].ends_on == date(2026, 3, 24)
    assert {(c.kind, c.certainty) for code, c in clocks.items() if code.startswith("local_")} == {("local", "local")}
    assert all(clock.certainty == "local" for clock in clocks.values() if clock.kind == "local")


def test_the_time_of_an_assignment_is_set_by_who_assigns(knowledge: Knowledge) -> None:
    events = {"received": date(2026, 3, 2), "assigned": date(2026, 3, 3)}
    clock = by_code(start_clocks(events, channel="statutory_duty", knowledge=knowledge))["assigned_feedback"]
    assert clock.ends_on is None
    assert clock.note == "期限由交办机关指定"


@pytest.mark.parametrize("events", [{}, {"accepted": date(2026, 1, 1)}, {"received": date(2026, 1, 1), "x": date.max}])
def test_events_are_checked(events: dict[str, date], knowledge: Knowledge) -> None:
    with pytest.raises(ValueError, match="allowed: received"):
        start_clocks(events, channel="statutory_duty", knowledge=knowledge)


def test_transfer_levels_with_reasons(knowledge: Knowledge) -> None:
    ordinary = propose_transfer(knowledge=knowledge)
    assert (ordinary.name, ordinary.by, ordinary.certainty) == ("一般", "县信访局", "local")
    repeated = propose_transfer(knowledge=knowledge, n_times=2, previous_closed=True)
    assert (repeated.name, repeated.reasons) == ("初转重", ("同一人同一事项第2次提出，前次已办结",))
    assert propose_transfer(knowledge=knowledge, n_times=2).name == "一般"
    major = propose_transfer(
        knowledge=knowledge,
        firings=(firing("group_event", "S", "集体访"), firing("media_risk", "B")),
        n_people=5,
        n_departments=3,
        n_times=2,
        previous_closed=True,
    )
    assert major.name == "重大疑难复"
    assert major.reasons == ("集体访（S级）", "已引发媒体关注", "涉及5人（5人以上）", "涉及3个部门")
    assert propose_transfer(knowledge=knowledge, n_people=4).name == "一般"


def test_an_office_can_rename_but_not_remove_a_level(tmp_path: Path) -> None:
    overlay = tmp_path / "office.yaml"
    overlay.write_text("office: 某县\ntransfer_levels:\n  - {code: level_ordinary, by: 某县信访局}\n", encoding="utf-8")
    assert propose_transfer(knowledge=load_knowledge(overlay)).by == "某县信访局"
    overlay.write_text("office: 某县\ntransfer_levels:\n  - {code: level_major, disabled: true}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="level_major：程序要用，不能停用"):
        load_knowledge(overlay)
