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
