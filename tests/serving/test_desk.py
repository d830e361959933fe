"""The desk's work through the API, on both databases: submit, claim, decide, undo, follow, export, count."""

import csv
import io
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from nlp.petition import HEADS

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)

AUTO = "楼下烧烤店油烟直排，请查处。"
DOUBT = "部门存疑楼下烧烤店油烟直排"
PHONE = "13800138000"
LABELS = {
    "category_l1": "环境保护",
    "category_l2": "环境保护/环境污染",
    "nature": "request",
    "channel": "statutory_duty",
    "department": "ecology_environment",
}


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    body: dict[str, Any] = response.json()
    return body


def test_what_needs_nobody_is_accepted_and_the_rest_waits_in_its_queue(office: Any) -> None:
    assert office.submit(AUTO)["state"] == "auto_accepted"
    accepted = office.submit(AUTO)
    assert accepted["review"]["actor"] == "machine"
    assert accepted["review"]["labels"]["department"] == "urban_management"
    waiting = office.submit(DOUBT, title="油烟", external_id="热线-1", source="phone")
    assert (waiting["state"], waiting["queue"], waiting["review"]) == ("queued", "department_in_doubt", None)
    assert waiting["content"] == f"油烟\n{DOUBT}"
    assert waiting["content"][: waiting["title_length"]] == "油烟"
    assert (waiting["external_id"], waiting["source"], waiting["days_left"]) == ("热线-1", "phone", 15)


def test_a_case_number_bears_the_day_in_china(office: Any, clock: Any) -> None:
    clock.moment = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert office.submit(AUTO)["id"].startswith("P260302-")
    clock.moment = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
    assert office.submit(AUTO)["id"].startswith("P260303-")


def test_personal_data_is_masked_before_it_is_kept(office: Any) -> None:
    petition = office.submit(f"我的手机是{PHONE}，渠道存疑，楼下油烟很大。")
    assert PHONE not in json.dumps(petition, ensure_ascii=False)
    (chip,) = petition["redactions"]
    start, end = chip["span"]
    assert petition["content"][start:end] == f"[{chip['kind']}]"
    (evidence,) = petition["answer"]["evidence"]
    assert petition["content"][slice(*evidence["span"])] == "油烟"
    office.claim(petition["id"], clerk := office.enter("clerk"))
    petition = clerk.get(f"/v1/petitions/{petition['id']}").json()
    decided = office.decide(petition, clerk, action="accept", note=f"已电话联系{PHONE}").json()
    assert PHONE not in decided["review"]["note"]


