"""Places as jurisdiction: mentions from the province down to the township, and which one the problem is in.

Names come from the gazetteer; the place codes of texts anonymised at source (A市, B7县, 西地省) count like names.
A township the gazetteer does not know is taken when it directly follows a known place or a word that announces a place.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nlp.divisions import LEVELS, DivisionLevel, divisions
from nlp.elements.records import Jurisdiction

_CODE_PLACE = re.compile(r"(?<![A-Za-z])[A-Z]\d{0,2}(?:县市|市县|县县|[省州市县区])|西地省")
_SUFFIX = re.compile(r"自治[区州县旗]|地区|特别行政区|街道|苏木|[省市县区州旗盟镇乡]")
_LONGEST_NAME = 11
_TOWN_AFTER_PLACE = re.compile(r"[一-龥]{1,5}?(?:街道|镇|乡)(?![一-龥]?(?:政府|村企业|亲)|镇)")
_TOWN_ANNOUNCED = re.compile(
    r"(?:^|[在住到于自属,。;:!?、\n ]|位于|我是|来自|我们)(?P<name>[一-龥]{1,4}?(?:镇|乡))(?!镇|村企业|亲|政府)"
)
_NOT_TOWN = re.compile(
    r"^(?:.*(?:乡镇|城镇|村镇|集镇|小镇|老乡|家乡|故乡|下乡|回乡|城乡|[本我该各全这那两几每多]个?(?:镇|乡|街道)|"
    r"[过进出来去我他她偏]|整条街道|条街道|[的和与及在到是从往了]).*|"
    r"街道|[镇乡]|.{0,2}(?:两侧|周边)街道)$"
)
_ZONE = re.compile(r"[一-龥]{0,4}?(?:高新|经开|经济技术开发|开发|管理|新|工业园|产业园)区")
_ROAD_AFTER = re.compile(
    r"(?:[东西南北中一二三四五]?[路街巷](?!道办|镇)|[东南西北中]?大道|大厦|大酒店|大学|学院|银行|商会|广场|花园|牌|"
    r"烤鸭|城市花园|[一二三四五六]中|话|时间)"
)
_HOME_BEFORE = re.compile(
    r"(?:户口(?:所在地|地)?|户籍(?:所在地|地)?|籍贯|原籍|老家|祖籍|落户|出生地|迁入|入户)[^,。;!?\n]{0,4}$"
)
_HOME_AFTER = re.compile(r"(?:[一-龥]{0,3}?(?:户口|户籍|籍)|(?:本地)?人(?=[,。;!?\n ]|在|现|因|来|士|氏|口|$))")
_PERSON_BEFORE = re.compile(r"(?:我|本人|我们|自己|丈夫|妻子|母亲|父亲|爱人|老公|女友)[^,。;!?\n]{0,3}$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A chain of division names at `[start, end)` of the masked text; `home` marks registration or origin."""

    start: int
    end: int
    names: dict[DivisionLevel, str] = field(default_factory=dict)
    home: bool = False

    @property
    def level(self) -> DivisionLevel:
        """The narrowest level named."""
        return next(level for level in reversed(LEVELS) if level in self.names)


def find_places(text: str) -> tuple[Place, ...]:
    """Return the places named in the masked `text`, in order; neighbouring names are joined to one chain."""
    return tuple(_with_role(place, text) for place in _chains(_mentions(text), text))


def _mentions(text: str) -> list[tuple[int, int, DivisionLevel]]:
    """Return single names with their level, earlier and longer ones first, without overlaps."""
    found = [*_code_places(text), *_gazetteer_names(text), *_short_names(text)]
    kept: list[tuple[int, int, DivisionLevel]] = []
    for mention in sorted(found, key=lambda mention: (mention[0], -mention[1])):
        if not kept or mention[0] >= kept[-1][1]:
            kept.append(mention)
    known_ends = {end for _, end, _ in kept}
    starts = {start for start, _, _ in kept}
    kept.extend(_unknown_towns(text, known_ends, starts))
    return sorted(kept)


def _code_places(text: str) -> Iterator[tuple[int, int, DivisionLevel]]:
    """Yield place codes: one letter is a city, a letter with a number a county (or a city or a prefecture)."""
    for match in _CODE_PLACE.finditer(text):
        code = match.group()
        level: DivisionLevel = "county"
        if code.endswith("省"):
            level = "province"
        elif len(code) == 2 or code.endswith("州"):
            level = "city"
        yield match.start(), match.end(), level


def _gazetteer_names(text: str) -> Iterator[tuple[int, int, DivisionLevel]]:
    """Yield full names of the gazetteer, found by looking back from their suffix."""
    codes = divisions().codes
    for suffix in _SUFFIX.finditer(text):
        end = suffix.end()
        for start in range(max(0, end - _LONGEST_NAME), end - 1):
            found = codes.get(text[start:end])
            if found and text[start:end] not in _ORDINARY_WORDS:
                widest = min(len(code) for code in found)
                yield start, end, _LEVEL_BY_LENGTH[widest]
                break


_LEVEL_BY_LENGTH: dict[int, DivisionLevel] = {2: "province", 4: "city", 6: "county", 9: "town"}
_ORDINARY_WORDS = frozenset(
    "城区 郊区 矿区 新市 开县 和县 街道 经济开发区 开发区 高新区 工业园区 经济技术开发区 海城市".split()  # noqa: SIM905
)
"""Division names that are ordinary words, or ends of them (沿海城市), in most messages."""


