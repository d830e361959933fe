"""Masking hides what leads to a person, keeps what routing needs, and says truly where it masked.

All numbers, names and addresses are generated or invented.
"""

import logging
import re
import time
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nlp.normalise import normalise
from nlp.petition import Masked
from nlp.privacy import KINDS, PLACEHOLDER, mask
from nlp.privacy.checks import is_bank_card, is_luhn, is_old_resident_id, is_resident_id
from nlp.privacy.gazetteer import load_gazetteer
from nlp.privacy.measure import covers, read_marked, report

FEW = settings(max_examples=40, deadline=None)
ROOT = Path(__file__).parents[2]
MARKED_FILE = ROOT / "datasets/samples/privacy.txt"
MARKED = read_marked(MARKED_FILE.read_text(encoding="utf-8").splitlines())


def masked(content: str) -> Masked:
    return mask(normalise(content))


# --- generators of invented personal data ---------------------------------------------------------------------


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    area = draw(st.integers(110000, 659999))
    birth = draw(st.dates(date(1930, 1, 1), date(2020, 12, 31)))
    body = f"{area}{birth:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return next(body + last for last in "0123456789X" if is_resident_id(body + last))


@st.composite
def cards(draw: st.DrawFn) -> str:
    body = "62" + draw(st.text("0123456789", min_size=13, max_size=16))
    return next(body + last for last in "0123456789" if is_luhn(body + last))


mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
landlines = st.from_regex(r"0(?:10|2[0-9]|[3-9][1-9][0-9])-[2-8][0-9]{6,7}", fullmatch=True)
emails = st.from_regex(r"[a-z][a-z0-9_.]{2,12}@(?:qq|163|example)\.com", fullmatch=True)
plates = st.from_regex(r"[京沪粤湘浙鄂川][A-HJ-NP-Y](?:[A-HJ-NP-Z0-9][0-9]{4}|[DF][0-9]{5})", fullmatch=True)
given_names = st.text(sorted(load_gazetteer().given), min_size=1, max_size=2)
surnames = st.sampled_from("王李张刘陈杨赵周吴徐孙朱郭罗梁宋郑谢韩唐冯董萧程曹袁邓傅沈曾彭吕苏卢蒋蔡魏薛叶阎潘杜")


@st.composite
def names(draw: st.DrawFn) -> str:
    name = draw(surnames) + draw(given_names)
    assume(not load_gazetteer().is_word(name))
    return name


def spaced(number: str, pattern: str) -> str:
    """Cut `number` into groups of the lengths in `pattern`, joined by its separator: `3-4-4`."""
    separator = re.search(r"\D", pattern)[0]
    parts, place = [], 0
    for length in map(int, re.findall(r"\d+", pattern)):
        parts.append(number[place : place + length])
        place += length
    return separator.join(part for part in [*parts, number[place:]] if part)


def has_survived(value: str, text: str) -> bool:
    return value in text or re.sub(r"\W", "", value) in re.sub(r"\W", "", text)


# --- no planted value survives --------------------------------------------------------------------------------


@FEW
@given(resident_ids(), st.sampled_from(["3 3 4 4", "6-8-4", "20 ", "17 1", "4 4 4 4"]))
@pytest.mark.parametrize(
    "carrier", ["身份证{}", "我的证件号是{},请查。", "{}", "A市B区居民（{}）反映社保断缴", "号码为{}的参保人"]
)
def test_resident_ids_are_hidden(carrier: str, number: str, grouping: str) -> None:
    for written in (number, number.lower(), spaced(number, grouping)):
        result = masked(carrier.format(written))
        assert not has_survived(written, result.text)
        assert "[身份证]" in result.text


@FEW
@given(mobiles, st.sampled_from(["3-4-4", "3 4 4", "3.4.4", "1 1 1 1 1 1 1 1 1 1 1", "3-8", "7-4", "20-"]))
@pytest.mark.parametrize(
    "carrier", ["电话{}", "请联系{}，谢谢", "{}", "老板（{}）不接", "我叫张三丰，{}，A市人", "手机号+86{}一直有效"]
)
def test_mobile_numbers_are_hidden(carrier: str, number: str, grouping: str) -> None:
    for written in (number, spaced(number, grouping)):
        assert not has_survived(written, masked(carrier.format(written)).text)


