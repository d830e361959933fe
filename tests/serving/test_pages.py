"""Pages without a browser: who may open which, what their pieces hold, what the scripts are given."""

import base64
import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from nlp.taxonomy import load_taxonomy
from serving import proposals
from serving.roles import COMMAND_LINE, PERMISSIONS, Permission, Role
from serving.schemas.suggestion import EvidenceOut, FiringOut, RedactionOut
from serving.store import accounts
from serving.web.markdown import as_html
from serving.web.names import told
from serving.web.passages import around, passages
from serving.web.pinyin import spell
from serving.web.rendering import PLACES, moment, percent
from serving.web.work import basis_of

TAXONOMY = load_taxonomy()
PASSWORD = "long-enough-and-easy"
ROLES: tuple[Role, ...] = ("clerk", "reviewer", "maintainer", "admin")


@pytest.fixture
def enter(office: Any) -> Callable[[Role], TestClient]:
    """Return a function that gives a browser signed in with a role."""

    def signed_in(role: Role) -> TestClient:
        name = f"one.{role}"
        with office.context.store.write() as session:
            user, first = accounts.create(
                session, name=name, display_name=role, role=role, actor=COMMAND_LINE, now=office.context.now()
            )
            accounts.change_password(session, user.id, old=first, new=PASSWORD, keep="", min_chars=10)
        client = TestClient(office.client.app, headers={"accept": "text/html"}, follow_redirects=False)
        client.portal = office.client.portal
        assert client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303
        return client

    return signed_in


@pytest.mark.parametrize("role", ROLES)
def test_every_page_opens_for_its_roles_and_for_no_other(enter: Callable[[Role], TestClient], role: Role) -> None:
    browser = enter(role)
    for place in PLACES:
        permission: Permission = place.permission
        page = browser.get(place.path)
        assert page.status_code == (200 if role in PERMISSIONS[permission] else 403), place
        assert (f'href="{place.path}"' in browser.get("/").text) == (role in PERMISSIONS[permission])


def test_the_model_page_names_the_budget_in_force_and_the_others(
    enter: Callable[[Role], TestClient], classifier: Any
) -> None:
    browser = enter("maintainer")
    page = browser.get("/model").text
    assert "<b>70.0%</b>" in page
    assert "按差错不超过 10% 选定" in page
    assert "差错不超过 5% 时为 85.0%；差错不超过 3% 时没有线" in page
    classifier.thresholds = classifier.thresholds.within(0.05)
    page = browser.get("/model").text
    assert "按差错不超过 5% 选定" in page
    assert "差错不超过 10% 时为 70.0%；" in page
    classifier.thresholds = classifier.thresholds.within(0.03)
    assert "没有一条线能保证差错不超过 3%" in browser.get("/model").text


def test_whoever_is_not_signed_in_is_led_to_the_login_and_back(office: Any) -> None:
    office.client.headers["accept"] = "text/html"
    office.client.follow_redirects = False
    for place in PLACES:
        assert office.client.get(place.path).headers["location"] == f"/login?next={place.path}"
    told_where = office.client.get("/search?q=abc&level=S").headers["location"]
    assert told_where == "/login?next=/search%3Fq%3Dabc%26level%3DS"
    assert 'value="/search?q=abc&amp;level=S"' in office.client.get(told_where).text


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_all_that_waits_is_listed_page_by_page_in_the_order_in_which_it_is_handed_out(
    office: Any, enter: Callable[[Role], TestClient], clock: Any
) -> None:
    texts = [f"部门存疑第{n}件" for n in range(20)] + ["联名部门存疑"] + [f"渠道存疑第{n}件" for n in range(20)]
    for text in [*texts, "想不开"]:
        clock.advance(hours=5)
        office.submit(text)
    browser, path = enter("reviewer"), "/queues"
    listed: list[list[str]] = []
    while path:
        page = browser.get(path).text
        listed.append(re.findall(r'<td><a href="/petitions/([^"?]+)', page))
        found = re.search(r'rel="next" href="([^"]+)">下一页', page)
        path = html.unescape(found[1]) if found else ""
        assert ("回到第一页" in page) == (len(listed) > 1)
    assert [len(page) for page in listed] == [20, 20, 2]
    clerk = office.enter("clerk")
    handed = []
    for _ in range(42):
        held = clerk.post("/v1/claims", json={}).json()["petition"]
        assert office.decide(held, clerk, action="accept").status_code == 200
        handed.append(held["id"])
    assert [number for page in listed for number in page] == handed


