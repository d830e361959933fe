"""Time expressions: dates, parts of the day, recurring times and durations; vague words (最近, 一直) are left out."""

import re
from collections.abc import Iterator

_N = r"(?:\d{1,4}|[零〇一二两三四五六七八九十百叁]{1,10}+|几|数|半|多)"
_YEAR = (
    r"(?:(?:19|20)\d{2}年度?|[二一][零〇0九][零〇一二三四五六七八九]{2}年|(?:去|今|前|明|后|上一|本|同|次|当)年|"
    r"(?<!\d)\d{2}年(?=\d))"
)
_MONTH = (
    r"(?:(?:上|下|本|这|当|次)个?月(?:份)?|(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九]|元)月(?:份|初|底|中旬|"
    r"上旬|下旬|末)?)"
)
_DAY = (
    r"(?:(?:3[01]|[12]\d|0?[1-9]|[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])[日号](?!线|楼|院|栋|地块|"
    r"桥|公馆|路|站|门|店|文件|令|机|仓|矿|出口|口|北|南|东|"
    r"西|地|井|台|文|机|车))"
)
_HALF = r"(?:(?:上|下)半年|年初|年底|年末|年中|[一二三四]季度|春天|夏天|秋天|冬天|[初底末])"
_REL_DAY = (
    r"(?:昨|今|前|明|当|次|第[一二三四五]|同)(?:天|日)|昨(?:晚|夜)|今(?:早|晚|晨)|(?:上|下|本|这)?(?:个)?(?:周|"
    r"星期|礼拜)[一二三四五六日天末]|周末|双休日|前几天|前两天|"
    r"这两天"
)
_PART = (
    r"(?:凌晨|清晨|早上|早晨|一大早|上午|中午|正午|午休|下午|傍晚|晚上|晚间|夜间|夜里|深夜|半夜|午夜|早晚高峰期?|"
    r"上下班高峰期?|高峰期间?)"
)
_CLOCK = (
    r"(?:(?<!\d)(?:[01]?\d|2[0-4])(?::[0-5]\d){1,2}|(?:(?<!\d)(?:[01]?\d|2[0-4])|"
    r"[一二两三四五六七八九十]{1,3})[点时](?!对|击|位|名|间|"
    r"评|缀|滴|赞|火|左右都|都|是|不|了|有|人)(?:钟|半|整|多|[0-5]?\d分?|[一二三四五]?十?[一二三四五六七八九]?分)?)"
)
_FEAST = (
    r"(?:春节|元旦|元宵节?|清明节?|五一|端午节?|中秋节?|国庆节?|十一长假|大年(?:初?[一二三四五六七]|三十|30)|寒假|"
    r"暑假|春运)(?:期间|假期)?"
)
_EVERY = r"(?:每(?:天|日|晚|夜|周|月|年|季度|半年|个?(?:周|星期)[一二三四五六日天末]?)|天天|夜夜)"
_DATE_MARKS = r"(?:(?:19|20)\d{2}[-./](?:1[0-2]|0?[1-9])(?:[-./](?:3[01]|[12]\d|0?[1-9]))?(?!\d))"
_DURATION = (
    rf"(?:(?:近|约|大约|快|整整|长达|已有|半)?{_N}(?:余|多|来)?(?:个)?(?:多)?(?:年|月|天|周|星期|礼拜|小时|春秋|"
    rf"世纪)(?:多|余|半)?(?:以?来|之?前|之?后|以上|以前|"
    rf"以后|以内|之?内|之久|时间|左右|期间)?)"
)
_BARE_YEAR = r"(?<![\d.A-Za-z第])(?:19[5-9]\d|20[0-3]\d)(?=[年至到—~-]|[^\d.,%元块米号户人平万亿名个\w)）])"

_ATOM = f"(?:{_DATE_MARKS}|{_YEAR}|{_MONTH}|{_DAY}|{_HALF}|{_REL_DAY}|{_EVERY}|{_FEAST}|{_PART}|{_CLOCK})"
_JOIN = r"(?:[的 ,]?|左右|前后|以?后|以?前)"
_TO = r"(?:左右)?(?:至|到|-|—+|~|一直到|直到|、)(?:第二天|次日)?"
_TIME = re.compile(
    rf"(?:{_DURATION}(?=[,。;!?、 \n)]|没|不|了|都|过|前|后|来|的|无|仍|一直|还|内|以|之|里|时间|左右|中|才|就|"
    rf"已|也|到|未|下|多|从)"
    rf"|(?:从|自|于)?(?P<core>{_ATOM}(?:{_JOIN}{_ATOM})*(?:{_TO}(?:{_ATOM}|今)(?:{_JOIN}{_ATOM})*)*(?:以?来|"
    rf"以?前|以?后|左右|"
    rf"前后|期间|开始|至今|起)?)"
    rf"|{_DURATION}|{_BARE_YEAR})"
)  # fmt: skip
_NEVER = re.compile(
    r"^(?:[初底末]|半|多|次日|当日|当月|同年|月|一年级.*|[一二三四五六七八九]月?|多年级|(?:近)?年(?:来)?|.*年级|"
    r"半天|多天|一天|一时|[一二两三几]点|十一|当天|每年)$"
)
_NOT_AFTER = re.compile(r"义务|学制|级|龄|纪|限|检|审|产值|薪|租|费|利率|制|工资|平均工资|票|缴|卡|供|的?高级")


def find_times(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the time expressions in the masked `text`, in order, without overlaps."""
    for match in _TIME.finditer(text):
        group = "core" if match.group("core") else 0
        start, end = match.span(group)
        if not _NEVER.match(text[start:end]) and not _NOT_AFTER.match(text, end) and not _inside_law(text, start):
            yield start, end


def _inside_law(text: str, start: int) -> bool:
    """Tell whether the position lies in the title of a document: 《2017年秋季招生工作方案》."""
    opened = text.rfind("《", max(0, start - 40), start)
    return opened >= 0 and "》" not in text[opened:start]
