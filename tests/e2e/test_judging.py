"""A clerk at the desk: first login, judge, accept, correct, and everything that can get in the way."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

SMOKE = "楼下的烧烤店油烟直排，噪声到凌晨两点，请依法查处。"
PHONE = "1380013" + "8000"
CORRECTED = "生态环境局（分局）"


def judge(page: Page, text: str, title: str = "") -> None:
    page.get_by_label("标题").fill(title)
    page.get_by_label("正文").fill(text)
    page.keyboard.press("Control+Enter")
    page.locator(".work[data-petition^='P']").wait_for()


def notice(page: Page) -> Any:
    return page.locator("#notice")


def head(page: Page, name: str) -> Any:
    return page.locator(f".head[data-head='{name}']")


def field(page: Page, name: str) -> Any:
    return head(page, name).locator(".choose input")


def test_the_first_login_forces_a_new_password(open_desk: Callable[..., Any], visit: Callable[..., Page]) -> None:
    desk = open_desk()
    first_password = desk.first_admin()
    page = visit(desk, path="/queues")
    assert "/login" in page.url
    page.get_by_label("用户名").fill("admin")
    page.get_by_label("口令", exact=True).fill("not-the-password")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("用户名或口令不对")
    page.get_by_label("用户名").fill("admin")
    page.get_by_label("口令", exact=True).fill(first_password)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/password")
    page.goto(f"{desk.url}/search")
    assert page.url.endswith("/password"), "no page may open before the password is changed"
    page.get_by_label("原口令").fill(first_password)
    page.get_by_label("新口令", exact=True).fill("a-new-long-password")
    page.get_by_label("再输一次新口令").fill("a-new-long-password")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(f"{desk.url}/")
    expect(page.get_by_label("正文")).to_be_focused()
    page.get_by_role("button", name="退出").click()
    page.wait_for_url("**/login")


def test_a_text_is_judged_shown_and_accepted_with_enter(desk: Any, visit: Callable[..., Page]) -> None:
    page = visit(desk, "wang.fang")
    judge(page, f"{SMOKE}我叫周明远，电话{PHONE}。", title="烧烤店扰民")
    expect(page.locator(".verdict")).to_contain_text("可以采纳")
    expect(field(page, "department")).to_have_value("城市管理和综合执法局")
    expect(head(page, "department")).to_contain_text("91%")
    expect(head(page, "channel")).to_contain_text("《信访工作条例》第三十一条")
    expect(page.locator(".original-title")).to_have_text("烧烤店扰民")
    expect(page.locator(".original-body mark.evidence", has_text="直排")).to_be_visible()
    expect(page.locator(".original .chip")).to_have_text(["姓名", "电话"])
    assert PHONE not in page.content()
    routes = page.locator(".routes li")
    expect(routes).to_have_count(2)
    expect(routes.first).to_contain_text("条例31条(一) 已核")
    expect(routes.last).to_contain_text("推断")
    expect(page.get_by_role("button", name=re.compile("^采纳"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("采纳建议王芳")
    expect(page.locator("#history")).to_contain_text("办理：采纳建议")
    expect(page.get_by_role("button", name=re.compile("^下一件"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("正文")).to_be_focused()
    expect(page.get_by_label("正文")).to_have_value("")


def test_the_department_is_corrected_by_typing_initials(desk: Any, visit: Callable[..., Page]) -> None:
    page = visit(desk, "wang.fang")
    judge(page, SMOKE)
    page.keyboard.press("5")
    expect(field(page, "department")).to_be_focused()
    page.keyboard.type("sthj")
    expect(page.get_by_role("option").first).to_contain_text("生态环境局")
    page.keyboard.press("Enter")
    reason = page.get_by_label("责任部门的更正原因")
    expect(reason).to_be_focused()
    page.get_by_role("button", name=re.compile("^按更正办结")).click()
    expect(notice(page)).to_contain_text("请选择责任部门的更正原因")
    reason.select_option("local_rule")
    expect(page.get_by_role("button", name=re.compile("^按更正办结"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("更正王芳")
    expect(field(page, "department")).to_have_value("生态环境局（分局）")
    expect(page.locator("#history")).to_contain_text("改动 责任部门")
    page.get_by_role("button", name="撤销决定").click()
    expect(notice(page)).to_contain_text("决定已撤销")
    expect(field(page, "department")).to_have_value("城市管理和综合执法局")


@pytest.mark.parametrize(("typed", "found"), [("城管局", "城市管理"), ("cszf", "城市管理"), ("xinfangban", "信访局")])
def test_names_aliases_and_pinyin_find_a_unit(desk: Any, visit: Callable[..., Page], typed: str, found: str) -> None:
    page = visit(desk, "wang.fang")
    judge(page, "渣土车遗撒")
    page.keyboard.press("5")
    page.keyboard.type(typed)
    expect(page.get_by_role("option").first).to_contain_text(found)


def test_the_department_follows_a_corrected_category(desk: Any, visit: Callable[..., Page]) -> None:
    page = visit(desk, "wang.fang")
    judge(page, SMOKE)
    page.keyboard.press("2")
    page.keyboard.type("户籍")
    page.keyboard.press("Enter")
    expect(field(page, "category_l1")).to_have_value("政法")
    expect(field(page, "department")).to_have_value("公安局")
    expect(head(page, "department").locator(".follow")).to_contain_text("随分类提出，请确认")
    page.get_by_role("button", name="改回 城市管理和综合执法局").click()
    expect(field(page, "department")).to_have_value("城市管理和综合执法局")


def test_an_alternative_is_one_click_away(desk: Any, visit: Callable[..., Page]) -> None:
    page = visit(desk, "wang.fang")
    judge(page, SMOKE)
    page.locator("[data-route='petition_procedure']").click()
    expect(field(page, "channel")).to_have_value("信访程序（情形六）")
    expect(head(page, "channel").locator(".basis-line")).to_contain_text("第31条(六)")
    head(page, "department").get_by_role("button", name=re.compile("生态环境局")).click()
    expect(field(page, "department")).to_have_value("生态环境局（分局）")


def test_a_trial_keeps_nothing_until_it_is_registered(desk: Any, visit: Callable[..., Page]) -> None:
    page = visit(desk, "wang.fang")
    page.get_by_label("正文").fill(SMOKE)
    page.get_by_role("button", name="只研判，不登记").click()
    expect(page.locator("#work-view .actions")).to_contain_text("什么也没有保存")
    other = visit(desk, "wang.fang", path="/search")
    expect(other.get_by_text("还没有信访件")).to_be_visible()
    page.get_by_role("button", name="改原文").click()
    expect(page.get_by_label("正文")).to_have_value(SMOKE)
    page.get_by_role("button", name="只研判，不登记").click()
    page.get_by_role("button", name=re.compile("^登记此件")).click()
    page.locator(".work[data-petition^='P']").wait_for()


def press_next_and_answer(page: Page, answer: str, *, told: str) -> None:
    page.keyboard.press("n")
    dialog = page.locator("#sure-dialog")
    expect(dialog).to_contain_text(told)
    expect(dialog.get_by_role("button", name="取消")).to_be_focused()
    dialog.get_by_role("button", name=answer).click()
    expect(dialog).to_be_hidden()


def test_a_trial_is_given_up_only_after_a_question(desk: Any, visit: Callable[..., Page]) -> None:
    page = visit(desk, "wang.fang")
    page.get_by_label("正文").fill(SMOKE)
    page.get_by_role("button", name="只研判，不登记").click()
    page.locator(".work[data-state='trial']").wait_for()
    press_next_and_answer(page, "取消", told="这份正文还没有登记")
    page.get_by_role("button", name="改原文").click()
    expect(page.get_by_label("正文")).to_have_value(SMOKE)
    page.get_by_role("button", name="只研判，不登记").click()
    page.locator(".work[data-state='trial']").wait_for()
    press_next_and_answer(page, "确定", told="这份正文还没有登记")
    expect(page.get_by_label("正文")).to_have_value("")


def test_corrections_on_the_desk_are_given_up_only_after_a_question(
    desk: Any, visit: Callable[..., Page], correct_the_department: Callable[[Page], None]
) -> None:
    page = visit(desk, "wang.fang")
    judge(page, SMOKE)
    correct_the_department(page)
    press_next_and_answer(page, "取消", told="您的改动还没有保存")
    expect(field(page, "department")).to_have_value(CORRECTED)
    press_next_and_answer(page, "确定", told="您的改动还没有保存")
    expect(page.get_by_label("正文")).to_be_visible()


def test_what_is_decided_is_decided_anew_as_it_is_shown(
    desk: Any, visit: Callable[..., Page], correct_the_department: Callable[[Page], None]
) -> None:
    page = visit(desk, "wang.fang")
    judge(page, SMOKE)
    page.keyboard.press("Enter")
    redo = page.locator("[data-do='accept']")
    expect(redo).to_have_text("重新办结")
    correct_the_department(page)
    expect(redo).to_have_text("按更正办结Enter")
    page.get_by_role("button", name=re.compile("^下一件")).click()
    page.locator("#sure-dialog").get_by_role("button", name="取消").click()
    redo.click()
    expect(page.locator(".verdict")).to_contain_text("更正王芳")
    expect(page.get_by_role("button", name=re.compile("^下一件"))).to_be_focused()
    redo.click()
    expect(notice(page)).to_contain_text("请选择责任部门的更正原因")
    page.get_by_label("责任部门的更正原因").select_option("text_misread")
    redo.click()
    expect(page.locator("#history").get_by_text("办理：更正")).to_have_count(2)
    expect(field(page, "department")).to_have_value(CORRECTED)
    page.get_by_role("button", name=re.compile("^建议：城市管理")).click()
    expect(redo).to_have_text("采纳Enter")
    redo.click()
    expect(page.locator(".verdict")).to_contain_text("采纳建议王芳")
    expect(redo).to_have_text("重新办结")
    page.keyboard.press("n")
    expect(page.get_by_label("正文")).to_be_focused()


def test_several_appeals_get_labels_of_their_own(desk: Any, visit: Callable[..., Page]) -> None:
    page = visit(desk, "wang.fang")
    judge(page, SMOKE)
    page.get_by_role("button", name="一件多诉").click()
    dialog = page.locator("#several-dialog")
    dialog.get_by_role("button", name="办结").click()
    expect(dialog.get_by_role("alert")).to_contain_text("第 2 个诉求还没有填全")
    second = dialog.locator("#appeals > li").nth(1)
    second.get_by_label("二级分类").first.fill("就业")
    page.keyboard.press("Enter")
    second.get_by_label("部门").first.fill("renshe")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="办结").click()
    expect(page.locator(".verdict")).to_contain_text("一件多诉")


def test_too_long_and_empty_texts_are_refused_before_they_are_sent(
    open_desk: Callable[..., Any], visit: Callable[..., Page]
) -> None:
    desk = open_desk(max_text_chars=100)
    desk.hire("wang.fang", "王芳", "clerk")
    page = visit(desk, "wang.fang")
    page.keyboard.press("Control+Enter")
    expect(notice(page)).to_contain_text("请先写入正文")
    page.get_by_label("正文").fill("油烟" * 60)
    expect(page.locator("#count")).to_contain_text("120 字，超过上限 100 字")
    page.keyboard.press("Control+Enter")
    expect(notice(page)).to_contain_text("正文有 120 字，上限 100 字")


def test_a_lost_session_is_mended_in_place(desk: Any, visit: Callable[..., Page]) -> None:
    page = visit(desk, "wang.fang")
    page.get_by_label("正文").fill(SMOKE)
    desk.clock.advance(hours=11)
    page.keyboard.press("Control+Enter")
    dialog = page.locator("#sign-in-again")
    expect(dialog).to_contain_text("登录已失效")
    dialog.get_by_label("口令").fill("wrong-password")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("用户名或口令不对")
    dialog.get_by_label("口令").fill("long-enough-and-easy")
    page.keyboard.press("Enter")
    page.locator(".work[data-petition^='P']").wait_for()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("采纳建议")


def test_an_unreachable_server_loses_nothing_and_sends_once(desk: Any, visit: Callable[..., Page]) -> None:
    page = visit(desk, "wang.fang")
    page.get_by_label("正文").fill(SMOKE)
    # One route that changes its mind: taking a route away and setting another now and then let a request slip through.
    answers: list[Callable[[Any], None]] = [lambda route: route.abort()]
    page.route("**/v1/petitions", lambda route: answers[-1](route))
    page.keyboard.press("Control+Enter")
    expect(notice(page)).to_contain_text("连不上服务器")
    expect(page.get_by_label("正文")).to_have_value(SMOKE)
    answers.append(_send_and_lose_the_answer)
    with page.expect_event("requestfailed"):
        page.keyboard.press("Control+Enter")
    expect(notice(page)).to_be_visible()
    expect(notice(page)).to_contain_text("连不上服务器")
    answers.append(lambda route: route.continue_())
    page.keyboard.press("Control+Enter")
    page.locator(".work[data-petition^='P']").wait_for()
    page.goto(f"{desk.url}/search")
    expect(page.locator(".results tbody tr")).to_have_count(1)


def _send_and_lose_the_answer(route: Any) -> None:
    route.fetch()
    route.abort()


def test_a_script_in_a_text_stays_text(desk: Any, visit: Callable[..., Page]) -> None:
    page = visit(desk, "wang.fang")
    judge(
        page, "油烟<img src=x onerror=document.title='owned'><script>document.title='owned'</script>", title="<b>标题"
    )
    expect(page.locator("#work-view .original")).to_contain_text("<script>")
    expect(page.locator("#work-view .original :is(img, script, b)")).to_have_count(0)
    assert "owned" not in page.title()