@pytest.mark.parametrize("q", ["噪声 油烟", "油烟　噪聲", " 油烟 噪声 abc "])
def test_words_of_a_search_must_all_occur_and_need_not_be_neighbours(
    office: Any, enter: Callable[[Role], TestClient], q: str
) -> None:
    both = office.submit("夜里噪声大，abc楼下又有油烟。")
    for text in ("只有噪声。", "只有油烟。"):
        office.submit(text)
    page = enter("clerk").get("/search", params={"q": q}).text
    assert re.findall(r'<td><a href="/petitions/([^"?]+)', page) == [both["id"]]
    assert {"噪声", "油烟"} <= set(re.findall(r'<mark class="found">([^<]+)</mark>', page))
    found = office.enter("clerk").get("/v1/petitions", params={"q": q}).json()["items"]
    assert [item["id"] for item in found] == [both["id"]]


def test_a_queue_is_paged_alone_and_a_forged_cursor_is_refused(
    office: Any, enter: Callable[[Role], TestClient]
) -> None:
    for n in range(21):
        office.submit(f"部门存疑第{n}件")
        office.submit(f"渠道存疑第{n}件")
    browser = enter("clerk")
    first = browser.get("/queues?queue=department_in_doubt").text
    found = re.search(r'rel="next" href="([^"]+)"', first)
    assert found
    second = browser.get(html.unescape(found[1])).text
    assert len(re.findall(r"第\d+件", second)) == 1
    assert "渠道存疑第" not in first + second
    for member in (5, [], [1, "2026-01-01", 0.5, "P"], ["1", "2026-01-01T00:00:00+00:00", 0.5, "P"]):
        cursor = base64.urlsafe_b64encode(json.dumps(member).encode()).decode()
        assert browser.get(f"/queues?cursor={cursor}").status_code == 422
    assert browser.get("/queues?cursor=***").status_code == 422


@pytest.mark.parametrize("path", ["/desk/labels", "/desk/departments?category_l2=x", "/desk/petitions/P1/work"])
def test_the_parts_are_refused_to_nobody_as_json(office: Any, path: str) -> None:
    refused = office.client.get(path)
    assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")


def test_a_trial_shows_the_answer_with_masked_data_and_keeps_nothing(
    office: Any, enter: Callable[[Role], TestClient]
) -> None:
    browser = enter("clerk")
    csrf = re.search(r'name="csrf-token" content="([^"]+)"', browser.get("/").text)
    assert csrf
    body = {"title": "油烟", "text": "电话13800138000,楼下油烟大。"}
    shown = browser.post("/desk/trial", json=body, headers={"X-CSRF-Token": csrf[1], "accept": "*/*"})
    assert shown.status_code == 200
    assert "13800138000" not in shown.text
    assert '<span class="chip" title="个人信息已隐去，不保存">电话</span>' in shown.text
    assert 'data-head="department"' in shown.text
    assert office.enter("clerk").get("/v1/petitions").json()["items"] == []
    refused = browser.post("/desk/trial", json=body, headers={"X-CSRF-Token": "forged", "accept": "*/*"})
    assert refused.json()["code"] == "csrf_failed"


def test_a_blind_item_gives_nothing_away(open_office: Callable[..., Any]) -> None:
    office = open_office(audit_share=1.0)
    petition = office.submit("楼下烧烤店油烟直排，请查处。")
    reviewer = office.enter("reviewer")
    part = reviewer.get(f"/desk/petitions/{petition['id']}/work").text
    assert "建议已隐藏" in part
    assert "城市管理" not in part
    assert 'data-suggested=""' in part
    proposed = reviewer.get(
        "/desk/departments", params={"category_l2": "环境保护/环境污染", "petition": petition["id"]}
    )
    assert proposed.status_code == 200


def offered(client: TestClient, petition_id: str) -> set[str]:
    part = client.get(f"/desk/petitions/{petition_id}/work").text
    return set(re.findall(r'<button[^>]* data-do="(\w+)"', part))


@pytest.mark.parametrize("action", ["send_back", "out_of_scope"])
def test_what_was_sent_back_or_is_out_of_scope_is_open_to_whoever_takes_it_next(office: Any, action: str) -> None:
    first, second = office.enter("clerk"), office.enter("clerk")
    held = office.claim(office.submit("部门存疑楼下油烟")["id"], first)
    everything = {"accept", "several", "send_back", "out_of_scope", "release"}
    assert offered(first, held["id"]) == everything
    office.decide(held, first, action=action, note="请补充地点")
    assert offered(first, held["id"]) == everything | {"next", "undo"}
    assert first.delete(f"/v1/claims/{held['claim']['id']}").status_code == 204
    held = office.claim(held["id"], second)
    assert offered(second, held["id"]) == everything
    undo = second.delete(f"/v1/petitions/{held['id']}/decision", headers={"If-Match": f'"{held["version"]}"'})
    assert undo.json()["code"] == "nothing_to_undo"
    assert office.decide(held, second, action="accept").json()["state"] == "decided"


