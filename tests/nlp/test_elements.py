"""Places, times, units, amounts, people, prior handling, requests: on texts written for the purpose."""

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from nlp.divisions import divisions, level_of
from nlp.elements import ELEMENT_TYPES, Elements, find_elements, missing_items
from nlp.elements.handling import find_handling
from nlp.elements.quantities import find_amounts, find_people, yuan
from nlp.elements.requests import find_requests
from nlp.elements.times import find_times
from nlp.knowledge import load_knowledge
from nlp.petition import Petition
from nlp.prepare import prepare

Finder = Callable[[str], Iterable[object]]


def found_in(text: str, *, title: str = "") -> tuple[Petition, Elements]:
    petition = Petition(title=title, text=text)
    return petition, find_elements(prepare(petition), title_length=len(title))


def wordings(text: str, kind: str, *, title: str = "") -> list[str]:
    petition, elements = found_in(text, title=title)
    return [petition.content[e.start : e.end] for e in elements.found if e.type == kind]


@pytest.mark.parametrize(
    ("text", "kind", "wanted"),
    [
        ("长沙市岳麓区望城坡街道的路灯坏了", "place", "长沙市岳麓区望城坡街道"),
        ("A8县灰汤镇的村道坑洼不平", "place", "A8县灰汤镇"),
        ("我户口在益阳市，问题发生在长沙县。", "home_place", "益阳市"),
        ("2019年5月起，工地每天施工到凌晨两点", "time", "2019年5月起"),
        ("上周三下午4点左右停的电", "time", "上周三下午4点左右"),
        ("向县教育局反映过", "unit", "县教育局"),
        ("红星物业公司乱收费", "unit", "红星物业公司"),
        ("老板欠我们工资1万5千元不给", "amount", "1万5千元"),
        ("涉及两百多户居民", "people", "两百多户居民"),
        ("我们多次向社区反映无果", "prior", "多次向社区反映"),
        ("拨打12345热线，回复说正在处理", "prior", "12345"),
        ("恳请有关部门尽快修复。谢谢", "request", "恳请有关部门尽快修复"),
    ],
)
def test_an_element_is_found(text: str, kind: str, wanted: str) -> None:
    assert any(wanted in wording or wording in wanted for wording in wordings(text, kind)), wordings(text, kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("我家住在长沙大道和北京西路路口", "place"),
        ("乡镇与村镇都应该修路，整条街道都黑", "place"),
        ("城市布局不好，歌厅太吵，局长不管", "unit"),
        ("社区要求每个水表交钱", "request"),
        ("一个小区居民来了", "people"),
        ("最近一直如此", "time"),
        ("墙上挂着一块功勋榜", "amount"),
        ("我要向您反映一个问题", "prior"),
    ],
)
def test_look_alikes_are_left_out(text: str, kind: str) -> None:
    assert wordings(text, kind) == []


def test_jurisdiction_is_resolved_and_the_home_place_never_decides() -> None:
    _, elements = found_in("我户口在益阳市赫山区，问题在长沙市岳麓区望城坡街道。")
    place = elements.jurisdiction
    assert dict(place.names) == {"province": "湖南省", "city": "长沙市", "county": "岳麓区", "town": "望城坡街道"}
    assert place.code.startswith("430104")
    assert found_in("我户口在益阳市。")[1].jurisdiction.names == {}


def test_a_name_of_several_places_gives_candidates_and_no_code() -> None:
    place = found_in("东江街道沿江路两边的树枝太长了")[1].jurisdiction
    assert place.code == ""
    assert len(place.candidates) > 1


def test_place_codes_are_never_resolved_to_real_places() -> None:
    place = found_in("A8县灰汤镇新风村的路坏了，A市不管")[1].jurisdiction
    assert dict(place.names) == {"city": "A市", "county": "A8县", "town": "灰汤镇"}
    assert place.code == ""
    assert place.candidates == ()


def test_another_city_does_not_become_the_parent() -> None:
    assert "province" not in found_in("我从四川嫁到L3县七年了，L3县不给上户口")[1].jurisdiction.names


def test_spans_refer_to_the_original_despite_wide_letters_and_masking() -> None:
    text = "您好，我叫张三丰，电话１３８１２３４５６７８。我于２０１９年５月在长沙市被欠薪５０００元。"
    assert wordings(text, "amount") == ["５０００元"]
    assert "长沙市" in wordings(text, "place")


