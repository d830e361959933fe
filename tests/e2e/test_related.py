"""Two nearly identical petitions of ours: the second's panel leads to the first, by keyboard, and merges nothing."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from serving.roles import COMMAND_LINE
from serving.store import keys

pytestmark = pytest.mark.e2e

SMOKE = "我们小区东门外的烧烤店每晚油烟直排，噪声到凌晨两点，老人孩子睡不着觉，向街道反映过一次没有结果，请依法查处。"
AGAIN = SMOKE.replace("老人孩子睡不着觉", "老人孩子睡不着觉，3月5日又有三名居民住院，花费2600元")


@pytest.fixture
def submit(desk: Any) -> Callable[[str], str]:
    """Return a function that registers a text as the hotline would, and gives its number."""
    with desk.context.store.write() as session:
        _, secret = keys.create(
            session, name="热线", role="service", expires_at=None, actor=COMMAND_LINE, now=desk.context.now()
        )

    def send(text: str) -> str:
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": uuid.uuid4().hex}
        response = httpx.post(f"{desk.url}/v1/petitions", json={"text": text}, headers=headers, timeout=30)
        response.raise_for_status()
        number: str = response.json()["id"]
        return number

    return send


def test_the_panel_leads_to_the_earlier_petition(
    desk: Any, visit: Callable[..., Page], submit: Callable[[str], str], tmp_path: Path
) -> None:
    first, again = submit(SMOKE), submit(AGAIN)
    page = visit(desk, "wang.fang", path=f"/petitions/{again}")
    panel = page.get_by_role("region", name="可能与以下信访件相同")
    expect(panel.get_by_role("listitem")).to_have_count(1)
    expect(panel).to_contain_text("文字大部分相同")
    expect(panel).to_contain_text("自动采纳")
    expect(panel.locator("q")).to_have_text(["3月5日", "三名居民", "2600元"])
    expect(panel).to_contain_text("系统不合并")
    expect(panel).to_contain_text("条例36条3款 已核")
    folder = Path(os.environ.get("PETITION_SCREENSHOTS_RELATED", tmp_path))
    page.screenshot(path=folder / "related.png", animations="disabled")
    link = panel.get_by_role("link", name=first)
    link.focus()
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    expect(opened.value.locator("h1")).to_have_text(first)
    earlier = opened.value.get_by_role("region", name="可能与以下信访件相同")
    expect(earlier).to_contain_text("后到")
    expect(earlier).to_contain_text("该件新写明")


def test_a_registered_text_shows_its_panel_on_the_desk_and_a_lone_one_says_so(
    desk: Any, visit: Callable[..., Page], submit: Callable[[str], str]
) -> None:
    page = visit(desk, "wang.fang")
    page.get_by_label("正文").fill(SMOKE)
    page.keyboard.press("Control+Enter")
    panel = page.locator(".related")
    expect(panel).to_contain_text("没有发现相同或相近的来件")
    for _ in range(6):
        submit(SMOKE)
    page.goto(f"{desk.url}/petitions/{submit(SMOKE)}")
    expect(panel.locator(".campaign")).to_contain_text("发现7件相近来件")
    expect(panel).to_contain_text("可能是重复反映")
    panel.get_by_text("另有 2 件").click()
    expect(panel.get_by_role("link")).to_have_count(7)
