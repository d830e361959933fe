"""The law beside a suggestion and the drafts of letters, on the bundled model, whatever it has learnt."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from nlp.knowledge import load_knowledge
from nlp.notices import BLANK, NOTICES
from serving.app import create_app
from serving.law import marks_of
from serving.routes.notices import DOCX, wanted
from serving.schemas.suggestion import SuggestionOut
from serving.store.schema import AuditRow, PetitionRow

TITLE = "工资和路灯"
TEXT = (
    "我叫张三，电话13800138000，住在青石县白水镇。2025年3月至今，青石县宏达建筑公司拖欠我们8名工人工资共12万元，"
    "要求责令公司支付工资。另外，白水镇白水村村口路灯坏了两个月，要求尽快修好。"
)
DECISION = {"decided_by": "李局长", "decided_on": "2026-03-09", "basis": "条例第19条第3款", "reason": "已有复核意见"}


@pytest.fixture
def office(
    serve: Callable[..., TestClient], make_settings: Callable[..., Any], make_office: Any, router: Any, clock: Any
) -> Any:
    return make_office(serve(app=create_app(make_settings(), router, now=clock)))


@pytest.fixture
def clerk(office: Any) -> TestClient:
    found: TestClient = office.enter("clerk")
    return found


def assess(client: TestClient, **body: Any) -> Any:
    response = client.post("/v1/assess", json={"title": TITLE, "text": TEXT, **body})
    assert response.status_code == 200, response.text
    return response.json()


def audited(office: Any) -> list[AuditRow]:
    with office.context.store.read() as session:
        return list(session.scalars(select(AuditRow).where(AuditRow.action == "notice.drafted")))


def test_the_suggestion_is_the_one_that_classify_gives(clerk: TestClient) -> None:
    alone = clerk.post("/v1/classify", json={"title": TITLE, "text": TEXT}).json()
    assert assess(clerk)["suggestion"] == alone
    SuggestionOut.model_validate(alone)


def test_spans_point_into_the_original(clerk: TestClient) -> None:
    law = assess(clerk)["law"]
    content = f"{TITLE}\n{TEXT}"
    spans = [span for appeal in law["appeals"]["items"] for span in appeal["spans"]]
    spans += [element["span"] for element in law["elements"]]
    assert all(0 <= start < end <= len(content) for start, end in spans)
    found = {(element["type"], content[slice(*element["span"])]) for element in law["elements"]}
    assert any(kind == "people" and "8名" in words for kind, words in found)
    assert any(kind == "amount" and "12万元" in words for kind, words in found)
    amounts = [element["value"] for element in law["elements"] if element["type"] == "amount"]
    assert 120_000 in amounts
    assert law["appeals"]["suspected"] == 2
    lamp = content.index("路灯坏了")
    (matter,) = (a for a in law["appeals"]["items"] if any(s <= lamp < e for s, e in a["spans"]))
    assert all(content.index("拖欠") not in range(*span) for span in matter["spans"])
    assert law["jurisdiction"]["names"]["town"] == "白水镇"


def test_each_of_several_appeals_has_the_models_answer_in_the_law_too(clerk: TestClient) -> None:
    found = assess(clerk)
    told, items = found["suggestion"]["answer"]["appeals"], found["law"]["appeals"]["items"]
    assert len(told) == 2
    assert [item["judged"] for item in items] == told
    for item, answer in zip(items, told, strict=True):
        assert item["spans"] == answer["spans"]
        assert item["department"] == answer["predictions"]["department"]["code"]
        assert answer["legal_basis"]
    one = assess(clerk, text="路灯坏了两个月，要求尽快修好路灯。", title="")
    assert one["suggestion"]["answer"]["appeals"] == []
    (only,) = one["law"]["appeals"]["items"]
    assert only["judged"] is None
    assert only["department"] == one["suggestion"]["answer"]["predictions"]["department"]["code"]


def test_every_item_carries_basis_certainty_and_marks(clerk: TestClient) -> None:
    law = assess(clerk)["law"]
    items = [*law["appeals"]["items"], *law["elements"], law["jurisdiction"], *law["missing"], *law["clocks"]]
    for item in [*items, law["transfer"]]:
        assert item["basis"], item
        assert set(marks_of(item["certainty"], kind=item.get("kind") if "who" in item else None)) == set(item["marks"])
    assert law["law_as_of"] == load_knowledge().about.law_as_of


def test_clocks_run_from_the_day_of_receipt_and_say_what_kind_they_are(clerk: TestClient) -> None:
    clocks = {clock["code"]: clock for clock in assess(clerk, received_on="2026-03-10")["law"]["clocks"]}
    register = clocks["dept_register_handle"]
    assert (register["starts_on"], register["ends_on"], register["marks"]) == ("2026-03-10", "2026-03-25", ["法定"])
    default = {clock["code"]: clock for clock in assess(clerk)["law"]["clocks"]}["dept_register_handle"]
    assert default["starts_on"] == "2026-03-02"
    assert "dept_register_handle" not in {c["code"] for c in assess(clerk, receiver="unit")["law"]["clocks"]}
    for clock in clocks.values():
        assert ("法定" in clock["marks"]) == (clock["kind"] == "statutory")
        assert ("本地做法" in clock["marks"]) == (clock["kind"] == "local")
        assert clock["ends_on"] or clock["note"]


def test_days_of_events_start_their_clocks(clerk: TestClient) -> None:
    text = "白水镇白水村村口路灯坏了两个月，晚上看不见路，请尽快修好。"
    lamp = {"title": "", "text": text, "received_on": "2026-03-02"}
    events = {"accepted": "2026-03-04", "opinion_received": "2026-04-20"}
    clocks = {found["code"]: found for found in assess(clerk, **lamp, events=events)["law"]["clocks"]}
    assert clocks["petition_handle"]["ends_on"] == "2026-05-03"
    assert clocks["review_request"]["ends_on"] == "2026-05-20"
    said = {**lamp, "text": "收到信访处理意见书，我不同意，请求复查。"}
    law = assess(clerk, **said, events={"opinion_received": "2026-02-20"})["law"]  # older than the petition
    assert {found["code"]: found for found in law["clocks"]}["review_request"]["ends_on"] == "2026-03-22"
    (situation,) = law["situations"]
    assert (situation["code"], situation["basis"], situation["marks"]) == ("petition_opinion", "条例35条", [])


@pytest.mark.parametrize(
    ("events", "at", "said"),
    [
        ({"accepted": "2026-03-01"}, "body/events/accepted", "早于收到信访事项之日"),
        ({"accepted": "3月4日"}, "body/events/accepted", "受理之日须写成"),
        ({"opinion_received": "2026-02-30"}, "body/events/opinion_received", "收到处理意见书之日须写成"),
        ({"张三的生日": "2026-03-04"}, "body/events", "不认识的日期名称"),
        ({"received": "2026-03-04"}, "body/events", "不认识的日期名称"),
    ],
)
def test_days_that_cannot_be_are_refused_in_chinese(
    clerk: TestClient, events: dict[str, str], at: str, said: str
) -> None:
    response = clerk.post("/v1/assess", json={"text": TEXT, "received_on": "2026-03-02", "events": events})
    assert response.status_code == 422
    problem = response.json()
    assert (problem["code"], problem["errors"][0]["at"]) == ("event_days_wrong", at)
    assert said in problem["detail"]
    assert "张三" not in response.text


def test_today_is_the_day_in_china(clerk: TestClient, clock: Any) -> None:
    clock.advance(hours=16)  # 17:00 UTC is past midnight in China
    clocks = {found["code"]: found for found in assess(clerk)["law"]["clocks"]}
    assert clocks["dept_register_handle"]["starts_on"] == "2026-03-03"


def test_what_the_form_knows_is_not_asked_for(clerk: TestClient) -> None:
    asked = {item["code"]: item["question"] for item in assess(clerk)["law"]["missing"]}
    assert {"name", "contact"}.isdisjoint(asked)  # masked, but there
    assert asked["id_number"].endswith(("。", "？"))
    known = assess(clerk, known=["id_number"])["law"]["missing"]
    assert {item["code"] for item in known} == asked.keys() - {"id_number"}


def test_the_transfer_level_is_proposed_with_reasons(clerk: TestClient) -> None:
    major = assess(clerk)["law"]["transfer"]
    assert (major["name"], major["certainty"], major["marks"]) == ("重大疑难复", "local", ["本地做法"])
    assert any("8人" in reason for reason in major["reasons"])
    lamp = {"title": "", "text": "白水镇白水村村口路灯坏了两个月，晚上看不见路，请尽快修好。"}
    again = assess(clerk, **lamp, n_times=2, previous_closed=True)["law"]["transfer"]
    assert again["name"] == "初转重"
    assert assess(clerk, **lamp, n_times=2)["law"]["transfer"]["name"] == "一般"


@pytest.mark.parametrize(
    "wrong",
    [
        {"received_on": 20260302},
        {"received_on": "2026-03-02T10:00:00"},
        {"received_on": "9999-12-31"},
        {"received_on": "2026-02-30"},
        {"receiver": "court"},
        {"n_times": 0},
        {"n_times": "2"},
        {"previous_closed": "yes"},
        {"known": ["张三的秘密"]},
        {"text": "x\0y"},
        {"mystery": 1},
    ],
)
def test_what_is_not_allowed_is_refused_without_being_quoted(clerk: TestClient, wrong: dict[str, Any]) -> None:
    response = clerk.post("/v1/assess", json={"text": TEXT, **wrong})
    assert response.status_code == 422, response.text
    assert response.json()["errors"]
    assert "张三" not in response.text


def test_an_empty_text_is_refused_as_by_classify(clerk: TestClient) -> None:
    response = clerk.post("/v1/assess", json={"text": " "})
    assert (response.status_code, response.json()["code"]) == (422, "text_not_judgeable")


def test_assessing_keeps_nothing(office: Any, clerk: TestClient) -> None:
    assess(clerk)
    with office.context.store.read() as session:
        assert session.scalars(select(PetitionRow)).first() is None
        assert "张三" not in json.dumps([row.detail for row in session.scalars(select(AuditRow))], ensure_ascii=False)


def test_knowledge_is_summed_up(clerk: TestClient) -> None:
    told, knowledge = clerk.get("/v1/knowledge").json(), load_knowledge()
    assert told["n_entries"]["deadlines"] == len(knowledge.deadlines)
    assert sum(told["n_by_certainty"].values()) == sum(told["n_entries"].values())
    assert told["doubts"] == list(knowledge.about.doubts)


@pytest.mark.parametrize("code", NOTICES)
def test_every_letter_is_drafted_as_html_with_its_blanks(clerk: TestClient, code: str) -> None:
    options = [{"channel": code, "name": code, "basis": "条例31条", "certainty": "verified"} for code in ("a", "b")]
    body = {"number": "甲001", "handler": "<b>青石县</b>", "received_on": "2026-03-02", "decision": DECISION}
    body |= {"options": options}
    answer = clerk.post(f"/v1/notices/{code}", json=body).json()
    assert answer["code"] == code
    assert "草稿" in answer["html"]
    assert "<b>青石县</b>" not in answer["html"]
    assert bool(answer["blanks"]) == (BLANK in answer["html"])


def test_letters_follow_the_templates_of_the_office(open_office: Any, tmp_path: Path) -> None:
    (tmp_path / "notice_accept.yaml").write_text("name: 受理单\nblocks:\n- title: 我县的受理单 {{ number }}\n", "utf-8")
    clerk = open_office(notice_templates=tmp_path).enter("clerk")
    own = clerk.post("/v1/notices/notice_accept", json={"number": "甲001"}).json()
    assert own["title"] == "受理单"
    assert "我县的受理单 甲001" in own["html"]
    assert clerk.post("/v1/notices/notice_transfer", json={}).json()["title"] == "信访事项转送（交办）告知单"


def test_a_letter_comes_as_docx_where_that_is_asked_for(clerk: TestClient) -> None:
    response = clerk.post("/v1/notices/notice_accept", json={"number": "甲001"}, headers={"Accept": DOCX})
    assert response.headers["content-type"] == DOCX
    assert "attachment" in response.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(response.content)) as packed:
        assert "甲001" in packed.read("word/document.xml").decode()


def test_turning_away_needs_the_decision_of_a_person(office: Any, clerk: TestClient) -> None:
    path = "/v1/notices/notice_not_accept"
    refused = clerk.post(path, json={})
    assert (refused.status_code, refused.json()["code"]) == (422, "decision_required")
    assert "决定人" in refused.json()["detail"]
    nobody = clerk.post(path, json={"decision": DECISION | {"decided_by": " "}})
    assert nobody.status_code == 422
    assert "决定人" in nobody.json()["detail"]
    assert not audited(office)
    drafted = clerk.post(path, json={"decision": DECISION}).json()
    assert "条例第19条第3款" in drafted["html"]


def test_one_open_channel_makes_no_letter_of_choice(office: Any, clerk: TestClient) -> None:
    refused = clerk.post("/v1/notices/notice_choice", json={})
    assert refused.status_code == 422
    assert "不足两条" in refused.json()["detail"]
    assert not audited(office)


ACCUSED = "举报青石县教育局局长收受红包。"


def test_the_recipient_of_an_accusation_is_checked(clerk: TestClient) -> None:
    body = {"handler": "县教育局", "appeals": [ACCUSED]}
    plain = clerk.post("/v1/notices/notice_transfer", json=body).json()
    assert "应另用检举控告转送告知单" in plain["warnings"][0]
    own = clerk.post("/v1/notices/notice_transfer_accusation", json=body).json()
    assert any("可能就是被检举人所在单位" in warning for warning in own["warnings"])
    assert "收受红包" not in own["html"]
    lamp = clerk.post("/v1/notices/notice_transfer", json={"handler": "县教育局", "appeals": ["请修校门口的路灯"]})
    assert lamp.json()["warnings"] == []


def test_only_that_a_letter_was_drafted_is_on_record(office: Any, clerk: TestClient) -> None:
    kept = office.submit(TEXT)
    body = {"petition": kept["id"], "petitioner": "张三", "handler": "某局", "decision": DECISION}
    assert clerk.post("/v1/notices/notice_not_accept", json=body).status_code == 200
    (line,) = audited(office)
    assert (line.subject, line.detail["notice"], line.detail["format"]) == (
        f"petition:{kept['id']}", "notice_not_accept", "html",
    )  # fmt: skip
    assert set(line.detail) == {"notice", "format", "n_blanks"}
    history = clerk.get(f"/v1/petitions/{kept['id']}/history").json()["items"]
    assert history[-1]["action"] == "notice.drafted"


def test_a_petition_that_is_not_there_gets_no_letter(office: Any, clerk: TestClient) -> None:
    assert clerk.post("/v1/notices/notice_accept", json={"petition": "P000000-0000000000"}).status_code == 404
    assert not audited(office)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("", ""),
        ("text/html", ""),
        (f"{DOCX}, */*;q=0.1", DOCX),
        (f"{DOCX};q=0.5, application/json", "application/json"),
        (f"{DOCX};q=0", ""),
        (f"{DOCX};q=x", ""),
        (DOCX.upper(), DOCX),
    ],
)
def test_the_form_follows_the_accept_header(clerk: TestClient, accept: str, kind: str) -> None:
    response = clerk.post("/v1/notices/notice_accept", json={}, headers={"Accept": accept})
    if kind:
        assert wanted(accept) == response.headers["content-type"] == kind
    else:
        assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")