def test_unit_has_kind_and_level() -> None:
    _, elements = found_in("A7县教育局和红星小学都不管")
    units = elements.of_type("unit")
    assert [(unit.kind, unit.level) for unit in units] == [("政府部门", "county"), ("学校", "")]


@pytest.mark.parametrize(
    ("phrase", "value"),
    [
        ("1万5千元", 15_000),
        ("3000多万元", 30_000_000),
        ("叁拾万元", 300_000),
        ("几十块钱", 20),
        ("0.5元", 0.5),
        ("9" * 400 + "元", None),
    ],
)
def test_amounts_are_read_at_their_smallest(phrase: str, value: float | None) -> None:
    assert yuan(phrase) == value


def test_what_is_missing_is_asked_for_once_and_in_order() -> None:
    registration = load_knowledge().registration
    masked = prepare(Petition(text="我们小区停车费太贵了。"))
    missing = missing_items(masked, find_elements(masked), registration=registration)
    codes = [item.code for item in missing]
    assert {"problem_place", "event_time", "prior_handling", "people_count", "contact"} <= set(codes)
    assert codes == [item.code for item in registration if item.code in codes]
    assert all(item.question and item.basis for item in missing)


def test_known_and_told_items_are_not_asked_for() -> None:
    registration = load_knowledge().registration
    text = "我叫王小明，电话13812345678。2020年3月长沙县泉塘街道红星公司拖欠我工资5000元，已向劳动局投诉，请求解决。"
    masked = prepare(Petition(text=text))
    codes = {
        item.code
        for item in missing_items(masked, find_elements(masked), registration=registration, known={"id_number"})
    }
    assert not codes & {"problem_place", "event_time", "amount", "request", "prior_handling", "contact", "id_number"}
    assert "service_address" in codes


FINDERS = (find_amounts, find_people, find_times, find_requests, find_handling)


@pytest.mark.parametrize("find", FINDERS, ids=lambda find: find.__name__)
@pytest.mark.parametrize("repeated", ["百", "一", "1", "1,", "也", "多次", "全体", "我也"])
def test_the_time_grows_with_the_length_only(find: Finder, repeated: str) -> None:
    short = _least_time(find, repeated * (5_000 // len(repeated)))
    long = _least_time(find, repeated * (20_000 // len(repeated)))
    # Four times where it is linear, sixteen times where it is quadratic; one millisecond is for the clock.
    assert long < 9 * short + 0.001


def _least_time(find: Finder, text: str) -> float:
    times = []
    for _ in range(3):
        started = time.process_time()
        list(find(text))
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("罚三千,", "三千"),
        ("滞纳金六百几。", "六百几"),
        ("欠三万五千工程款", "三万五千"),
        ("合计两千三百多万元", "两千三百多万元"),
        ("收费1,200.50元", "1,200.50元"),
    ],
)
def test_bounded_numbers_are_still_found_whole(text: str, wanted: str) -> None:
    assert [text[start:end] for start, end, _ in find_amounts(text)] == [wanted]


@pytest.mark.parametrize(
    ("before", "is_ours"),
    [
        ("我们强烈", True),
        ("全体业主们现在坚决强烈", True),
        ("诉求:一、现在", True),
        ("社区", False),
        ("全体" * 60 + "社区管理人员的要求现", False),
    ],
    ids=lambda value: str(value)[:12],
)
def test_who_demands_is_told_without_endless_search(before: str, is_ours: bool) -> None:
    text = f"{before}要求停止施工"
    assert bool(list(find_requests(text))) == is_ours


def test_empty_text_has_no_elements() -> None:
    assert found_in("")[1].found == ()


def test_gazetteer_levels_nest() -> None:
    table = divisions()
    (code,) = table.find("望城坡街道")
    assert level_of(code) == "town"
    assert list(table.chain(code)) == ["province", "city", "county", "town"]
    assert table.short["湘西"] == "湘西土家族苗族自治州"
    assert len(table.names) > 40_000


def test_gold_holds_offsets_and_no_text() -> None:
    rows = [json.loads(line) for line in Path("datasets/elements/gold.jsonl").read_text("utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == 200
    for row in rows:
        assert set(row) == {"id", "elements"}
        for element in row["elements"]:
            assert set(element) == {"type", "start", "end"}
            assert element["type"] in ELEMENT_TYPES
            assert 0 <= element["start"] < element["end"]
