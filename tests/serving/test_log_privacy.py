"""No log line holds what a person wrote: the whole way of a petition, and every way it can go wrong.

The fixture `_logs_hold_no_content` looks at the lines of every other test in this folder too.
"""

import io
import json
from typing import Any

import pytest
from sqlalchemy import text

from serving.store import audit, retention
from serving.store.schema import Base

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)

SECRET = "张三，身份证110101199003070718，电话13800138000，住幸福路8号"
COMPLAINT = f"我叫{SECRET}，部门存疑，楼下烧烤店油烟很大。"
SECRETS = ("张三", "110101199003070718", "13800138000", "幸福路", "油烟")


def lines_of(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def assert_clean(log: io.StringIO, *events: str) -> None:
    """Every line is JSON, `events` are among them, none holds a secret."""
    assert set(events) <= {line["event"] for line in lines_of(log)}
    assert not [secret for secret in SECRETS if secret in log.getvalue()]


def test_a_petition_goes_all_the_way_without_a_word_of_it_in_the_log(
    office: Any, clock: Any, log_lines: io.StringIO
) -> None:
    clerk, reviewer, admin = office.enter("clerk"), office.enter("reviewer"), office.enter("admin")
    petition = office.submit(COMPLAINT, title=SECRET)
    held = office.claim(petition["id"], clerk)
    reviewer.post(f"/v1/petitions/{petition['id']}/force-release", json={"reason": f"{SECRET}来电"})
    held = office.claim(petition["id"], clerk)
    decided = office.decide(held, clerk, action="out_of_scope", note=COMPLAINT)
    assert decided.status_code == 200
    reader = {"accept": "text/html"}
    for path in ("/v1/petitions", "/search", f"/{SECRET}", f"/v1/petitions/{SECRET[:30]}"):
        clerk.get(path, params={"q": SECRET[:20]}, headers=reader)
    admin.get("/v1/export")
    clerk.post("/v1/classify", json={"items": [{"text": COMPLAINT, "id": SECRET[:20]}]})
    clock.advance(days=40)
    retention.purge(office.context.store, older_than=clock(), actor=audit.MACHINE, now=clock())
    assert_clean(log_lines, "request", "model_ready")
    metrics = admin.get("/metrics").text
    assert not [secret for secret in SECRETS if secret in metrics]


def test_nothing_that_goes_wrong_brings_the_text_into_the_log_or_the_answer(
    office: Any, log_lines: io.StringIO
) -> None:
    clerk = office.enter("clerk")
    key = {"Idempotency-Key": "same-key-1"}
    answers = [
        clerk.post("/v1/petitions", json={"text": COMPLAINT}),
        clerk.post("/v1/petitions", json={"text": [COMPLAINT], SECRET: 1}, headers=key),
        clerk.post("/v1/petitions", content=COMPLAINT.encode(), headers=key | {"content-type": "application/json"}),
        clerk.post("/v1/petitions", json={"text": f"有毒{COMPLAINT}"}, headers=key),
        clerk.post("/v1/session", json={"name": "zhang.san", "password": COMPLAINT}),
        clerk.post("/v1/classify", json={"text": COMPLAINT * 3000}),
        clerk.request("BREW", f"/{SECRET}"),
        clerk.get("/v1/petitions", params={"cursor": SECRET[:20], "state": SECRET}),
    ]
    with office.context.store.write() as session:
        session.execute(text("DROP TABLE idempotency_keys"))
    answers.append(clerk.post("/v1/petitions", json={"text": COMPLAINT}, headers=key))
    assert [answer.status_code for answer in answers] == [422, 422, 422, 500, 401, 422, 404, 422, 500]
    # `instance` is the address that was asked for; everything else is ours to say.
    said = json.dumps([answer.json() | {"instance": ""} for answer in answers], ensure_ascii=False)
    assert not [secret for secret in SECRETS if secret in said]
    assert_clean(log_lines, "judging_failed", "unhandled_error")


def test_what_is_kept_holds_no_personal_data(office: Any) -> None:
    """Roads stay by design (docs/privacy.md): they are where the matter is."""
    clerk = office.enter("clerk")
    held = office.claim(office.submit(COMPLAINT, title=SECRET)["id"], clerk)
    office.decide(held, clerk, action="send_back", note=COMPLAINT)
    with office.context.store.read() as session:
        for table in Base.metadata.sorted_tables:
            rows = json.dumps([list(map(str, row)) for row in session.execute(table.select())], ensure_ascii=False)
            assert not [secret for secret in SECRETS[:3] if secret in rows], table.name
