"""Every page: found, filtered, counted, usable by keyboard alone, readable for everybody, nothing from elsewhere."""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from serving.roles import COMMAND_LINE
from serving.store import keys

pytestmark = pytest.mark.e2e

DIRT = "工地渣土车夜里一路撒，白天全是扬尘，城管和环保互相推。"
WAGES = "工资一分没给，再不解决我就从塔吊上跳下去。"
SMOKE = "楼下的烧烤店油烟直排，噪声到凌晨两点，请依法查处。"
PAGES = ("/", "/queues", "/search", "/statistics", "/model", "/accounts", "/audit", "/password")


@pytest.fixture
def busy(desk: Any) -> Any:
    """A desk with three petitions in it; `numbers` tells which."""
    with desk.context.store.write() as session:
        _, desk.secret = keys.create(
            session, name="热线", role="service", expires_at=None, actor=COMMAND_LINE, now=desk.context.now()
        )
    desk.numbers = []
    for text in (DIRT, WAGES, SMOKE):
        submit(desk, text)
    return desk


def submit(desk: Any, text: str) -> None:
    headers = {"Authorization": f"Bearer {desk.secret}", "Idempotency-Key": f"key-{len(desk.numbers)}-of-a-test"}
    response = httpx.post(f"{desk.url}/v1/petitions", json={"text": text}, headers=headers, timeout=30)
    response.raise_for_status()
    desk.numbers.append(response.json()["id"])


def test_search_finds_two_characters_and_narrows(busy: Any, visit: Callable[..., Page]) -> None:
    page = visit(busy, "wang.fang", path="/search")
    rows = page.locator(".results tbody tr")
    expect(rows).to_have_count(3)
    page.get_by_label("正文包含").fill("扬尘")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(page.locator("mark.found")).to_have_text("扬尘")
    assert page.url.endswith("?q=%E6%89%AC%E5%B0%98"), "only what was chosen stands in the address"
    page.get_by_role("link", name="清除条件").click()
    page.get_by_label("状态").select_option("待办")
    page.get_by_label("级别").select_option("S 立即")
    page.get_by_role("button", name="检索").click()
    expect(rows).to_have_count(1)
    rows.get_by_role("link").first.click()
    expect(page.locator("h1")).to_have_text(busy.numbers[1])
    page.goto(f"{busy.url}/search?q=没有的词")
    expect(page.locator(".empty")).to_contain_text("没有符合条件的信访件")
    page.goto(f"{busy.url}/search?level=Z")
    expect(page.locator("h1")).to_have_text("内容不符合要求")
    page.goto(f"{busy.url}/petitions/P000000-NOTTHERE00")
    expect(page.locator(".card")).to_contain_text("没有这个编号的信访件")


def test_statistics_count_what_was_done(busy: Any, visit: Callable[..., Page]) -> None:
    page = visit(busy, "zhao.qiang", path=f"/petitions/{busy.numbers[0]}")
    page.keyboard.press("Enter")
    page.locator("[data-timer]").wait_for()
    page.locator(".verdict").click()
    page.keyboard.press("5")
    page.keyboard.type("sthj")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_label("责任部门的更正原因").select_option("local_rule")
    page.get_by_role("button", name=re.compile("^按更正办结")).click()
    expect(page.locator(".verdict")).to_contain_text("更正")
    page.goto(f"{busy.url}/statistics")
    expect(page.locator(".tiles li").nth(0)).to_contain_text("3")
    expect(page.locator(".tiles li").nth(1)).to_contain_text("1 / 3 件")
    corrected = page.locator("section", has=page.locator("#corrected"))
    expect(corrected.get_by_role("row", name=re.compile("责任部门"))).to_contain_text("100.0%")
    expect(corrected.get_by_role("row", name=re.compile("法定途径"))).to_contain_text("0.0%")
    confusion = page.locator("section", has=page.locator("#confusion"))
    expect(confusion.get_by_role("row", name="城市管理和综合执法局 生态环境局（分局） 1")).to_be_visible()
    waiting = page.locator("section", has=page.locator("#states"))
    expect(waiting.get_by_role("row", name="1 天以内 1")).to_be_visible()
    expect(page.locator("svg.chart rect.column")).to_have_count(1)
    expect(page.locator("section", has=page.locator("#audit-error"))).to_contain_text("真实差错未知")


def test_a_user_is_made_and_the_record_verified(busy: Any, visit: Callable[..., Page]) -> None:
    page = visit(busy, "admin", path="/accounts")
    form = page.locator("#new-user")
    form.get_by_label("用户名").fill("qian.jin")
    form.get_by_label("姓名").fill("钱进")
    form.get_by_role("button", name="新建").click()
    secret = page.locator("#secret")
    expect(secret).not_to_be_empty()
    password = secret.input_value() if secret.evaluate("node => node.tagName") == "INPUT" else secret.inner_text()
    page.get_by_role("button", name="已记下").click()
    expect(page.get_by_role("row", name=re.compile("qian.jin"))).to_contain_text("待改初始口令")
    newcomer = visit(busy, "qian.jin", password)
    assert newcomer.url.endswith("/password")
    page.goto(f"{busy.url}/audit")
    page.get_by_role("button", name="校验整条链").click()
    expect(page.locator("#chain")).to_contain_text("条记录首尾相连")
    page.get_by_label("对象").fill(busy.numbers[0])
    page.get_by_role("button", name="查看").click()
    expect(page.locator("table.audit tbody tr")).to_have_count(1)