def _short_names(text: str) -> Iterator[tuple[int, int, DivisionLevel]]:
    """Yield provinces and cities without their suffix, unless they are part of a road, brand or institution."""
    table = divisions()
    for start in range(len(text) - 1):
        if not "一" <= text[start] <= "龥":
            continue
        for length in (4, 3, 2):
            full = table.short.get(text[start : start + length])
            if full and not _ROAD_AFTER.match(text, start + length) and len(text[start : start + length]) == length:
                widest = min(len(code) for code in table.codes[full])
                yield start, start + length, _LEVEL_BY_LENGTH[widest]
                break


def _unknown_towns(text: str, ends: set[int], starts: set[int]) -> Iterator[tuple[int, int, DivisionLevel]]:
    """Yield townships that only their position gives away."""
    for end in sorted(ends):
        match = _TOWN_AFTER_PLACE.match(text, end)
        if match and not _NOT_TOWN.match(match.group()) and not any(place in starts for place in range(*match.span())):
            yield match.start(), match.end(), "town"
    for match in _TOWN_ANNOUNCED.finditer(text):
        start, end = match.span("name")
        taken = any(place in starts for place in range(start, end)) or end in ends or start in ends
        if not taken and not _NOT_TOWN.match(match.group("name")):
            yield start, end, "town"


def _chains(mentions: Iterable[tuple[int, int, DivisionLevel]], text: str) -> Iterator[Place]:
    """Join names that touch and go from wide to narrow; a development zone behind a place belongs to it."""
    start = end = -1
    names: dict[DivisionLevel, str] = {}
    for first, last, level in mentions:
        if first < end:
            continue
        narrower = names and LEVELS.index(level) > max(LEVELS.index(known) for known in names)
        if names and (first != end or not narrower):
            yield Place(start=start, end=end, names=names)
            names = {}
        if not names:
            start = first
        names[level] = text[first:last]
        end = last
        zone = _ZONE.match(text, end)
        if zone and level in {"province", "city"} and zone.end() - end > 2:
            names["county"] = zone.group()
            end = zone.end()
    if names:
        yield Place(start=start, end=end, names=names)


def _with_role(place: Place, text: str) -> Place:
    """Mark a place of registration or origin: it never decides the jurisdiction (problem_place_over_hukou)."""
    before, home_after = text[max(0, place.start - 14) : place.start], _HOME_AFTER.match(text, place.end)
    is_origin = bool(home_after) and ("户" in home_after.group() or "籍" in home_after.group()) if home_after else False
    is_origin = is_origin or bool(home_after and _PERSON_BEFORE.search(before))
    if _HOME_BEFORE.search(before) or is_origin:
        return Place(start=place.start, end=place.end, names=place.names, home=True)
    return place


def jurisdiction(places: Iterable[Place], *, title_end: int) -> Jurisdiction:
    """Choose the place of the problem: the narrowest, most repeated one; the title and the first mention count double.

    Wider levels are filled from the other mentions and from the gazetteer; a name borne by several divisions is
    reported with its candidates and no code. Nothing is guessed where only a home place is named.
    """
    problem = [place for place in places if not place.home]
    if not problem:
        return Jurisdiction()
    weight: Counter[tuple[tuple[DivisionLevel, str], ...]] = Counter()
    for number, place in enumerate(problem):
        weight[_key(place)] += 2 if place.start < title_end or number == 0 else 1
    best = max(problem, key=lambda place: weight[_key(place)] + 0.6 * LEVELS.index(place.level))
    names = dict(best.names)
    for place in problem:
        # A chain that shares a name with the best one adds the levels the best one lacks.
        if any(names.get(level) == name for level, name in place.names.items()):
            names.update({level: name for level, name in place.names.items() if level not in names})
    narrowest = LEVELS.index(max(names, key=LEVELS.index))
    for level in LEVELS[:narrowest]:
        wider = Counter(place.names[level] for place in problem if level in place.names)
        fitting = [name for name, _ in wider.most_common() if _lies_in(names, name)]
        if level not in names and fitting:
            names[level] = fitting[0]
    return _resolved(names)


def _key(place: Place) -> tuple[tuple[DivisionLevel, str], ...]:
    """Return what two mentions of one place have in common."""
    return tuple(sorted(place.names.items()))


def _lies_in(names: dict[DivisionLevel, str], wider: str) -> bool:
    """Tell whether the place `names` can lie in the division called `wider`.

    Place codes share the letter of their city (A3区 in A市); real names are looked up.
    """
    coded = [name for name in names.values() if _CODE_PLACE.fullmatch(name)]
    if coded or _CODE_PLACE.fullmatch(wider):
        return wider == "西地省" or any(name[0] == wider[0] for name in coded)
    table = divisions()
    containers = table.find(table.short.get(wider, wider))
    return any(table.find(name, within=code) for code in containers for name in names.values())


def _resolved(names: dict[DivisionLevel, str]) -> Jurisdiction:
    """Look the names up from wide to narrow; complete the wider levels when the narrowest is certain.

    A place code hides the real place on purpose: its townships are not looked up.
    """
    if any(_CODE_PLACE.fullmatch(name) for name in names.values()):
        return Jurisdiction(names=_ordered(names))
    table = divisions()
    candidates: tuple[str, ...] = ("",)
    for level in LEVELS:
        if level in names:
            full = table.short.get(names[level], names[level])
            narrowed = tuple(code for within in candidates for code in table.find(full, within=within))
            candidates = narrowed or candidates
    if candidates == ("",):
        return Jurisdiction(names=_ordered(names))
    if len(candidates) > 1:
        return Jurisdiction(names=_ordered(names), candidates=candidates[:10])
    return Jurisdiction(names=_ordered({**table.chain(candidates[0]), **names}), code=candidates[0])


def _ordered(names: dict[DivisionLevel, str]) -> dict[DivisionLevel, str]:
    """Return the names from wide to narrow."""
    return {level: names[level] for level in LEVELS if level in names}
