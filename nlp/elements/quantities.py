"""Amounts of money and numbers of people or households, with the smallest value each phrase can mean."""

import re
from collections.abc import Iterator

from nlp.rules.counts import smallest_count

_CAPITAL = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟", "一二三四五六七八九十百千")
_DIGITS = r"\d[\d,]{0,30}+(?:\.\d{1,10}+)?"
_NUMERAL = "零一二两三四五六七八九十百千壹贰叁肆伍陆柒捌玖拾佰仟几数"
_NUM = rf"(?:{_DIGITS}|[{_NUMERAL}]{{1,10}}+|上)"
"""Runs are bounded and never given back: 百百百百… would otherwise be cut in every possible way."""
_NO_AMOUNT = 1e15
"""More yuan than there are: a number of something else, or noise."""
_MORE = r"(?:余|多|来|几)?"
_BIG = r"(?:[万亿千百]{1,3})"
_ROUND = rf"(?:(?<=[{_NUMERAL}][百千])|(?<=[{_NUMERAL}][百千]几))"
"""Behind a number that ends in its own 百 or 千 (三千, 六百几)."""
_AMOUNT = re.compile(
    rf"(?:超|近|约|大概|共计|上|达)?(?:人民币|¥|¥|"
    rf"RMB)?{_NUM}(?:{_MORE}{_BIG})?{_MORE}(?:[-至到~]{_NUM}{_MORE}(?:{_BIG})?{_MORE})?"
    rf"(?:元|块(?=钱|多|[,。;!?、 /)\n]|左右|$|一[斤个天月吨方次])|圆整?|美元|港币)(?:钱|人民币|整|左右|以上|"
    rf"以下)?(?:{_NUM}[角毛])?"
    r"(?:/[A-Za-z\u4e00-\u9fa5㎡²³]{1,3})?"
    rf"|{_NUM}{_MORE}(?:万|亿)(?:{_NUM}千?)?{_MORE}(?=的?(?:本金|工资|工程款|补偿|违约金|押金|定金|货款|欠款|罚款|"
    rf"贷款|保险|学费|彩礼|押金|投资|债|左右的))"
    rf"|(?<=[交付欠罚收取退赔扣补费款金价]){_NUM}(?:{_MORE}{_BIG}|{_ROUND}){_MORE}(?=[,。;!?、 \n)]|才|就|的|以)"
)
_BARE_AMOUNT = re.compile(
    r"(?P<before>费|费用|价格?|押金|定金|本金|工资|报名费|罚款|入门费|绩效|欠|补偿款?|收取?|交了?|补助|要)(?:是|"
    r"为|仅|只|要|总共|共|了|约|达|有)?"
    r"(?P<n>\d{2,7}(?:\.\d+)?(?:多|余)?(?:万|千|亿)?(?:多|余)?)(?=[,。;!?、 \n)]|的(?:本金|定金|绩效|费用)|左右|"
    r"才|就|/|本金|定金)"
)

_PEOPLE_NUM = rf"(?:{_DIGITS}|[零一二两三四五六七八九十百千叁拾几数]{{1,10}}+)"
_PEOPLE = re.compile(
    rf"(?:近|约|上|超过?|达|共|全)?(?P<n>{_PEOPLE_NUM}{_MORE}(?:{_BIG})?{_MORE})"
    r"(?:(?:名|位|个)(?!小区|单位|部门|学校|村|月|家庭|社区|镇|乡|县)(?:以上的?|的)?(?:多|"
    r"左右)?(?=[\u4e00-\u9fa5]{0,4}?(?:业主|居民|村民|学生|家长|"
    r"职工|员工|工人|群众|人|老人|孩子|小孩|住户|农民|教师|老师|退休|司机|病人|患者|商户|受害|客户|同学|老百姓|"
    r"民工|股东|消费者|男|女|"
    r"儿童))(?:[\u4e00-\u9fa5]{0,3}?(?:业主|居民|村民|学生和?家?长?|家长|职工|员工|工人|群众|老人|住户|农民工?|"
    r"教师|老师|司机|病人|患者|商户|人(?!员)))?"
    r"|余?(?:户(?![口籍型外主])|口人|人(?![民大行口均才次民币]|工费)|(?:村民|业主|居民|群众|百姓|职工|学生|教师|"
    r"员工|师生|民众|子女|市民|农户|户主))(?:人|家|居民|业主|村民|"
    r"农户|群众|住户|百姓)?)"
)
_ONE = re.compile(r"^(?:全|共)?[一1]?(?:名|位|个|人)")
_NOT_PEOPLE_BEFORE = re.compile(r"(?:第|每|[栋楼期号座组第线]|[A-Za-z])$")
_NOT_PEOPLE = re.compile(
    r"^(?:[一几]个?(?:老?百姓|业主|居民|村民|市民|学生|家长|老人|人|男人|女人|孩子|小孩)|[一1](?:名|位|个|人|"
    r"户).*|几人|数人|一口.*|十一人.*)$"
)


def find_amounts(text: str) -> Iterator[tuple[int, int, float | None]]:
    """Yield start, end and value in yuan of every amount of money; the value is None where it cannot be read."""
    done = 0
    spans = [match.span() for match in _AMOUNT.finditer(text)] + [
        match.span("n") for match in _BARE_AMOUNT.finditer(text)
    ]
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= done and re.search(
            r"[\d零一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟]", text[start:end]
        ):
            yield start, end, yuan(text[start:end])
            done = end


def yuan(phrase: str) -> float | None:
    """Return the amount in yuan that a phrase such as 1万5千元 or 叁拾万元 means at least; None if unreadable."""
    plain = phrase.translate(_CAPITAL)
    digits = re.search(r"(\d[\d,]*(?:\.\d+)?)(?:余|多|来|几)?(亿|千万|百万|万|千)?(?:(\d)千)?", plain)
    if digits:
        scale = {"亿": 1e8, "千万": 1e7, "百万": 1e6, "万": 1e4, "千": 1e3}.get(digits.group(2) or "", 1.0)
        value = float(digits.group(1).replace(",", "")) * scale + 1e3 * int(digits.group(3) or 0)
        return value if value < _NO_AMOUNT else None
    spoken = re.search(r"[零一二两三四五六七八九十百千万几数]+", plain.split("亿")[0])
    if not spoken:
        return None
    value = float(smallest_count(spoken.group()))
    return value * 1e8 if "亿" in plain else value


def find_people(text: str) -> Iterator[tuple[int, int, str, int]]:
    """Yield start, end, 户 or 人, and the smallest number meant; a single person is no count."""
    for match in _PEOPLE.finditer(text):
        phrase = match.group()
        if _NOT_PEOPLE.match(phrase) or _NOT_PEOPLE_BEFORE.search(text[max(0, match.start() - 1) : match.start()]):
            continue
        count = smallest_count(match.group("n").translate(_CAPITAL))
        if count >= 2:
            yield match.start(), match.end(), "户" if "户" in phrase[len(match.group("n")) :] else "人", count