def test_a_page_opens_only_for_its_roles(busy: Any, visit: Callable[..., Page]) -> None:
    page = visit(busy, "wang.fang")
    expect(page.locator("header nav a")).to_have_text(["研判台", "复核队列", "检索", "模型"])
    for path in ("/statistics", "/accounts", "/audit"):
        response = page.goto(f"{busy.url}{path}")
        assert response
        assert response.status == 403
        expect(page.locator("h1")).to_have_text("没有权限")


def test_the_whole_way_by_keyboard_alone(busy: Any, visit: Callable[..., Page]) -> None:
    page = visit(busy)
    for typed in ("wang.fang", "long-enough-and-easy"):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{busy.url}/")
    page.keyboard.type(SMOKE)
    page.keyboard.press("Control+Enter")
    page.locator(".work[data-petition^='P']").wait_for()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("采纳建议")
    page.keyboard.press("Enter")
    expect(page.get_by_label("正文")).to_be_focused()
    reach(page, "复核队列")
    page.wait_for_url("**/queues")
    page.keyboard.press("n")
    page.wait_for_url("**/petitions/*")
    page.locator("[data-timer]").wait_for()
    page.keyboard.press("5")
    page.keyboard.type("gaj")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.locator(".actions .primary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("更正")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.wait_for_url("**/search")


def test_a_long_queue_is_turned_page_by_page_by_keyboard(busy: Any, visit: Callable[..., Page], axe: str) -> None:
    for n in range(20):
        submit(busy, f"{DIRT}第{n}处。")
    page = visit(busy, "wang.fang", path="/queues")
    rows = page.locator("section", has=page.locator("#waiting-title")).locator("tbody tr")
    expect(rows).to_have_count(20)
    expect(rows.first).to_contain_text("塔吊")
    assert not violations(page, axe)
    reach(page, "下一页 →")
    page.wait_for_url("**/queues?cursor=*")
    expect(rows).to_have_count(2)
    expect(page.locator(".pager")).to_contain_text("没有更多了")
    assert not violations(page, axe)
    reach(page, "回到第一页")
    page.wait_for_url("**/queues")
    expect(rows).to_have_count(20)


def reach(page: Page, name: str) -> None:
    """Go to the link `name` with the Tab key, as somebody without a mouse does, and follow it."""
    for _ in range(60):
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Shift+Tab")
    pytest.fail(f"{name} cannot be reached with Tab")


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(f"() => {{ {axe} }}")
    found = page.evaluate(
        "async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',"
        " 'best-practice']})).violations"
    )
    return [
        json.dumps([v["id"], v["help"], [n["html"][:160] for n in v["nodes"][:3]]], ensure_ascii=False) for v in found
    ]


def test_axe_finds_nothing_on_any_page(busy: Any, visit: Callable[..., Page], axe: str) -> None:
    faults = {}
    page = visit(busy)
    faults["/login"] = violations(page, axe)
    page = visit(busy, "admin")
    for path in (*PAGES, f"/petitions/{busy.numbers[1]}", "/petitions/P000000-NOTTHERE00"):
        page.goto(f"{busy.url}{path}")
        faults[path] = violations(page, axe)
    page.goto(busy.url)
    page.get_by_label("正文").fill(SMOKE)
    page.keyboard.press("Control+Enter")
    page.locator(".work[data-petition^='P']").wait_for()
    page.keyboard.press("5")
    page.keyboard.type("gaj")
    page.get_by_role("option").first.wait_for()
    faults["suggestion with an open list"] = violations(page, axe)
    page.keyboard.press("Enter")
    faults["suggestion, corrected"] = violations(page, axe)
    page.get_by_role("button", name="一件多诉").click()
    faults["several appeals"] = violations(page, axe)
    assert not {place: told for place, told in faults.items() if told}, json.dumps(faults, ensure_ascii=False, indent=1)


def test_axe_finds_nothing_in_the_law_beside_a_suggestion_nor_in_a_letter(
    busy: Any, visit: Callable[..., Page], axe: str
) -> None:
    number = busy.numbers[0]
    page = visit(busy, "wang.fang", path=f"/petitions/{number}")
    panel = page.locator(".law")
    expect(panel).to_contain_text("期限")
    folded = panel.locator("details")
    expect(folded.first).to_be_attached()
    page.evaluate("document.querySelectorAll('details').forEach((folded) => { folded.open = true; })")
    assert not violations(page, axe)
    page.goto(f"{busy.url}/petitions/{number}/notices/notice_transfer")
    expect(page.locator("body")).to_contain_text(number)
    assert not violations(page, axe)


def test_nothing_is_cut_off_on_an_office_screen(busy: Any, visit: Callable[..., Page]) -> None:
    page = visit(busy, "admin")
    for path in (*PAGES, f"/petitions/{busy.numbers[1]}"):
        page.goto(f"{busy.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 1366, path