def test_the_same_key_twice_gives_the_same_answer_and_one_petition(office: Any) -> None:
    service = office.enter("service")
    headers = {"Idempotency-Key": "12345678-a"}
    first = service.post("/v1/petitions", json={"text": DOUBT}, headers=headers)
    again = service.post("/v1/petitions", json={"text": DOUBT}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert first.headers["etag"] == again.headers["etag"] == '"1"'
    other = service.post("/v1/petitions", json={"text": AUTO}, headers=headers)
    problem(other, 422, "idempotency_key_reused")
    assert len(service.get("/v1/petitions").json()["items"]) == 1
    someone_else = office.enter("service").post("/v1/petitions", json={"text": AUTO}, headers=headers)
    assert someone_else.json()["id"] != first.json()["id"]
    assert service.post("/v1/petitions", json={"text": AUTO}).status_code == 422


def test_a_service_sees_what_it_submitted_and_nothing_else(office: Any) -> None:
    one, two = office.enter("service"), office.enter("service")
    mine = office.submit(DOUBT, by=one)
    assert one.get(f"/v1/petitions/{mine['id']}").status_code == 200
    problem(two.get(f"/v1/petitions/{mine['id']}"), 404, "no_petition")
    problem(two.get(f"/v1/petitions/{mine['id']}/history"), 404, "no_petition")
    assert two.get("/v1/petitions").json()["items"] == []


def test_the_next_item_comes_by_level_then_time_then_uncertainty(office: Any, clock: Any) -> None:
    office.submit(DOUBT)
    clock.advance(hours=1)
    urgent = office.submit("有人想不开，部门存疑")
    group = office.submit("联名反映油烟")
    clerk = office.enter("clerk")
    order = [clerk.post("/v1/claims", json={}).json()["petition"]["id"] for _ in range(2)]
    assert order == [urgent["id"], group["id"]]
    assert urgent["queue"] == "must_review"
    assert (urgent["level"], group["level"]) == ("S", "A")
    third = clerk.post("/v1/claims", json={"queue": "department_in_doubt"}).json()["petition"]
    assert third["content"] == DOUBT
    assert clerk.post("/v1/claims", json={}).json() == {"petition": None}


def test_two_clerks_never_hold_the_same_item_and_the_second_is_told(office: Any, clock: Any) -> None:
    petition = office.submit(DOUBT)
    one, two = office.enter("clerk", name="甲"), office.enter("clerk", name="乙")
    held = office.claim(petition["id"], one)
    assert held["claim"]["mine"] is True
    refused = problem(two.post(f"/v1/petitions/{petition['id']}/claim"), 409, "held_by_another")
    assert refused["holder"] == "甲"
    seen = two.get(f"/v1/petitions/{petition['id']}").json()["claim"]
    assert (seen["holder"], seen["mine"], seen["id"]) == ("甲", False, None)
    problem(office.decide(held, two, action="accept"), 409, "held_by_another")
    clock.advance(minutes=14)
    claim_id = held["claim"]["id"]
    assert one.post(f"/v1/claims/{claim_id}/heartbeat").status_code == 200
    problem(two.post(f"/v1/claims/{claim_id}/heartbeat"), 404, "no_claim")
    clock.advance(minutes=14)
    problem(two.post(f"/v1/petitions/{petition['id']}/claim"), 409, "held_by_another")
    clock.advance(minutes=2)
    taken = office.claim(petition["id"], two)
    late = problem(office.decide(held, one, action="accept"), 409, "changed_meanwhile")
    assert [change["action"] for change in late["changes"]] == ["petition.claimed"]
    assert late["current"]["version"] == taken["version"]
    lost = problem(one.post(f"/v1/claims/{claim_id}/heartbeat"), 409, "claim_lost")
    assert lost["ended"] == "expired"


def test_release_and_force_release_put_an_item_back_on_record(office: Any) -> None:
    petition = office.submit(DOUBT)
    clerk, reviewer = office.enter("clerk"), office.enter("reviewer", name="审核员丙")
    held = office.claim(petition["id"], clerk)
    assert clerk.delete(f"/v1/claims/{held['claim']['id']}").status_code == 204
    problem(clerk.delete(f"/v1/claims/{held['claim']['id']}"), 409, "claim_lost")
    url = f"/v1/petitions/{petition['id']}/force-release"
    problem(reviewer.post(url, json={"reason": "经办人休假"}), 409, "not_held")
    office.claim(petition["id"], clerk)
    problem(clerk.post(url, json={"reason": "经办人休假"}), 403, "forbidden")
    assert reviewer.post(url, json={"reason": "经办人休假"}).json()["claim"] is None
    events = reviewer.get(f"/v1/petitions/{petition['id']}/history").json()["items"]
    assert [e["action"].split(".")[1] for e in events] == [
        "submitted", "claimed", "released", "claimed", "force_released",
    ]  # fmt: skip
    assert (events[-1]["actor_name"], events[-1]["detail"]["reason"]) == ("审核员丙", "经办人休假")


def test_a_correction_needs_a_reason_and_becomes_the_standing_label(office: Any) -> None:
    petition = office.submit(DOUBT)
    clerk = office.enter("clerk")
    problem(office.decide(petition, clerk, action="accept"), 409, "not_claimed")
    held = office.claim(petition["id"], clerk)
    change = {"labels": {"department": "ecology_environment"}}
    problem(office.decide(held, clerk, action="correct", **change), 422, "reason_missing")
    problem(office.decide(held, clerk, action="correct"), 422, "nothing_corrected")
    problem(office.decide(held, clerk, action="accept", **change), 422, "labels_do_not_fit")
    reasons = {"department": "local_rule"}
    decided = office.decide(held, clerk, action="correct", reasons=reasons, **change)
    assert decided.headers["etag"] == f'"{held["version"] + 1}"'
    body = decided.json()
    assert (body["state"], body["labels"]["department"]) == ("decided", "ecology_environment")
    assert body["answer"]["predictions"]["department"]["code"] == "urban_management"
    found = clerk.get("/v1/petitions", params={"department": "ecology_environment"}).json()["items"]
    assert [item["id"] for item in found] == [petition["id"]]


@pytest.mark.parametrize(
    ("labels", "rule"),
    [
        ({"department": "nobody"}, "unknown_code"),
        ({"category_l1": "城乡建设", "category_l2": "环境保护/环境污染"}, "wrong_parent"),
        ({"category_l1": "城乡建设"}, "wrong_parent"),
    ],
)
def test_labels_that_do_not_exist_or_do_not_fit_are_refused(office: Any, labels: dict[str, str], rule: str) -> None:
    petition = office.submit(DOUBT)
    clerk = office.enter("clerk")
    held = office.claim(petition["id"], clerk)
    reasons = dict.fromkeys(labels, "other")
    refused = problem(
        office.decide(held, clerk, action="correct", labels=labels, reasons=reasons), 422, "unknown_label"
    )
    assert {fault["rule"] for fault in refused["errors"]} == {rule}
    assert clerk.get(f"/v1/petitions/{petition['id']}").json()["state"] == "queued"


def test_send_back_out_of_scope_and_several_appeals(office: Any) -> None:
    clerk = office.enter("clerk")
    for action, state in (("send_back", "sent_back"), ("out_of_scope", "out_of_scope")):
        held = office.claim(office.submit(DOUBT)["id"], clerk)
        assert office.decide(held, clerk, action=action, note="请补充地点").json()["state"] == state
    held = office.claim(office.submit("多个诉求：油烟和欠薪")["id"], clerk)
    problem(office.decide(held, clerk, action="several_appeals", appeals=[LABELS]), 422, "appeals_do_not_fit")
    second = LABELS | {"department": "urban_management"}
    decided = office.decide(held, clerk, action="several_appeals", appeals=[LABELS, second]).json()
    assert decided["labels"] == LABELS
    assert decided["review"]["appeals"] == [LABELS, second]
    (row,) = map(json.loads, office.enter("maintainer").get("/v1/export").text.splitlines())
    assert row["corrections"] == {"department": "several_appeals"}


def test_writes_name_the_version_they_are_based_on(office: Any) -> None:
    petition = office.submit(DOUBT)
    clerk = office.enter("clerk")
    office.claim(petition["id"], clerk)
    url = f"/v1/petitions/{petition['id']}/decision"
    problem(clerk.post(url, json={"action": "accept"}), 428, "if_match_required")
    for bad in ("*", "2", '"x"', 'W/"2"', '"99"'):
        response = clerk.post(url, json={"action": "accept"}, headers={"If-Match": bad})
        problem(response, 412, "unknown_version")
    late = problem(office.decide(petition, clerk, action="accept"), 409, "changed_meanwhile")
    assert late["current"]["state"] == "queued"


def test_a_decision_can_be_undone_within_the_claim(office: Any) -> None:
    clerk = office.enter("clerk")
    held = office.claim(office.submit(DOUBT)["id"], clerk)
    reasons, labels = {"department": "other"}, {"department": "ecology_environment"}
    decided = office.decide(held, clerk, action="correct", labels=labels, reasons=reasons).json()
    url = f"/v1/petitions/{held['id']}/decision"
    undone = clerk.delete(url, headers={"If-Match": f'"{decided["version"]}"'}).json()
    assert (undone["state"], undone["review"]) == ("queued", None)
    assert undone["labels"]["department"] == "urban_management"
    again = clerk.delete(url, headers={"If-Match": f'"{undone["version"]}"'})
    problem(again, 409, "nothing_to_undo")
    final = office.decide(undone, clerk, action="accept").json()
    clerk.delete(f"/v1/claims/{held['claim']['id']}")
    gone = clerk.delete(url, headers={"If-Match": f'"{final["version"] + 1}"'})
    problem(gone, 409, "not_claimed")


def test_accepting_after_a_correction_goes_back_to_the_suggestion(office: Any) -> None:
    clerk = office.enter("clerk")
    held = office.claim(office.submit(DOUBT)["id"], clerk)
    reasons, labels = {"department": "local_rule"}, {"department": "ecology_environment"}
    corrected = office.decide(held, clerk, action="correct", labels=labels, reasons=reasons).json()
    accepted = office.decide(corrected, clerk, action="accept").json()
    assert accepted["labels"]["department"] == accepted["review"]["labels"]["department"] == "urban_management"
    (row,) = map(json.loads, office.enter("maintainer").get("/v1/export").text.splitlines())
    assert (row["department"], row["corrections"]) == ("urban_management", {})


def test_the_departments_that_assist_stand_until_the_suggestion_is_accepted(office: Any) -> None:
    first, second = office.enter("clerk"), office.enter("clerk")
    held = office.claim(office.submit(DOUBT)["id"], first)
    office.decide(held, first, action="correct", co_departments=["public_security"])
    first.delete(f"/v1/claims/{held['claim']['id']}")
    held = office.claim(held["id"], second)
    change = {"labels": {"nature": "consultation"}, "reasons": {"nature": "other"}}
    corrected = office.decide(held, second, action="correct", **change).json()
    assert corrected["review"]["co_departments"] == ["public_security"]
    assert office.decide(corrected, second, action="accept").json()["review"]["co_departments"] == []


def test_blind_review_hides_the_suggestion_until_the_reviewer_has_decided(
    open_office: Callable[..., Any],
) -> None:
    office = open_office(audit_share=1.0)
    submitter = office.enter("reviewer")
    petition = office.submit(AUTO, by=submitter)
    assert (petition["queue"], petition["answer"], petition["labels"]) == ("audit_sample", None, None)
    clerk, reviewer = office.enter("clerk"), office.enter("reviewer")
    url = f"/v1/petitions/{petition['id']}"
    for reader in (clerk, reviewer, office.enter("admin")):
        shown = json.dumps([reader.get(url).json(), reader.get("/v1/petitions").json()])
        assert "urban_management" not in shown
        assert "0.96" not in shown
    found = reviewer.get("/v1/petitions", params={"department": "urban_management"}).json()["items"]
    assert found == []
    assert clerk.post("/v1/claims", json={}).json()["petition"] is None
    problem(clerk.post(f"{url}/claim"), 403, "blind_review")
    assert submitter.post("/v1/claims", json={}).json()["petition"] is None
    held = reviewer.post("/v1/claims", json={"queue": "audit_sample"}).json()["petition"]
    assert held["answer"] is None
    problem(office.decide(held, reviewer, action="accept"), 422, "blind_needs_labels")
    partial = {"labels": {"department": "urban_management"}}
    problem(office.decide(held, reviewer, action="correct", **partial), 422, "blind_needs_labels")
    decided = office.decide(held, reviewer, action="correct", labels=LABELS).json()
    assert decided["answer"]["predictions"]["department"]["code"] == "urban_management"
    assert decided["review"]["blind"] is True
    undo = reviewer.delete(f"{url}/decision", headers={"If-Match": f'"{decided["version"]}"'})
    problem(undo, 409, "blind_is_final")
    error = reviewer.get("/v1/statistics").json()["audit_error"]
    assert (error["department"]["part"], error["department"]["whole"]) == (1, 1)
    assert (error["channel"]["part"], error["any"]["part"]) == (0, 1)


def test_lists_are_filtered_and_paged_without_gaps(office: Any, clock: Any) -> None:
    ids = []
    for number in range(7):
        clock.advance(seconds=number % 2)
        ids.append(office.submit(f"{DOUBT}第{number}号100%_真")["id"])
    office.submit(AUTO)
    clerk = office.enter("clerk")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": 3, "cursor": cursor, "state": "queued"}
        page = clerk.get("/v1/petitions", params=query).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(ids)
    assert len(seen) == 7
    for query, count in (("第3号", 1), ("烧烤 第3号", 1), ("%", 7), ("_真", 7), ("第_号", 0), ("' OR 1=1 --", 0)):
        found = clerk.get("/v1/petitions", params={"q": query}).json()["items"]
        assert len(found) == count, query
    problem(clerk.get("/v1/petitions", params={"cursor": "eA=="}), 422, "bad_cursor")
    claimed = clerk.post("/v1/claims", json={}).json()["petition"]["id"]
    mine = clerk.get("/v1/petitions", params={"mine": "true"}).json()["items"]
    assert [item["id"] for item in mine] == [claimed]


def test_nobody_hoards_items(open_office: Callable[..., Any]) -> None:
    office = open_office(max_claims=2)
    for _ in range(3):
        office.submit(DOUBT)
    clerk = office.enter("clerk")
    for _ in range(2):
        assert clerk.post("/v1/claims", json={}).json()["petition"]
    problem(clerk.post("/v1/claims", json={}), 409, "too_many_claims")
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    refused = clerk.post("/v1/petitions", json={"text": DOUBT, "claim": True}, headers=headers)
    problem(refused, 409, "too_many_claims")
    assert len(clerk.get("/v1/petitions").json()["items"]) == 3


def test_submitting_at_the_desk_can_take_the_item_at_once(office: Any) -> None:
    clerk = office.enter("clerk")
    petition = office.submit(DOUBT, by=clerk, claim=True)
    assert petition["claim"]["mine"]
    assert office.decide(petition, clerk, action="accept").json()["state"] == "decided"
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    refused = office.enter("service").post("/v1/petitions", json={"text": "x", "claim": True}, headers=headers)
    problem(refused, 403, "forbidden")


def test_an_automatic_acceptance_can_be_corrected_later(office: Any) -> None:
    clerk = office.enter("clerk")
    held = office.claim(office.submit(AUTO)["id"], clerk)
    labels, reasons = {"department": "ecology_environment"}, {"department": "wrong_boundary"}
    decided = office.decide(held, clerk, action="correct", labels=labels, reasons=reasons).json()
    assert decided["labels"]["department"] == "ecology_environment"


def test_export_holds_what_people_decided_and_is_inert_in_a_spreadsheet(office: Any) -> None:
    clerk, maintainer = office.enter("clerk"), office.enter("maintainer")
    office.submit(AUTO)
    for text in (DOUBT, "=HYPERLINK(A1)部门存疑"):
        held = office.claim(office.submit(text)["id"], clerk)
        labels, reasons = {"department": "ecology_environment"}, {"department": "local_rule"}
        office.decide(held, clerk, action="correct", labels=labels, reasons=reasons)
    held = office.claim(office.submit(DOUBT)["id"], clerk)
    office.decide(held, clerk, action="out_of_scope")
    rows = [json.loads(line) for line in maintainer.get("/v1/export").text.splitlines()]
    assert [row["text"] for row in rows] == [DOUBT, "=HYPERLINK(A1)部门存疑"]
    assert rows[0]["department"] == "ecology_environment"
    assert rows[0]["suggested_department"] == "urban_management"
    assert rows[0]["corrections"] == {"department": "local_rule"}
    table = maintainer.get("/v1/export", params={"format": "csv"}).text
    cells = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    assert cells[1]["text"].startswith("'=HYPERLINK")
    for bad in ("../../etc/passwd", "xlsx"):
        assert maintainer.get("/v1/export", params={"format": bad}).status_code == 422


def test_queues_and_statistics_count_what_happened(office: Any, clock: Any) -> None:
    clerk, reviewer = office.enter("clerk"), office.enter("reviewer")
    office.submit("想不开")
    office.submit("渠道存疑")
    office.submit(AUTO)
    held = office.claim(office.submit(DOUBT)["id"], clerk)
    labels, reasons = {"department": "ecology_environment"}, {"department": "local_rule"}
    office.decide(held, clerk, action="correct", labels=labels, reasons=reasons)
    clock.advance(days=16)
    queues = {queue["queue"]: queue for queue in clerk.get("/v1/queues").json()["items"]}
    assert queues["must_review"]["levels"] == {"S": 1, "A": 0, "B": 0, "none": 0}
    assert queues["channel_in_doubt"]["waiting"] == 1
    assert queues["department_in_doubt"]["waiting"] == 0
    found = reviewer.get("/v1/statistics").json()
    assert found["by_day"] == {"2026-03-02": 4}
    assert found["by_state"] == {"auto_accepted": 1, "decided": 1, "queued": 2}
    assert (found["automatic"]["part"], found["automatic"]["whole"]) == (1, 4)
    assert (found["corrected"]["department"]["part"], found["corrected"]["department"]["whole"]) == (1, 1)
    assert found["confusion"]["department"] == [
        {"suggested": "urban_management", "final": "ecology_environment", "count": 1}
    ]
    assert found["overdue"] == 2
    assert found["open_ages"][">15"] == 2
    assert set(found["corrected"]) == {*HEADS, "any"}


def test_statistics_count_the_decision_that_stands(office: Any) -> None:
    clerk, reviewer = office.enter("clerk"), office.enter("reviewer")

    def correct(petition: dict[str, Any], **labels: str) -> dict[str, Any]:
        reasons = dict.fromkeys(labels, "wrong_boundary")
        decided: dict[str, Any] = office.decide(
            petition, clerk, action="correct", labels=labels, reasons=reasons
        ).json()
        return decided

    def counted() -> tuple[int, int, dict[str, int]]:
        found = reviewer.get("/v1/statistics").json()
        differing = {head: sum(pair["count"] for pair in pairs) for head, pairs in found["confusion"].items() if pairs}
        return found["corrected"]["any"]["part"], found["corrected"]["any"]["whole"], differing

    once = correct(office.claim(office.submit(DOUBT)["id"], clerk), department="ecology_environment")
    assert counted() == (1, 1, {"department": 1})
    twice = correct(once, department="ecology_environment", nature="consultation")
    assert counted() == (1, 1, {"department": 1, "nature": 1})
    back = correct(twice, department="urban_management", nature="request")
    assert counted() == (0, 1, {})
    assert office.decide(back, clerk, action="out_of_scope").status_code == 200
    assert counted() == (0, 0, {})


def test_an_open_decision_later_leaves_what_the_blind_review_measured(open_office: Callable[..., Any]) -> None:
    office = open_office(audit_share=1.0)
    reviewer = office.enter("reviewer")
    held = office.claim(office.submit(AUTO)["id"], reviewer)
    blind = office.decide(held, reviewer, action="correct", labels=LABELS).json()
    assert office.decide(blind, reviewer, action="accept").status_code == 200
    found = reviewer.get("/v1/statistics").json()
    assert (found["audit_error"]["any"]["part"], found["audit_error"]["any"]["whole"]) == (1, 1)
    assert (found["corrected"]["any"]["part"], found["corrected"]["any"]["whole"]) == (0, 1)
    assert found["confusion"]["department"] == []


def test_originals_are_not_kept_unless_the_office_says_so(open_office: Callable[..., Any]) -> None:
    from cryptography.fernet import Fernet

    text = f"电话{PHONE}，部门存疑"
    reviewer = (office := open_office()).enter("reviewer")
    petition = office.submit(text)
    problem(reviewer.get(f"/v1/petitions/{petition['id']}/original"), 404, "no_original")
    office = open_office(keep_original=True, original_key=Fernet.generate_key().decode())
    petition = office.submit(text)
    reviewer = office.enter("reviewer")
    problem(office.enter("clerk").get(f"/v1/petitions/{petition['id']}/original"), 403, "forbidden")
    assert reviewer.get(f"/v1/petitions/{petition['id']}/original").json()["content"] == text
    events = reviewer.get(f"/v1/petitions/{petition['id']}/history").json()["items"]
    assert events[-1]["action"] == "petition.original_read"
