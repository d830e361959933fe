"""The panel 法律与办理 and the letters drafted from the desk."""

import io
import re
import zipfile
from typing import Any

import pytest
from starlette.testclient import TestClient

from nlp.notices import NOTICES
from serving.roles import COMMAND_LINE, Role
from serving.routes.notices import DOCX
from serving.store import accounts
from serving.web.names import NOTICE_NAMES
from serving.web.rendering import circled

TEXT = (
    "部门存疑。2025年3月至今，青石县宏达建筑公司拖欠工资，要求支付工资。另外，白水镇村口路灯坏了两个月，要求修好路灯。"
)
DECISION = {"decided_by": "李局长", "decided_on": "2026-03-01", "basis": "条例第19条第3款", "reason": "已有复核意见"}


def browse(office: Any, role: Role) -> TestClient:
    """Return a browser in which a person with `role` is signed in."""
    with office.context.store.write() as session:
        _, password = accounts.create(
            session, name=f"my-{role}", display_name="", role=role, actor=COMMAND_LINE, now=office.context.now()
        )
    browser = TestClient(office.client.app, headers={"accept": "text/html"})
    browser.portal = office.client.portal
    csrf = browser.post("/v1/session", json={"name": f"my-{role}", "password": password}).json()["csrf"]
    browser.headers["X-CSRF-Token"] = csrf
    browser.put("/v1/session/password", json={"old": password, "new": "correct-horse-battery"})
    return browser


def test_the_panel_shows_clocks_questions_and_letters(office: Any) -> None:
    kept = office.submit(TEXT)
    page = browse(office, "clerk").get(f"/petitions/{kept['id']}").text
    for expected in ("法律与办理", "2026-03-17", "法定", "条例22条1款", "身份证号", "转办层级建议", "①", "②"):
        assert expected in page
    assert f"/petitions/{kept['id']}/notices/notice_transfer" in page
    assert "notices/notice_not_accept" not in page  # only from a decision that a person writes down


def test_a_reader_who_may_not_draft_gets_no_buttons(office: Any) -> None:
    kept = office.submit(TEXT)
    browser = browse(office, "maintainer")
    assert "您的角色不起草文书" in browser.get(f"/petitions/{kept['id']}").text
    assert browser.get(f"/petitions/{kept['id']}/notices/notice_transfer").status_code == 403


def test_a_blind_review_shows_no_law(open_office: Any) -> None:
    office = open_office(audit_share=1.0)
    kept = office.submit("楼下烧烤店油烟很大，请查处。")
    assert kept["queue"] == "audit_sample"
    assert "法律与办理" not in browse(office, "reviewer").get(f"/petitions/{kept['id']}").text


def test_a_trial_shows_the_law_and_drafts_nothing(office: Any) -> None:
    shown = browse(office, "clerk").post("/desk/trial", json={"text": TEXT}).text
    assert "法律与办理" in shown
    assert "登记之后可以起草" in shown
    assert "/notices/" not in shown


def test_a_letter_opens_as_a_page_that_can_run_nothing(office: Any) -> None:
    kept = office.submit(TEXT)
    page = browse(office, "clerk").get(f"/petitions/{kept['id']}/notices/notice_transfer")
    assert "《信访工作条例》第22条第1款" in page.text
    assert kept["id"] in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_letter_of_a_review_tells_thirty_days_and_never_sixty(office: Any) -> None:
    kept = office.submit("收到信访处理意见书，我不同意，请求复查。")
    browser = browse(office, "clerk")
    page = browser.get(f"/petitions/{kept['id']}").text
    assert "文中写明" in page
    assert "条例35条" in page
    letter = browser.get(f"/petitions/{kept['id']}/notices/notice_accept").text
    assert "自收到复查请求之日起30日" in letter
    assert "60日" not in letter