def test_what_is_decided_can_be_decided_anew_and_put_back_and_undone_only_while_it_is_held(office: Any) -> None:
    first, second = office.enter("clerk"), office.enter("clerk")
    held = office.claim(office.submit("部门存疑楼下油烟")["id"], first)
    office.decide(held, first, action="accept")
    assert offered(first, held["id"]) == {"next", "undo", "accept", "release"}
    first.delete(f"/v1/claims/{held['claim']['id']}")
    assert offered(second, held["id"]) == {"claim", "next"}
    held = office.claim(held["id"], second)
    assert offered(second, held["id"]) == {"next", "accept", "release"}
    assert "重新办结</button>" in second.get(f"/desk/petitions/{held['id']}/work").text
    assert office.decide(held, second, action="accept").status_code == 200
    assert "undo" in offered(second, held["id"])


def test_what_an_office_decided_before_comes_first_among_the_proposals(office: Any) -> None:
    clerk = office.enter("clerk")

    def proposed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = clerk.get("/desk/departments?category_l2=环境保护/环境污染").json()["items"]
        return found

    assert proposed()[0]["code"] == "ecology_environment"
    assert proposed()[0]["sure"] is True
    for _ in range(proposals.ENOUGH_CASES):
        held = office.claim(office.submit("部门存疑楼下油烟")["id"], clerk)
        office.decide(held, clerk, action="accept")
    first = proposed()[0]
    assert (first["code"], first["sure"]) == ("urban_management", True)
    assert first["grounds"] == ["本机关同类已办 3 件，其中 3 件由其办理"]
    unknown = clerk.get("/desk/departments?category_l2=没有这一类")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_label")


def test_labels_are_found_by_every_way_to_type_them(office: Any) -> None:
    heads = office.enter("clerk").get("/desk/labels").json()["heads"]
    unit = next(label for label in heads["department"] if label["code"] == "petition_bureau")
    assert ["信访局", "xinfangju", "xfj"] in unit["typed"]
    assert any(name == "信访办" for name, _, _ in unit["typed"])
    assert all(label["note"] for label in heads["channel"])
    assert spell("文旅（体育）局") == spell("文旅体育局")


def test_text_is_cut_where_marks_begin_and_end_and_nothing_is_lost() -> None:
    content = "标题\n我叫[姓名],油烟大想不开。"
    place = content.index
    pieces = passages(
        content,
        evidence=[
            EvidenceOut(head="channel", code="x", span=(place("油"), place("大") + 1), weight=0.4),
            EvidenceOut(head="department", code="y", span=(place("烟"), place("大")), weight=0.4),
        ],
        firings=[
            FiringOut(
                code="self_harm",
                level="S",
                name="n",
                basis="b",
                certainty="verified",
                action="a",
                span=(place("想"), place("想") + 3),
            )
        ],
        chips=[RedactionOut(kind="姓名", span=(place("["), place("]") + 1))],
    )
    assert "".join(piece.text for piece in pieces) == content
    assert [(p.text, p.heads) for p in pieces if p.heads] == [
        ("油", ("channel",)),
        ("烟", ("channel", "department")),
        ("大", ("channel",)),
    ]
    assert [p.chip for p in pieces if p.chip] == ["姓名"]
    assert [p.text for p in pieces if p.firing] == ["想不开"]


def test_an_excerpt_shows_the_words_that_were_found() -> None:
    content = "前" * 200 + "噪音扰民" + "后" * 200
    pieces = around(content, ["噪音", "扰民"])
    assert [piece.text for piece in pieces if piece.found] == ["噪音扰民"]
    assert pieces[0].text == pieces[-1].text == "…"
    assert "".join(piece.text for piece in around("短文", [])) == "短文"


def test_figures_and_names_are_written_for_people() -> None:
    assert (percent(None), percent(0.0512, 1), moment(None)) == ("—", "5.1%", "—")
    assert told({"queue": "too_short", "changed": ["channel"], "note": "", "disabled": True}) == [
        ("队列", "内容过短"),
        ("改动", "法定途径"),
        ("停用", "是"),
    ]
    purged = {"older_than": "2026-01-31T16:00:00+00:00", "purged": 3, "still_open": 0}
    assert told(purged) == [("登记早于", "2026-02-01"), ("清理件数", "3"), ("未办结、保留", "0")]
    assert basis_of(TAXONOMY, "petition_procedure").startswith("条例第31条")
    assert basis_of(TAXONOMY, "gone") == ""


def test_a_card_cannot_bring_html_or_pictures() -> None:
    shown = as_html(
        "# 甲\n\n<script>x</script> ![x](http://evil.example/x.png) [y](javascript:z)\n\n|a|b|\n|-|-|\n|1|2|\n"
    )
    assert "<script" not in shown
    assert "<img" not in shown
    assert "href" not in shown
    assert "<td>1</td>" in shown
