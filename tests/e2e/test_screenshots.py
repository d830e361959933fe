"""Every page at the size of an office screen: pictures for the guide, each small, none empty.

`PETITION_SCREENSHOTS=docs/screenshots` writes them there, `PETITION_SCREENSHOT_MODEL=1` with the bundled model
in place of the scripted router.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

MOST_BYTES = 200_000
PHONE = "1380013" + "8000"
SMOKE = (
    "烧烤店油烟噪声扰民",
    "尊敬的领导：我们住在青禾镇滨河小区东门，楼下的烧烤店每天傍晚开始油烟直排，窗户都不敢开，噪声一直到凌晨两点。"
    "家里有老人和要中考的孩子，实在没法休息。我们向街道反映过一次，来人看了看就走了，没有结果。"
    f"我叫周明远，电话{PHONE}。请依法查处，让店家装净化设备、按时收摊。",
)
DIRT = (
    "工地渣土车夜里遗撒",
    "新城大道北段的工地夜里十一点还在出渣土，车一路撒，白天全是扬尘，晾的衣服都是灰。"
    "打过热线，城管说归环保，环保说归城管。到底谁管？请给个准话。",
)
WAGES = ("拖欠工资", "我在县里的工地干了八个月，工资一分没给，孩子等着交学费。再不解决我就从塔吊上跳下去。")
LIFT = ("联名反映电梯", "我们 26 户业主联名反映：物业收了维修费，三号楼的电梯还是三天两头停，上个月困了两次人。")
SHORT = ("", "你们到底管不管")


def submit(desk: Any, key: str, *texts: tuple[str, str], **more: Any) -> list[dict[str, Any]]:
    kept = []
    with httpx.Client(base_url=desk.url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as system:
        for number, (title, text) in enumerate(texts):
            headers = {"Idempotency-Key": f"picture-{number}-{os.urandom(4).hex()}"}
            body = {"title": title, "text": text, "source": "phone", **more}
            response = system.post("/v1/petitions", json=body, headers=headers)
            response.raise_for_status()
            kept.append(response.json())
    return kept


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    wanted = os.environ.get("PETITION_SCREENSHOTS")
    root = Path(__file__).parents[2]
    made = root / wanted if wanted else tmp_path / "screenshots"
    made.mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture
def pictured(open_desk: Callable[..., Any]) -> Any:
    """A desk at which some days of work were done."""
    classifier = None
    if os.environ.get("PETITION_SCREENSHOT_MODEL"):
        from nlp.router import Router

        classifier = Router.load(None)
    desk = open_desk(classifier=classifier, audit_share=0.0)
    for name, display_name, role in (
        ("admin", "管理员", "admin"),
        ("wang.fang", "王芳", "clerk"),
        ("li.na", "李娜", "clerk"),
        ("zhao.qiang", "赵强", "reviewer"),
        ("sun.li", "孙莉", "maintainer"),
    ):
        desk.hire(name, display_name, role)
    return desk


def take(page: Page, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path, animations="disabled", caret="hide")
    size = path.stat().st_size
    assert 4_000 < size < MOST_BYTES, f"{path.name}: {size} bytes"


def test_every_page_has_a_picture(pictured: Any, visit: Callable[..., Page], folder: Path) -> None:
    desk = pictured
    page = visit(desk)
    take(page, folder / "login.png")
    admin = visit(desk, "admin")
    take(admin, folder / "desk.png")
    key = admin.evaluate(
        """async () => (await (await fetch("/v1/keys", {method: "POST", headers: {"Content-Type": "application/json",
        "X-CSRF-Token": document.querySelector('meta[name=csrf-token]').content},
        body: JSON.stringify({name: "12345 热线平台", role: "service"})})).json()).secret"""
    )
    kept = submit(desk, key, DIRT, WAGES, LIFT, SHORT, DIRT)
    admin.get_by_label("标题").fill(SMOKE[0])
    admin.get_by_label("正文").fill(SMOKE[1])
    admin.keyboard.press("Control+Enter")
    admin.get_by_role("button", name="采纳").wait_for()
    take(admin, folder / "desk-suggestion.png")
    for name, path in (
        ("queues", "/queues"),
        ("petition", f"/petitions/{kept[1]['id']}"),
        ("search", "/search?q=渣土"),
        ("statistics", "/statistics"),
        ("model", "/model"),
        ("accounts", "/accounts"),
        ("audit", "/audit"),
    ):
        admin.goto(f"{desk.url}{path}")
        take(admin, folder / f"{name}.png")
