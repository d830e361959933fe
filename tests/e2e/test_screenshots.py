"""Every page at the size of an office screen: pictures for the guide, each small, none empty.

`PETITION_SCREENSHOTS=docs/screenshots` writes them there, `PETITION_SCREENSHOT_MODEL=1` with the bundled model
in place of the scripted router.
"""

import io
import os
import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page

from serving.roles import COMMAND_LINE, Role
from serving.store import keys

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
SYSTEMS = {"service": "12345 热线平台", "clerk": "街道办件系统", "reviewer": "县复核平台"}
SMOKE_LABELS = {
    "category_l1": "环境保护",
    "category_l2": "环境保护/环境污染",
    "nature": "request",
    "channel": "statutory_duty",
    "department": "urban_management",
}
SHORT = ("", "你们到底管不管")


class Worker:
    """Somebody who works through the API, as other systems do."""

    def __init__(self, desk: Any, role: Role) -> None:
        with desk.context.store.write() as session:
            _, secret = keys.create(
                session, name=SYSTEMS[role], role=role, expires_at=None,
                actor=COMMAND_LINE, now=desk.context.now(),
            )  # fmt: skip
        self._url = desk.url
        self._key = {"Authorization": f"Bearer {secret}"}

    def submit(self, title: str, text: str) -> dict[str, Any]:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        body = {"title": title, "text": text, "source": "phone"}
        return self._sent("/v1/petitions", json=body, headers=headers)

    def decide(self, number: str, **verdict: Any) -> dict[str, Any]:
        held = self._sent(f"/v1/petitions/{number}/claim")
        headers = {"If-Match": f'"{held["version"]}"'}
        return self._sent(f"/v1/petitions/{number}/decision", json=verdict, headers=headers)

    def _sent(self, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
        response = httpx.post(self._url + path, headers=self._key | (headers or {}), timeout=60, **options)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


def work_some_weeks(desk: Any) -> dict[str, Any]:
    """Let petitions come in over four weeks, decide most, leave some; return one that waits."""
    system, clerk, reviewer = (Worker(desk, role) for role in ("service", "clerk", "reviewer"))
    chance = random.Random(7)
    for ago in range(27, 0, -1):
        desk.clock.ahead = -timedelta(days=ago, hours=chance.randrange(9))
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            _handle(system.submit(*chance.choice((SMOKE, SMOKE, DIRT, LIFT))), clerk, reviewer, chance)
    desk.clock.ahead = -timedelta(hours=3)
    system.submit(*SHORT)
    system.submit(*DIRT)
    system.submit(*LIFT)
    desk.clock.ahead = -timedelta(minutes=40)
    waiting = system.submit(*WAGES)
    desk.clock.ahead = timedelta()
    return waiting


def _handle(petition: dict[str, Any], clerk: Worker, reviewer: Worker, chance: random.Random) -> None:
    number, labels = petition["id"], petition["labels"]
    wrong = chance.random() < 0.2
    suggested = (labels or SMOKE_LABELS)["department"]
    unit = "urban_management" if suggested == "ecology_environment" else "ecology_environment"
    other = {"department": unit} if wrong else {}
    if petition["state"] == "queued" and labels is None:
        reviewer.decide(number, action="correct", labels={**SMOKE_LABELS, **other})
    elif petition["state"] == "queued" and wrong:
        clerk.decide(number, action="correct", labels=other, reasons={"department": "local_rule"})
    elif petition["state"] == "queued" and chance.random() < 0.8:
        clerk.decide(number, action="accept")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    wanted = os.environ.get("PETITION_SCREENSHOTS")
    root = Path(__file__).parents[2]
    made = root / wanted if wanted else tmp_path / "screenshots"
    made.mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture(scope="module")
def classifier() -> Any:
    """The bundled model where it is wanted, else None: the scripted router."""
    if not os.environ.get("PETITION_SCREENSHOT_MODEL"):
        return None
    from nlp.router import Router

    return Router.load(None)


@pytest.fixture
def pictured(open_desk: Callable[..., Any], classifier: Any) -> Any:
    """A desk with five people; much of what it accepts goes to blind review."""
    desk = open_desk(classifier=classifier, audit_share=0.4)
    for name, display_name, role in (
        ("admin", "管理员", "admin"),
        ("wang.fang", "王芳", "clerk"),
        ("li.na", "李娜", "clerk"),
        ("zhao.qiang", "赵强", "reviewer"),
        ("sun.li", "孙莉", "maintainer"),
    ):
        desk.hire(name, display_name, role)
    return desk


@pytest.fixture
def reopen(open_desk: Callable[..., Any], classifier: Any) -> Callable[[Any], Any]:
    """Return a function that serves the data of a desk once more, with next to nothing going to blind review."""
    return lambda desk: open_desk(
        classifier=classifier, audit_share=0.01, database_url=desk.context.settings.database_url
    )


def take(page: Page, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide")))
    shot.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)  # a third of the bytes
    size = path.stat().st_size
    assert 4_000 < size < MOST_BYTES, f"{path.name}: {size} bytes"


def test_every_page_has_a_picture(
    pictured: Any, reopen: Callable[[Any], Any], visit: Callable[..., Page], folder: Path
) -> None:
    desk = pictured
    page = visit(desk)
    take(page, folder / "login.png")
    waiting = work_some_weeks(desk)
    desk = reopen(desk)
    admin = visit(desk, "admin")
    take(admin, folder / "desk.png")
    admin.get_by_label("标题").fill(SMOKE[0])
    admin.get_by_label("正文").fill(SMOKE[1])
    admin.keyboard.press("Control+Enter")
    admin.locator(".work[data-petition^='P']").wait_for()
    take(admin, folder / "desk-suggestion.png")
    for name, path in (
        ("queues", "/queues"),
        ("petition", f"/petitions/{waiting['id']}"),
        ("search", "/search?q=渣土"),
        ("statistics", "/statistics"),
        ("model", "/model"),
        ("accounts", "/accounts"),
        ("audit", "/audit"),
    ):
        admin.goto(f"{desk.url}{path}")
        take(admin, folder / f"{name}.png")
