"""The desk on the bundled model: what must hold whatever that model has learnt."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from nlp.petition import HEADS
from serving.app import create_app
from serving.roles import COMMAND_LINE
from serving.store import accounts

SMOKE = "我们小区东门外的烧烤店每晚油烟直排，噪声到凌晨两点，向街道反映过一次没有结果，请依法查处。"
DESPAIR = "我叫张三，电话13800138000。拆迁补偿拖了三年没人管，再不解决我就不想活了，准备从楼上跳下去。"


@pytest.fixture
def office(
    serve: Callable[..., TestClient], make_settings: Callable[..., Any], make_office: Any, router: Any, clock: Any
) -> Any:
    return make_office(serve(app=create_app(make_settings(), router, now=clock)))


def test_an_answer_is_complete_and_in_the_labels_that_serve(office: Any) -> None:
    clerk = office.enter("clerk")
    answer = clerk.post("/v1/classify", json={"text": SMOKE, "title": "油烟扰民"}).json()["answer"]
    heads = clerk.get("/v1/taxonomy").json()["heads"]
    for head in HEADS:
        found = answer["predictions"][head]
        known = {label["code"]: label["name"] for label in heads[head]}
        assert known[found["code"]] == found["name"]
        assert 0 < found["confidence"] <= 1
    content = f"油烟扰民\n{SMOKE}"
    assert all(0 <= e["span"][0] < e["span"][1] <= len(content) for e in answer["evidence"])
    assert answer["bundle_id"] == clerk.get("/v1/model").json()["bundle_id"]
    assert answer["decision"]["action"] in {"auto", "review"}
    assert bool(answer["decision"]["reasons"]) == (answer["decision"]["action"] == "review")


def test_many_get_what_each_gets_alone(office: Any) -> None:
    clerk = office.enter("clerk")
    texts = [SMOKE, "请问办理居住证需要哪些材料？", DESPAIR, " "]
    together = clerk.post("/v1/classify", json={"items": [{"text": text} for text in texts]}).json()["items"]
    for text, item in zip(texts[:3], together, strict=False):
        assert item["suggestion"]["answer"] == clerk.post("/v1/classify", json={"text": text}).json()["answer"]
    assert together[3]["suggestion"] is None
    assert together[3]["error"]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_danger_to_life_is_queued_first_masked_and_decided_by_a_person(office: Any) -> None:
    office.submit(SMOKE)
    urgent = office.submit(DESPAIR)
    assert (urgent["state"], urgent["queue"], urgent["level"]) == ("queued", "must_review", "S")
    stored = json.dumps(urgent, ensure_ascii=False)
    assert "13800138000" not in stored
    assert "张三" not in stored
    for chip in urgent["redactions"]:
        assert urgent["content"][slice(*chip["span"])] == f"[{chip['kind']}]"
    clerk = office.enter("clerk")
    held = clerk.post("/v1/claims", json={}).json()["petition"]
    assert held["id"] == urgent["id"]
    code = held["answer"]["predictions"]["department"]["code"]
    other = next(unit for unit in ("public_security", "civil_affairs") if unit != code)
    body = {"labels": {"department": other}, "reasons": {"department": "local_rule"}}
    decided = office.decide(held, clerk, action="correct", **body).json()
    assert (decided["state"], decided["labels"]["department"]) == ("decided", other)
    (row,) = office.enter("maintainer").get("/v1/export").text.splitlines()
    assert json.loads(row)["suggested_department"] == code


def test_the_pages_show_a_petition_judged_by_it(office: Any) -> None:
    urgent = office.submit(DESPAIR)
    with office.context.store.write() as session:
        _, password = accounts.create(
            session, name="chief", display_name="", role="admin", actor=COMMAND_LINE, now=office.context.now()
        )
    browser = office.client
    csrf = browser.post("/v1/session", json={"name": "chief", "password": password}).json()["csrf"]
    browser.headers["X-CSRF-Token"] = csrf
    browser.put("/v1/session/password", json={"old": password, "new": "correct-horse-battery"})
    browser.headers["accept"] = "text/html"
    for path in ("/", "/queues", "/search", "/statistics", "/model", f"/petitions/{urgent['id']}"):
        page = browser.get(path)
        assert page.status_code == 200, path
        assert "13800138000" not in page.text
    assert urgent["id"] in browser.get("/queues").text
    bribes, lamps = "1、教育局局长收受贿赂，请纪委查处。", "2、小区门口的路灯坏了三个月没有人修理，请城管修复。"
    several = office.submit(f"我叫张三，电话13800138000。{bribes}{lamps}")
    spans = [several["content"][slice(*span)] for appeal in several["answer"]["appeals"] for span in appeal["spans"]]
    assert "".join(spans) == several["content"]  # moved into the masked text
    for page in (
        browser.get(f"/petitions/{several['id']}").text,
        browser.post("/desk/trial", json={"text": bribes + lamps}).text,
    ):
        for expected in ("检举控告，单独办理", "单独登记、单独转送", "可能部门", "建议主办", "都不得是被检举的单位"):
            assert expected in page
    review = browser.post("/desk/trial", json={"text": "多次反映多年无果，收到信访处理意见书，不服，要求复查。"}).text
    assert "信访积案" in review
    assert "已有信访处理意见" in review.split("法律与办理")[0]  # what is no flag is told beside the flags
    trial = browser.post("/desk/trial", json={"text": SMOKE})
    assert trial.status_code == 200
    assert "烧烤店" in trial.text
