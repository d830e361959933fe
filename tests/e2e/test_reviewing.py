"""Two people at the same queue: who holds what, who is told, and what a reviewer may do."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from playwright.sync_api import Page, expect

from serving.roles import COMMAND_LINE
from serving.store import keys

pytestmark = pytest.mark.e2e

DIRT = "工地渣土车夜里一路撒，白天全是扬尘，城管和环保互相推。"
WAGES = "工资一分没给，再不解决我就从塔吊上跳下去。"
SMOKE = "楼下的烧烤店油烟直排，请依法查处。"


def submit(desk: Any, text: str) -> str:
    with desk.context.store.write() as session:
        _, secret = keys.create(
            session, name="热线", role="service", expires_at=None, actor=COMMAND_LINE, now=desk.context.now()
        )
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "submitted-by-a-test"}
    response = httpx.post(f"{desk.url}/v1/petitions", json={"text": text}, headers=headers, timeout=30)
    response.raise_for_status()
    number: str = response.json()["id"]
    return number


def test_two_browsers_and_the_second_is_told(desk: Any, visit: Callable[..., Page]) -> None:
    submit(desk, DIRT)
    urgent = submit(desk, WAGES)
    one, two = visit(desk, "wang.fang", path="/queues"), visit(desk, "li.na", path="/queues")
    expect(one.get_by_role("row", name=re.compile("^必须人工审核"))).to_contain_text("1")
    two.goto(f"{desk.url}/petitions/{urgent}")
    one.get_by_role("button", name=re.compile("领取最急的一件")).click()
    one.wait_for_url(f"**/petitions/{urgent}")
    expect(one.locator("[data-timer]")).to_contain_text("领取还剩 14:")
    expect(one.locator(".original mark.firing")).to_have_text("跳下去")
    two.keyboard.press("Enter")
    expect(two.locator("#notice")).to_contain_text("此件正由 王芳 办理")
    two.get_by_role("button", name="看现在的情况").click()
    expect(two.locator(".held")).to_contain_text("此件正由 王芳 办理")
    expect(two.get_by_role("button", name="强制放回")).to_have_count(0)
    two.goto(f"{desk.url}/queues")
    expect(two.get_by_text("王芳 办理中")).to_be_visible()
    two.keyboard.press("n")
    two.wait_for_url(lambda url: "/petitions/" in url and urgent not in url)
    two.goto(f"{desk.url}/queues")
    two.keyboard.press("n")
    expect(two.locator("#notice")).to_contain_text("没有可领取的件了")


def test_a_reviewer_takes_an_item_out_of_somebodys_hands(desk: Any, visit: Callable[..., Page]) -> None:
    number = submit(desk, DIRT)
    clerk, reviewer = visit(desk, "wang.fang", path=f"/petitions/{number}"), visit(desk, "zhao.qiang")
    clerk.get_by_role("button", name=re.compile("^领取办理")).click()
    clerk.locator("[data-timer]").wait_for()
    reviewer.goto(f"{desk.url}/petitions/{number}")
    reviewer.get_by_role("button", name="强制放回").click()
    reviewer.get_by_role("button", name="确定").click()
    expect(reviewer.locator("#reason-dialog").get_by_role("alert")).to_contain_text("请写明原因")
    reviewer.get_by_role("textbox", name="原因").fill("经办人休假")
    reviewer.get_by_role("button", name="确定").click()
    expect(reviewer.locator("#history")).to_contain_text("强制放回 赵强 原因 经办人休假")
    expect(reviewer.get_by_role("button", name=re.compile("^领取办理"))).to_be_focused()
    reviewer.keyboard.press("Enter")
    reviewer.locator("[data-timer]").wait_for()
    clerk.get_by_role("button", name=re.compile("^采纳")).click()
    expect(clerk.locator("#notice")).to_contain_text("您的决定没有保存")
    clerk.get_by_role("button", name="看现在的情况").click()
    expect(clerk.locator(".held")).to_contain_text("此件正由 赵强 办理")


def test_a_claim_that_ran_out_and_was_taken_is_told_while_working(desk: Any, visit: Callable[..., Page]) -> None:
    number = submit(desk, DIRT)
    one, two = visit(desk, "wang.fang", path=f"/petitions/{number}"), visit(desk, "li.na")
    one.keyboard.press("Enter")
    one.locator("[data-timer]").wait_for()
    desk.clock.advance(minutes=16)
    two.goto(f"{desk.url}/petitions/{number}")
    two.get_by_role("button", name=re.compile("^领取办理")).click()
    two.locator("[data-timer]").wait_for()
    one.get_by_role("button", name=re.compile("^采纳")).click()
    expect(one.locator("#notice")).to_contain_text("您的决定没有保存")


def test_a_blind_review_hides_the_suggestion_until_it_is_decided(
    open_desk: Callable[..., Any], visit: Callable[..., Page]
) -> None:
    desk = open_desk(audit_share=1.0)
    desk.hire("zhao.qiang", "赵强", "reviewer")
    desk.hire("wang.fang", "王芳", "clerk")
    number = submit(desk, SMOKE)
    clerk = visit(desk, "wang.fang", path=f"/petitions/{number}")
    expect(clerk.locator(".panel")).to_contain_text("由审核员独立办理")
    page = visit(desk, "zhao.qiang", path=f"/petitions/{number}")
    page.get_by_role("button", name=re.compile("^领取办理")).click()
    expect(page.locator(".verdict")).to_contain_text("建议已隐藏")
    expect(page.locator("mark.evidence, .sure, .others button")).to_have_count(0)
    assert "城市管理" not in page.locator(".panel").inner_text()
    page.get_by_role("button", name=re.compile("^提交盲审")).click()
    expect(page.locator("#notice")).to_contain_text("请填写一级分类")
    for key, typed in (("2", "环境污染"), ("3", "qj"), ("4", "情形五"), ("5", "生态环境局")):
        page.locator(".verdict").click()
        page.keyboard.press(key)
        expect(page.locator("input[role=combobox]:focus")).to_be_visible()
        page.keyboard.type(typed)
        page.get_by_role("option").first.wait_for()
        page.keyboard.press("Enter")
        page.get_by_role("option").first.wait_for(state="hidden")  # chosen, before the next key goes anywhere
    page.get_by_role("button", name=re.compile("^提交盲审")).click()
    expect(page.locator(".verdict")).to_contain_text("盲审")
    expect(page.locator(".head[data-head='department']")).to_contain_text("建议：城市管理和综合执法局")
    page.goto(f"{desk.url}/statistics")
    errors = page.locator("section", has=page.locator("#audit-error"))
    expect(errors.get_by_role("row", name="责任部门 1 1 100.0% 21%–100%")).to_be_visible()


def test_an_item_is_put_back_and_sent_back(desk: Any, visit: Callable[..., Page]) -> None:
    number = submit(desk, "你们到底管不管")
    page = visit(desk, "wang.fang", path=f"/petitions/{number}")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="放回").click()
    expect(page.locator("#notice")).to_contain_text("已放回队列")
    page.get_by_role("button", name=re.compile("^领取办理")).click()
    page.get_by_role("button", name="退回补充").click()
    page.get_by_label("要补充什么").fill("请说明事情经过和请求")
    page.get_by_role("button", name="确定").click()
    expect(page.locator(".page-head .state")).to_have_text("已退回补充")
    expect(page.locator(".verdict")).to_contain_text("备注：请说明事情经过和请求")


def test_what_was_sent_back_is_accepted_by_the_next_clerk(desk: Any, visit: Callable[..., Page]) -> None:
    number = submit(desk, SMOKE)
    one, two = visit(desk, "wang.fang", path=f"/petitions/{number}"), visit(desk, "li.na")
    one.keyboard.press("Enter")
    one.get_by_role("button", name="退回补充").click()
    one.get_by_label("要补充什么").fill("请说明地点")
    one.get_by_role("button", name="确定").click()
    expect(one.get_by_role("button", name=re.compile("^下一件"))).to_be_focused()
    expect(one.get_by_role("button", name="撤销决定")).to_be_visible()
    one.get_by_role("button", name="放回").click()
    expect(one.locator("#notice")).to_contain_text("已放回队列")
    two.goto(f"{desk.url}/petitions/{number}")
    two.keyboard.press("Enter")
    expect(two.get_by_role("button", name=re.compile("^采纳"))).to_be_focused()
    for name in ("一件多诉", "退回补充", "不属范围", "放回"):
        expect(two.get_by_role("button", name=name)).to_be_visible()
    expect(two.get_by_role("button", name="撤销决定")).to_have_count(0)
    two.keyboard.press("Enter")
    expect(two.locator(".verdict")).to_contain_text("采纳建议李娜")
    expect(two.locator(".page-head .state")).to_have_text("已办")
    two.get_by_role("button", name="放回").click()
    two.get_by_role("button", name=re.compile("^领取办理")).click()
    two.get_by_role("button", name="重新办结").click()
    expect(two.locator("#history").get_by_text("办理：采纳建议")).to_have_count(2)


def test_reading_the_original_leaves_the_corrections_alone(
    open_desk: Callable[..., Any], visit: Callable[..., Page], correct_the_department: Callable[[Page], None]
) -> None:
    desk = open_desk(keep_original=True, original_key=Fernet.generate_key().decode())
    desk.hire("zhao.qiang", "赵强", "reviewer")
    page = visit(desk, "zhao.qiang", path=f"/petitions/{submit(desk, DIRT)}")
    page.keyboard.press("Enter")
    page.locator("[data-timer]").wait_for()
    correct_the_department(page)
    page.get_by_role("button", name="查看原文").click()
    expect(page.locator("#original-text")).to_have_text(DIRT)
    page.get_by_role("button", name="关闭").click()
    expect(page.locator("#history")).to_contain_text("查看原文 赵强")
    expect(page.locator(".head[data-head='department'] .choose input")).to_have_value("生态环境局（分局）")
    page.get_by_role("button", name=re.compile("^按更正办结")).click()
    expect(page.locator(".verdict")).to_contain_text("更正赵强")


def test_the_next_item_is_taken_only_once_corrections_are_given_up(
    desk: Any, visit: Callable[..., Page], correct_the_department: Callable[[Page], None]
) -> None:
    number, other = submit(desk, DIRT), submit(desk, "你们到底管不管")
    page = visit(desk, "wang.fang", path=f"/petitions/{number}")
    page.keyboard.press("Enter")
    page.locator("[data-timer]").wait_for()
    correct_the_department(page)
    page.keyboard.press("n")
    dialog = page.locator("#sure-dialog")
    expect(dialog).to_contain_text("您的改动还没有保存")
    dialog.get_by_role("button", name="取消").click()
    expect(page.locator(".head[data-head='department'] .choose input")).to_have_value("生态环境局（分局）")
    with page.expect_event("dialog") as leaving:
        page.once("dialog", lambda asked: asked.dismiss())
        page.get_by_role("link", name="检索").click(no_wait_after=True)
    assert leaving.value.type == "beforeunload"
    assert number in page.url
    page.keyboard.press("n")
    dialog.get_by_role("button", name="确定").click()
    page.wait_for_url(f"**/petitions/{other}")
