"""Several appeals in one text."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from nlp.appeals import Appeals, accusations_apart, assisting, split_appeals, warned, word_scores
from nlp.knowledge import load_knowledge
from nlp.petition import AppealAnswer, Candidate, Head, Petition, Prediction
from nlp.prepare import prepare
from nlp.routes import Routing
from nlp.taxonomy import load_taxonomy

WRITTEN = Path("datasets/appeals/multi.jsonl")


def split(text: str, *, title: str = "") -> Appeals:
    return split_appeals(prepare(Petition(title=title, text=text)), title_length=len(title))


@pytest.mark.parametrize(
    "text",
    [
        "一、村里的自来水三天两头停水，请水务公司修管道。二、村小学食堂饭菜不干净，请教育局检查。",
        "1、路口红绿灯坏了，请交警修复；2、小区垃圾没人清运，请环卫部门处理。",
        "我父亲的新农合报销半年没到账，请医保局查一下。另外小区门口烧烤油烟很大，请城管处理。",
        "老板欠我三个月工资，请劳动监察处理。工厂往河里排污水，请环保局查处。",
    ],
)
def test_two_matters_are_two_appeals_in_the_original(text: str) -> None:
    appeals = split(text)
    assert appeals.count == 2
    first, second = appeals.items
    assert first.spans[-1][1] <= second.start
    assert text[second.start :].startswith(("二、", "2、", "另外", "工厂"))
    assert first.department != second.department


@pytest.mark.parametrize(
    "text",
    [
        "电梯总坏：一、经常停运；二、晃动有异响；三、维保记录不公布。请检验电梯。",
        "工地半夜施工噪声扰民，请城管制止。",
        "",
        "请",
    ],
)
def test_details_of_one_matter_stay_together(text: str) -> None:
    appeals = split(text)
    assert appeals.count == 1
    assert not appeals.unsure


def test_the_title_is_no_appeal_of_its_own() -> None:
    appeals = split("小区停水，请水务公司处理。", title="反映学校食堂和小区停水")
    assert appeals.count == 1
    assert appeals.items[0].start == len("反映学校食堂和小区停水\n")


def test_a_matter_that_comes_back_joins_its_first_mention() -> None:
    text = "1、学校食堂不干净，请教育局查；2、路灯坏了，请城管修；3、学校作业太多，请教育局管。"
    appeals = split(text)
    assert appeals.count == 2
    assert len(appeals.items[0].spans) == 2


def test_the_callers_score_decides_what_belongs_together() -> None:
    text = "1、学校食堂不干净，请教育局查；2、路灯坏了，请城管修。"

    def same(_piece: str) -> Mapping[str, float]:
        return {"education": 1.0}

    assert split_appeals(prepare(Petition(text=text)), score=same).count == 1


def test_unlike_pieces_without_a_clear_matter_are_reported_as_suspected() -> None:
    def vague(piece: str) -> Mapping[str, float]:
        return {"education": 0.2, "health": 0.15} if "甲" in piece else {"transport": 0.2, "justice": 0.15}

    appeals = split_appeals(prepare(Petition(text="1、关于甲的情况说明在此；2、关于乙的情况说明在此。")), score=vague)
    assert appeals.count == 1
    assert appeals.unsure
    assert appeals.suspected == 2


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("1、教育局局长收受贿赂，请严肃查处。2、学校食堂饭菜变质，请教育局检查。", 2),
        ("1、教育局局长收受贿赂，请纪委查处。2、他还贪污公款，请追究。", 1),
        ("1、学校操场破损，听说是关系户修的，请教育局修。2、学校食堂饭菜变质，请教育局检查。", 1),
    ],
)
def test_an_accusation_of_officials_shares_its_appeal_with_nothing_else(text: str, apart: int) -> None:
    knowledge = load_knowledge()
    assert split_appeals(prepare(Petition(text=text)), score=accusations_apart(knowledge)).count == apart
    assert split(text).count == 1


def answer(department: str, *, accusation: bool = False) -> AppealAnswer:
    return AppealAnswer(
        spans=((0, 1),), predictions={"department": best("department", department)}, accusation=accusation
    )


def best(head: Head, code: str) -> Prediction:
    return Prediction(
        head=head, candidates=(Candidate(code=code, name=load_taxonomy().name(head, code), confidence=0.9),)
    )


def assist(
    *answers: AppealAnswer,
    channel: str = "statutory_duty",
    main: str = "urban_management",
    scene: str = "",
    text: str = "",
) -> list[str]:
    units = (Candidate(code=scene, name=scene, confidence=0.0),) if scene else ()
    routing = Routing(
        channel=best("channel", channel), department=best("department", main), co_departments=units,
        alternatives=(), legal_basis="", reasons=(), matters=(),
    )  # fmt: skip
    found = assisting(routing, answers, text=text, knowledge=load_knowledge(), taxonomy=load_taxonomy())
    return [unit.code for unit in found]


def test_departments_of_the_other_appeals_assist_each_once_and_no_more_than_two() -> None:
    assert assist(answer("urban_management")) == []
    answers = [answer(code) for code in ("urban_management", "education", "education")]
    assert assist(*answers) == ["education"]
    assert assist(*answers, scene="ecology_environment") == ["education", "ecology_environment"]
    assert assist(*answers, answer("transport"), scene="ecology_environment") == ["education", "transport"]


def test_neither_the_accused_nor_the_handler_of_an_accusation_assists() -> None:
    text = "教育局局长收受贿赂,请查处。学校食堂饭菜变质。路灯坏了。公交不来。"
    accusing = answer("discipline_supervision", accusation=True)
    others = [answer(code) for code in ("urban_management", "education", "transport")]
    assert assist(accusing, *others, text=text) == ["transport"]
    assert assist(*others, text=text) == ["education", "transport"]


def test_whoever_handles_an_accusation_is_assisted_by_no_other_appeals_department() -> None:
    accusing = answer("discipline_supervision", accusation=True)
    given = {"channel": "accusation_handling", "main": "discipline_supervision"}
    assert assist(accusing, answer("transport"), **given) == []
    assert assist(accusing, answer("transport"), scene="town_subdistrict", **given) == ["town_subdistrict"]


def test_whoever_is_accused_in_one_appeal_is_marked_in_another() -> None:
    text = "教育局局长收受贿赂,请查处。学校食堂饭菜变质。公交不来。"
    given = {"text": text, "knowledge": load_knowledge(), "taxonomy": load_taxonomy()}
    accusing = answer("education", accusation=True)
    found = warned([accusing, answer("education"), answer("transport")], **given)
    assert [len(one.reasons) for one in found] == [1, 1, 0]
    assert all("条例30条3款" in one.reasons[0].message for one in found[:2])
    assert warned([answer("education")], **given)[0].reasons == ()


def test_word_scores_leave_mass_to_the_unknown() -> None:
    assert word_scores("今天天气不错") == {}
    shares = word_scores("请教育局管一管学校")
    assert max(shares, key=lambda code: shares[code]) == "education"
    assert 0 < sum(shares.values()) < 1


def test_written_set_is_whole_and_split_well() -> None:
    rows = [json.loads(line) for line in WRITTEN.read_text("utf-8").splitlines()]
    several = [row for row in rows if len(row["appeals"]) > 1]
    single = [row for row in rows if len(row["appeals"]) == 1]
    assert len(several) >= 120
    assert len(single) >= 40
    for row in rows:
        ends = [0]
        for start, end in row["appeals"]:
            assert ends[-1] <= start < end <= len(row["text"])
            ends.append(end)
    right = sum(split(row["text"]).count == len(row["appeals"]) for row in several)
    kept = sum(split(row["text"]).count == 1 for row in single)
    assert right / len(several) >= 0.62
    assert kept / len(single) >= 0.82