@FEW
@given(mobiles)
def test_mobile_numbers_in_chinese_numerals_are_hidden(number: str) -> None:
    spelt = number.translate(str.maketrans("0123456789", "零一二三四五六七八九"))
    assert masked(f"打我电话{spelt}就行").text == "打我电话[电话]就行"


@FEW
@given(landlines, st.sampled_from(["", "-801", "转8012"]))
@pytest.mark.parametrize("carrier", ["家里座机{}没人接", "办公电话：{}", "打过{}，占线"])
def test_landlines_are_hidden(carrier: str, number: str, extension: str) -> None:
    assert not has_survived(number, masked(carrier.format(number + extension)).text)


@FEW
@given(cards(), st.sampled_from(["4 4 4 4", "4-4-4-4", "30 "]))
@pytest.mark.parametrize("carrier", ["卡号{}", "工资打到{}这张卡", "{}", "账号：{}，户名见附件"])
def test_bank_cards_are_hidden(carrier: str, number: str, grouping: str) -> None:
    for written in (number, spaced(number, grouping)):
        assert not has_survived(written, masked(carrier.format(written)).text)


@FEW
@given(emails)
@pytest.mark.parametrize("carrier", ["邮箱{}", "发到{}即可", "联系：{}。", "请回复{}，电话不方便"])
def test_emails_are_hidden(carrier: str, address: str) -> None:
    assert not has_survived(address, masked(carrier.format(address)).text)


@FEW
@given(plates, st.sampled_from(["", "·", " "]))
@pytest.mark.parametrize("carrier", ["车牌{}违停", "{}闯红灯", "出租车（{}）拒载", "我的车{}被刮了"])
def test_plates_are_hidden(carrier: str, plate: str, dot: str) -> None:
    written = plate[:2] + dot + plate[2:]
    assert not has_survived(written, masked(carrier.format(written)).text)


NAME_CARRIERS = [
    "我叫{}，今年六十岁。",
    "本人{}，系A市某厂退休职工。",
    "姓名：{}，性别：女。",
    "联系人：{}",
    "被举报人：{}，现任某局副局长。",
    "法定代表人{}，公司在A市。",
    "村支书{}把低保给了自己的亲戚。",
    "找到{}局长，没有结果。",
    "请求解决。此致敬礼！{}",
    "请求解决。\n{}\n2024年3月1日",
    "{}，身份证附后，男，汉族。",
    "我的名字叫{}。",
]


@FEW
@given(names())
@pytest.mark.parametrize("carrier", NAME_CARRIERS)
def test_names_beside_a_trigger_are_hidden(carrier: str, name: str) -> None:
    assert not has_survived(name, masked(carrier.format(name)).text)


@FEW
@given(names().filter(lambda name: len(name) == 3))
def test_a_name_found_once_is_hidden_everywhere(name: str) -> None:
    text = masked(f"我叫{name}。去年冬天{name}在工地受伤，没人管{name}死活。").text
    assert name not in text
    assert text.count("[姓名]") == 3


@pytest.mark.parametrize(
    ("letter", "hidden"),
    [
        ("联名人：\n张三\n李建国\n王五\n2024年3月1日", "联名人:\n[姓名]\n[姓名]\n[姓名]\n2024年3月1日"),
        (
            "业主签名\n101 张三\n202 李建国 13812345678\n203 古丽娜",
            "业主签名\n101[姓名]\n202[姓名][电话]\n203[姓名]",
        ),
        ("不肯签字\n江苏建工欠款", "不肯签字\n江苏建工欠款"),
        ("要求签字\n万科业主都来了", "要求签字\n万科业主都来了"),
    ],
)
def test_a_list_of_signatories_may_fill_several_lines(letter: str, hidden: str) -> None:
    assert masked(letter).text == hidden


