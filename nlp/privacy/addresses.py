"""The part of an address below the village or the estate: villagers' group, house number, building, unit, room.

Roads, estates, villages and everything above stay: they say which office is responsible. A building alone
("5栋的电梯") stays too, because it is a place, not a household; with a unit or a room it leads to one family.
"""

import re
from collections.abc import Iterator

from nlp.privacy.spans import Span, search_windows, windows_near

_N = r"(?:[A-Za-z]?\d{1,4}[A-Za-z]?|[A-Za-z]|[一二三四五六七八九十百]{1,4})"
_HOUSE = r"\d{1,4}(?:[-之附]\d{1,3})?号(?:附\d{1,3}号?|之[一二三四五六七八九十])?"
_SPELT_HOUSE = (
    r"(?:(?:[四五六七八九]十[一二三四五六七八九]?|[一二三四五六七八九][百零〇一二三四五六七八九][零〇一二三四五六七八九十]{0,3})号"
    r"|[一二三四五六七八九十]{1,3}号(?=[,。;、!?)\n]|$))"
)
"""A house number in Chinese numerals; one that could be a day of the month (十五号) must end its clause."""
_BUILDING = rf"(?:{_N}(?:-\d{{1,2}})?(?:号?楼栋|号楼|栋楼|栋|幢|#楼|#栋|#|号栋|号院)|(?:[A-Za-z]\d{{0,2}}|\d{{1,2}})座)"
_UNIT = rf"(?:(?:{_N}|[甲乙丙丁东西中])(?:单元|门洞|梯|号门|门(?=\d{{3}}))(?!楼)|{_N}门(?={_N}[楼层]))"
_FLOOR = rf"(?:{_N}(?:楼|层)(?!道|梯|板|房|栋|盘|顶))"
_ROOM = (
    r"(?:[A-Za-z]?\d{3,4}(?:-\d)?[A-Za-z]?(?:号房|室|房|号|户|铺)?(?![\d元万年平㎡%户栋套人吨亩米个千kKmM]|多|余|公里)|\d{1,4}(?:室|号房|房号)(?!\d厅)"
    r"|(?=[一二三四五六七八九]{1,3}[零〇])[一二三四五六七八九][零〇一二三四五六七八九]{2,3}(?:室|号房|号|房|户)?(?![元万年平栋套人吨亩米个千月日])"
    r"|[一二三四五六七八九]零?[一二三四五六七八九](?:室|号))"
)
_SIDE = r"(?:[东西中南北]{1,2}户)"
_UNIT_ROOM = r"(?:\d{1,2}-\d{3,4}(?:室|号|房|户)?(?![\d元万年平㎡%栋套人吨亩米个千kKmM-]|多|余|公里))"
"""Unit and room joined (5栋2-1104)."""
_GAP = r"[ ,、\-—]?"

_HOUSEHOLD = re.compile(
    rf"(?:{_BUILDING}{_GAP}{_UNIT}{_GAP}(?:{_FLOOR}{_GAP})?(?:{_ROOM}|{_SIDE})?"
    rf"|{_BUILDING}{_GAP}{_UNIT_ROOM}"
    rf"|{_BUILDING}{_GAP}(?:{_FLOOR}{_GAP})?{_ROOM}"
    rf"|{_UNIT}{_GAP}(?:{_FLOOR}{_GAP})?{_ROOM}"
    r"|[A-Za-z]?\d{1,3}-\d{1,2}-\d{3,4}(?:室|号|房|户|(?=住户|租户|业主|房主|居民))"
    r"|(?<=[苑园城府庭区村楼院湾郡居邸里庄寓号住址:舍])[A-Za-z]?\d{1,3}-\d{1,2}-(?!(?:19|20)\d\d\D)\d{3,4}(?![\d元万年-])"
    r"|(?<=[苑园城府庭区村楼院湾郡居邸里庄寓住址:舍])[A-Za-z]?\d{1,3}-\d{3,4}(?:室|号|房|户)?(?![\d元万年-])"
    r"|(?<![\d.第])\d{3,4}(?:室|号房)(?!\d厅|内温))"
)
_LIVES = re.compile(
    rf"(?:家住|家在|住在|住址|住于|居住在|现住|地址)[^,。;!?\[]{{0,24}}?(?P<n>{_BUILDING})(?![a-zA-Z\d])"
)
_ROAD = re.compile(
    rf"(?:大道|大街|路|街(?!道)|巷|弄|胡同|里弄|段)(?:[东西南北中](?:段)?)?(?P<n>{_HOUSE}|{_SPELT_HOUSE})"
    r"(?!线|楼|地块|文|令|公馆|早|晚|上午|下午|凌晨|中午|当天|开始|起|停|之前|前|左右|至|到|-|站|桥|口|出口|门店)"
)
_NUMBERED_GROUP = r"第?(?:\d{1,3}|[一二三四五六七八九十]{1,3})(?:村民小组|居民小组|小组|组|队|社)"
_GROUP_END = r"(?!长|织|成|建|合|装|团|委|员|伍|会|区|办|保|长期)"
# Not a village group: 驻村工作组, 村调查组, 村理财小组 …, and anything with a place or function word inside.
_GROUP_NAME = (
    r"(?![驻工调专巡检督清筹评理领的和有全各支两委几多小民每本该班村社居街改验是在我们])"
    r"(?:[^\W\d_A-Za-z村镇乡区县市路的和在是我各](?![作查案导财督备察算估革收班]组)){2,4}"
)
_VILLAGE_GROUP = re.compile(
    rf"(?<=[村区坪屯庄寨湾场])(?P<n>(?:{_NUMBERED_GROUP}|{_GROUP_NAME}(?:村民小组|组)){_GROUP_END}(?:{_HOUSE})?)"
)
_TOWN_GROUP = re.compile(rf"(?<=[镇乡])(?P<n>{_NUMBERED_GROUP}){_GROUP_END}")
_VILLAGE_HOUSE = re.compile(r"(?<=[村寨屯庄])(?P<n>(?:门牌)?\d{1,4}号)(?=[,。;、!?)的]|$|[\u4e00-\u9fa5]?家|村民|住户)")
_DOORPLATE = re.compile(r"(?:门牌号?|门牌号码|房号|室号)(?:是|为)?[:]?(?P<n>\d{1,5}(?:-\d{1,4}){0,2}号?)(?![元万年])")


_MARK = re.compile(r"[栋幢座室#]|单元|号楼|号房|\d-\d")
_GROUP_MARK = re.compile(r"[组社队]")
_HOUSE_MARK = re.compile(r"[\d一二三四五六七八九十百零〇]号|门牌|房号|室号")


_PATTERNS = {
    _MARK: (_HOUSEHOLD, _LIVES),
    _GROUP_MARK: (_VILLAGE_GROUP, _TOWN_GROUP),
    _HOUSE_MARK: (_ROAD, _VILLAGE_HOUSE, _DOORPLATE),
}


def find_addresses(text: str) -> Iterator[Span]:
    """Yield the household-level parts of the addresses in `text`."""
    for anchor, patterns in _PATTERNS.items():
        windows = windows_near(anchor, text)
        for pattern in patterns:
            group = "n" if "n" in pattern.groupindex else 0
            for match in search_windows(pattern, text, windows):
                yield Span(kind="地址", start=match.start(group), end=match.end(group))
