"""Units a petition concerns or has turned to: offices, courts, firms, schools, hospitals, villages, with their level.

A unit is a known ending (教育局, 物业公司, 卫生院) with the name in front of it; the name goes back to the nearest word
that cannot be part of a name. Endings are data (`units.yaml`) so that an office can add its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

OFFICES = frozenset({"纪检监察", "党委政府", "政府部门", "公安机关", "公安交管", "消防", "法院", "检察院", "仲裁机构"})
"""Kinds of units that hold public power; the others are those they deal with."""

_LONGEST_NAME = 16
_STOP = re.compile(
    r".*(?:[的在由向到找与和及是被对让请望求打给就把去从了于为但也都我们你您他她它这该此某有说称要不没再曾后前时将可能已经"
    r"或者个从以用因按据告问如果却又并且跟帮叫骂至往过着]|反映|投诉|举报|咨询|建议|关于|希望|质疑|控告|通过|联系|"
    r"拨打|多次|今年|去年|附近|旁边|对面|一家|两家|几家|三家|位于"
    r"|工作|作为|其中|其他|所有|任何|各级|当地|相关|有关|主管|监管|学习|就读|毕业|入职|进入|购买|开发建设|聘请|"
    r"委托|成立|经营|管理层|强烈|追究|查处|督促|责令|尽快|来源|住(?!建|房|"
    r"宅)|发现|然而|相信|谢谢|看见|造成|致使|吃|关注|考上|踏入|理解|部分|正规|真正|当初|所寄|所属|多家|多处|两处|"
    r"几处|那些|不少|先谨|代表|知(?!识)|冒充|响应|小区里|[0-9]年|"
    r"[0-9]月|[0-9]日)"
)  # fmt: skip
_SPACE = re.compile(r".*[^一-龥A-Za-z0-9()·]")
_WORDS = re.compile(r"(?:布|结|格|当|时|全|大|僵|饭|骗|位)局|(?:歌|餐|客|大|门|舞|展|音乐)厅|\d+位局")
"""Words that end like a unit."""
_PERSON_AFTER = re.compile(r"长(?!期|年|久)|主任|书记")


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A unit at `[start, end)` of the masked text: its kind (公安机关, 学校 …) and its level, "" if not shown."""

    start: int
    end: int
    kind: str
    level: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Endings:
    """The endings of `units.yaml`: one pattern for all, and for each ending its kind and whether it needs a name."""

    pattern: re.Pattern[str]
    kind: dict[str, str]
    named: frozenset[str]


@cache
def _endings() -> _Endings:
    """Load `units.yaml` once."""
    rows = yaml.safe_load((files("nlp") / "elements" / "units.yaml").read_text(encoding="utf-8"))
    kind = {ending: row["kind"] for row in rows for ending in [*row.get("alone", []), *row.get("named", [])]}
    named = frozenset(ending for row in rows for ending in row.get("named", []))
    longest_first = sorted(kind, key=len, reverse=True)
    return _Endings(pattern=re.compile("|".join(map(re.escape, longest_first))), kind=kind, named=named)


def find_units(text: str) -> Iterator[Unit]:
    """Yield the units named in the masked `text`, in order, without overlaps."""
    endings = _endings()
    done = 0
    matches = list(endings.pattern.finditer(text))
    for number, match in enumerate(matches):
        following = matches[number + 1] if number + 1 < len(matches) else None
        if following and following.start() == match.end() and following.group() not in {"领导"}:
            continue  # 教育局 + 办公室: the longer name ends at the later ending
        start = _name_start(text, match.start(), floor=done)
        if match.group() in endings.named and (match.start() - start < 2 or _is_word(text, match)):
            continue
        level = _level(text[start : match.end()])
        yield Unit(start=start, end=match.end(), kind=endings.kind[match.group()], level=level)
        done = match.end()


def _is_word(text: str, match: re.Match[str]) -> bool:
    """Tell whether the ending belongs to an ordinary word (布局, 歌厅) or to a person's title (局长)."""
    tail = text[max(0, match.start() - 2) : match.end()]
    return bool(_WORDS.search(tail) or _PERSON_AFTER.match(text, match.end()))


def _name_start(text: str, ending: int, *, floor: int) -> int:
    """Return where the name before the ending begins."""
    start = max(floor, ending - _LONGEST_NAME)
    for barrier in (_SPACE, _STOP):
        found = barrier.match(text, start, ending)
        if found:
            start = found.end()
    opened = text.rfind("(", start, ending)
    if opened >= 0 and ")" not in text[opened:ending]:
        start = opened + 1
    return start


_LEVELS = (
    ("village", re.compile(r"村|居委|社区|业委会|村支")),
    ("town", re.compile(r"镇|乡(?!村振兴)|街道|(?:派出|工商|国土|司法|财政|税务|房管)所|卫生院|中心完?小|中心学校")),
    ("county", re.compile(r"[县旗]|(?<![小社校园片景城郊矿])区|[A-Z]\d{1,2}市")),
    ("city", re.compile(r"市(?!场|政|民|容)|州(?!路)|地区")),
    ("province", re.compile(r"省|自治区|厅")),
    ("nation", re.compile(r"国家|国务院|中央|全国|部(?:委)?$|公安部|最高")),
)


def _level(name: str) -> str:
    """Return the narrowest administrative level the name shows, "" if none."""
    return next((level for level, pattern in _LEVELS if pattern.search(name)), "")