@FEW
@given(st.lists(names().filter(lambda name: len(name) == 3), min_size=2, max_size=8))
def test_signatories_set_apart_by_spaces_are_all_hidden(signatories: list[str]) -> None:
    text = masked(f"望解决。联名签字：{' '.join(signatories)}").text
    assert not any(name in text for name in signatories)


# --- the record is true ---------------------------------------------------------------------------------------

PIECES = st.one_of(
    st.sampled_from(
        [
            "尊敬的领导：",
            "我叫",
            "电话",
            "，",
            "。",
            "\n",
            " ",
            "[姓名]",
            "[电话]",
            "]",
            "A7县",
            "此致敬礼",
            "联名签字：",
            "业主签名\n",
            "身份证",
            "3栋",
            "号",
            "、",
        ]
    ),
    st.text("村组路街号楼单元室镇长局王李张一二三〇1234567890-()[]〔〕民初字第", max_size=8),
    st.text(max_size=5),
    *(resident_ids(), mobiles, cards(), emails, plates, names(), landlines),
)
messages = st.lists(PIECES, max_size=16).map("".join)


@given(messages)
@settings(max_examples=300, deadline=None)
def test_masking_twice_changes_nothing_more(content: str) -> None:
    once = masked(content)
    assert masked(once.text).text == once.text


@given(messages)
@settings(max_examples=300, deadline=None)
def test_offsets_map_back_to_the_original(content: str) -> None:
    result = masked(content)
    assert len(result.origin) == len(result.text)
    assert list(result.origin) == sorted(result.origin)
    placeholders = {place for match in PLACEHOLDER.finditer(result.text) for place in range(*match.span())}
    for place, (character, origin) in enumerate(zip(result.text, result.origin, strict=True)):
        assert 0 <= origin < len(content)
        if place not in placeholders:
            assert character in normalise(f"字{content[origin]}字").text or character in " \n"


@FEW
@given(messages)
def test_redactions_are_disjoint_and_inside_the_original(content: str) -> None:
    redactions = masked(content).redactions
    assert all(0 <= redaction.start < redaction.end <= len(content) for redaction in redactions)
    assert all(before.end <= after.start for before, after in pairwise(redactions))
    assert {redaction.kind for redaction in redactions} <= set(KINDS)


@FEW
@given(mobiles, st.text("路灯坏了，请修。\n ", max_size=20), st.text("谢谢！ ", max_size=8))
def test_a_placeholder_points_at_what_it_replaced(number: str, before: str, after: str) -> None:
    content = f"{before}电话{number}{after}"
    result = masked(content)
    (redaction,) = [found for found in result.redactions if found.kind == "电话"]
    assert content[redaction.start : redaction.end] == number
    start = result.text.index("[电话]")
    assert result.original_span(start, start + 4) == (redaction.start, redaction.end)


def test_the_type_word_of_a_case_number_stays_and_points_at_itself() -> None:
    content = "不服（2021）粤0306民初12345号判决"
    result = masked(content)
    assert result.text == "不服民初[案号]判决"
    (redaction,) = result.redactions
    assert content[redaction.start : redaction.end] == "（2021）粤0306民初12345号"
    kept = result.text.index("民初")
    assert result.origin[kept] == content.index("民初")


# --- written sentences ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sentence", [sentence for sentence in MARKED if sentence.expected], ids=lambda s: s.text[:18])
def test_marked_values_are_hidden(sentence) -> None:
    redactions = masked(sentence.text).redactions
    for value in sentence.expected:
        assert covers(redactions, value, text=sentence.text)
        assert any(made.kind == value.kind for made in redactions)


@pytest.mark.parametrize(
    "sentence", [sentence for sentence in MARKED if not sentence.expected], ids=lambda s: s.text[:18]
)
def test_sentences_without_personal_data_stay_as_they_are(sentence) -> None:
    assert masked(sentence.text).text == normalise(sentence.text).text