def test_days_entered_at_the_desk_start_clocks_and_fill_the_letter(office: Any) -> None:
    kept = office.submit("收到信访处理意见书，我不同意，请求复查。")
    browser = browse(office, "clerk")
    path = f"/desk/petitions/{kept['id']}/law"
    days = {"opinion_received": "2026-02-20", "review_requested": "2026-03-02", "accepted": ""}
    panel = browser.get(path, params=days).text
    assert '<time datetime="2026-03-22">' in panel
    assert 'name="opinion_received" type="date" value="2026-02-20"' in panel
    link = f"/petitions/{kept['id']}/notices/notice_accept"
    query = r"\?opinion_received=2026-02-20&(amp;)?review_requested=2026-03-02"
    assert re.search(rf"notices/notice_transfer{query}\"", panel)
    assert "2026年4月1日" in browser.get(link, params=days).text
    refused = browser.get(path, params={"accepted": "2026-03-01"}, headers={"accept": "application/json"})
    assert refused.status_code == 422
    assert "早于收到信访事项之日" in refused.json()["detail"]


def test_turning_away_is_drafted_from_what_a_person_decided(office: Any) -> None:
    kept = office.submit(TEXT)
    clerk = office.enter("clerk")
    refused = browse(office, "clerk").get(f"/petitions/{kept['id']}/notices/notice_not_accept")
    assert refused.status_code == 422
    drafted = clerk.post(f"/desk/petitions/{kept['id']}/turn-away", json=DECISION)
    assert drafted.headers["content-type"] == DOCX
    with zipfile.ZipFile(io.BytesIO(drafted.content)) as packed:
        assert "已有复核意见" in packed.read("word/document.xml").decode()
    history = clerk.get(f"/v1/petitions/{kept['id']}/history")
    assert history.json()["items"][-1]["detail"]["notice"] == "notice_not_accept"
    assert "已有复核意见" not in history.text


WAGES = "青石县宏达建筑公司拖欠工资三个月，请求处理，要求支付工资。"


def correct_channel(office: Any, kept: Any, channel: str) -> None:
    clerk = office.enter("clerk", name="decider")
    held = office.claim(kept["id"], clerk)
    change = {"labels": {"channel": channel}, "reasons": {"channel": "law_or_policy"}}
    decided = office.decide(held, clerk, action="correct", **change)
    assert decided.status_code == 200, decided.text


@pytest.mark.parametrize("corrected", ["", "arbitration"])
def test_a_correction_of_the_channel_loses_no_choice(office: Any, corrected: str) -> None:
    kept = office.submit(WAGES)
    if corrected:
        correct_channel(office, kept, corrected)
    browser = browse(office, "clerk")
    assert "notices/notice_choice" in browser.get(f"/petitions/{kept['id']}").text
    page = browser.get(f"/petitions/{kept['id']}/notices/notice_choice").text
    for expected in ("途径一：", "途径二：", "向谁提出：劳动人事争议仲裁委员会", "《保障农民工工资支付条例》第10条"):
        assert expected in page
    assert "途径三：" not in page


def test_where_one_channel_is_open_there_is_no_letter_of_choice(office: Any) -> None:
    kept = office.submit("村口路灯坏了两个月，要求修好路灯。")
    browser = browse(office, "clerk")
    assert "notices/notice_choice" not in browser.get(f"/petitions/{kept['id']}").text
    refused = browser.get(f"/petitions/{kept['id']}/notices/notice_choice")
    assert refused.status_code == 422
    assert "不足两条" in refused.text


def test_an_accusation_has_its_own_letter_and_its_recipient_is_checked(office: Any) -> None:
    kept = office.submit("举报青石县城管局局长收受红包，要求查处。")
    correct_channel(office, kept, "accusation_handling")
    browser = browse(office, "clerk")
    page = browser.get(f"/petitions/{kept['id']}").text
    assert "notices/notice_transfer_accusation" in page
    assert 'notices/notice_transfer"' not in page
    assert "可能就是被检举人所在单位" in page
    assert browser.get(f"/petitions/{kept['id']}/notices/notice_transfer").status_code == 422
    letter = browser.get(f"/petitions/{kept['id']}/notices/notice_transfer_accusation").text
    assert "《信访工作条例》第30条、第22条末款" in letter
    assert "收受红包" not in letter
    refused = office.enter("clerk", name="api").post(
        "/v1/notices/notice_transfer", json={"petition": kept["id"], "handler": "县城管局"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "letter_of_accusation")


def test_every_letter_has_a_name_in_the_record() -> None:
    assert NOTICE_NAMES.keys() == set(NOTICES)


@pytest.mark.parametrize(("number", "sign"), [(1, "①"), (20, "⑳"), (21, "(21)")])
def test_appeals_are_numbered_with_one_sign(number: int, sign: str) -> None:
    assert circled(number) == sign