@FEW
@given(
    st.from_regex(r"[A-Z][0-9]{0,2}(?:市|县|区|镇|村|街道)", fullmatch=True),
    st.sampled_from(["{}人民医院", "我在{}上班", "西地省{}"]),
)
def test_place_codes_of_anonymised_texts_stay(code: str, carrier: str) -> None:
    text = carrier.format(code)
    assert masked(text).text == text


def test_places_down_to_the_village_stay() -> None:
    assert masked("H省C市D县E镇新塘村八组37号").text == "H省C市D县E镇新塘村[地址]"


@FEW
@given(st.integers(1, 99_999_999_999), st.sampled_from(["元", "万元", "亩", "平方米", "吨"]))
def test_amounts_stay(amount: int, unit: str) -> None:
    text = f"共计{amount}{unit}"
    assert masked(text).text == text


@FEW
@given(st.dates(date(1950, 1, 1), date(2030, 1, 1)))
@pytest.mark.parametrize("form", ["%Y年%m月%d日", "%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d"])
def test_dates_stay(form: str, day: date) -> None:
    text = f"自{day:{form}}起停水"
    assert masked(text).text == text


# --- checks, logs, speed, docs --------------------------------------------------------------------------------


def test_check_digits() -> None:
    assert is_resident_id("11010519491231002X")
    assert not is_resident_id("110105194912310021")
    assert not is_resident_id("11010519491331002X")
    assert is_old_resident_id("110105491231002")
    assert not is_old_resident_id("110105491331002")
    assert is_bank_card("6222021234567890128") or not is_luhn("6222021234567890128")
    assert not is_bank_card("1234567890123")


def test_every_sentence_kind_is_measured() -> None:
    assert {value.kind for sentence in MARKED for value in sentence.expected} == set(KINDS)
    assert sum(bool(sentence.expected) for sentence in MARKED) >= 120
    assert sum(not sentence.expected for sentence in MARKED) >= 80


def test_an_unknown_kind_in_the_marked_file_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind of personal data '门牌'; allowed: 姓名"):
        read_marked(["我住{{门牌:12号}}"])


def test_neither_logs_nor_the_record_hold_the_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    result = masked("我叫王小明，电话13812345678")
    assert "13812345678" not in repr(result)
    assert "王小明" not in repr(result)
    assert not caplog.records


def test_the_table_in_the_docs_is_the_measured_one() -> None:
    assert report(MARKED_FILE) in (ROOT / "docs/privacy.md").read_text(encoding="utf-8")


ORDINARY_LETTER = """
翠湖小区二期停水三天无人管
我们是B市A2区翠湖小区二期的业主，房子是2016年交付的，一共12栋楼，一千多户人家。从上个星期五开始，五楼以上完全没有水，楼下几户也只有一根线那么细。
打物业电话，物业说是水压的问题，让我们找自来水公司；自来水公司说小区的加压泵房归物业管，从来没有移交给他们。两边推来推去，三天过去了，家里老人小孩连洗澡都成问题，
只能到楼下提桶接水，八十多岁的老人提着桶爬楼梯，看着都心酸。我们也打过12345，工单转到街道，街道打了个电话来问了一下情况就没有下文了。每个月的物业费一块八一平方，
一分钱没少交，二次供水的费用也是按月代收的，为什么到了出问题的时候就没有人负责了呢？希望住建部门和街道能够出面，先把水恢复起来，再把泵房移交的事情说清楚，
不要每年夏天都来这么一次。另外，泵房的水箱据说两年没有清洗过，水放出来有一股铁锈味，也请一并检查一下，给我们老百姓一个明确的说法。谢谢领导。
"""


def test_the_time_of_masking_grows_with_the_length_not_with_its_square() -> None:
    content = ORDINARY_LETTER[:392] + "我叫秦小川。"
    once, eight = normalise(content), normalise(content * 8)
    times: dict[int, list[float]] = {1: [], 8: []}
    for _ in range(20):
        for times_longer, normalised in ((1, once), (8, eight)):
            started = time.process_time()
            mask(normalised)
            times[times_longer].append(time.process_time() - started)
    # Eight times where it is linear, sixty-four times where it is quadratic; the best runs for busy machines.
    assert min(times[8]) < 24 * min(times[1])
