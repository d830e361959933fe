"""Numbers that lead to a person: resident ID, telephone, bank card, e-mail, accounts, plate, certificates.

The patterns expect normalised text (ASCII digits and punctuation). Numbers written with Chinese numerals or
with gaps between the digits are found too. A check digit or a word that announces the number decides
whether a long run of digits is one: amounts, dates, document numbers and hotlines (12345) stay.
"""

import re
from collections.abc import Iterator
from datetime import date

from nlp.privacy.spans import Kind, Span, search_near

_NUMERALS = str.maketrans("〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两", "0012345678911234567892")
"""Same length in, same length out: offsets in the digit view are offsets in the text."""

_GAP = r"[ \-.·_—–~]{0,2}"
_NOT_AMOUNT = r"(?!\d|\.\d|元|万|亿|%)"

_EMAIL = re.compile(
    r"[A-Za-z0-9*][A-Za-z0-9._%+*-]*(?:@|#|\(at\))[A-Za-z0-9*-]+(?:[.。](?:com|cn|net|org|edu|gov|vip|io|cc|me))+",
    re.IGNORECASE,
)
_ID18 = re.compile(rf"(?<![\dA-Za-z])[1-9](?:{_GAP}\d){{16}}{_GAP}[\dXx](?![\dA-Za-z])")
_ID15 = re.compile(rf"(?<![\dA-Za-z.])[1-9]\d{{5}}\d{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{{3}}{_NOT_AMOUNT}")
_ID_STARRED = re.compile(r"(?<!\d)[1-9]\d{2,9}\*{2,}\d{0,4}[\dXx](?!\d)")
_ID_NAMED = re.compile(r"(?:身份证|身份号|公民身份)[^\d\[,。;]{0,8}(?P<n>[1-9](?:[ \-*]{0,3}\d){10,17}[Xx*]{0,3})")

_CARD = re.compile(r"(?<![\dA-Za-z.])[3-9]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?:[ -]?\d{1,3})?" + _NOT_AMOUNT)
_CARD_NAMED = re.compile(
    r"(?:卡号|账号|帐号|账户|帐户|银行卡|信用卡|储蓄卡|存折|户头|工资卡|收款卡|开户行|银行|信用社)"
    r"[^\d\[。;]{0,12}(?P<n>\d(?:[ -]?\d){11,22})" + _NOT_AMOUNT
)

_MOBILE = re.compile(
    r"(?<![\d.])(?:\(?\+?0{0,2}86\)?[ -]?)?(?:"
    r"1[3-9]\d{9}|1[3-9]\d(?P<s>[ \-.·_—–])\d{4}(?P=s){1,2}\d{4}|1[3-9]\d[ \-.·_—–]{1,2}\d{8}|1[3-9]\d{5}[ \-·_—–]\d{4}"
    r"|1[3-9]\d{2}[ \-·_—–]\d{3}[ \-·_—–]\d{4}|1[3-9]\d[ \-·_—–]\d{3}[ \-·_—–]\d{5}"
    r"|1(?P<t>[ \-.·_—–]{1,2})[3-9](?:(?P=t)\d){9}|1[3-9]\d\*{3,}\d{2,4})" + _NOT_AMOUNT
)
_LANDLINE = re.compile(
    r"(?<![\d.-])(?:(?:\+?86[ -]?)?\(?0(?:10|2\d|[3-9]\d{2})\)?[ \-—–]{0,2}\d{3,4}[ -]?\d{4}"
    r"|[48]00[ -]?\d{3,4}[ -]?\d{3,4})(?:(?:[-—]|转|分机|,?转分机)\d{1,6})?" + _NOT_AMOUNT
)
_PHONE_NAMED = re.compile(
    r"(?:电话|手机|座机|热线|来电|致电|拨打|联系方式|联系我|联系号码|手机号码|传真|短信|TEL|Tel|tel|Phone|phone)"
    r"[^\d\[。;!?]{0,10}(?!(?:19|20)\d\d[-.]\d{1,2}[-.]|0\d{2,3}-?12345)(?P<n>\d(?:[ \-.]?\d){6,11}(?:(?:[-—]|转)\d{1,5})?)" + _NOT_AMOUNT + r"(?!年)"
)
_PHONE_ALSO = re.compile(r"\[电话\](?:[、,/;]|或|和|及)(?P<n>\d{3,4}-?\d{4})(?!\d|元|万)")

_QQ = re.compile(
    r"(?:QQ|扣扣|企鹅号|球球)(?:交流|业主|维权)?(?:群|账号|帐号|号码|号)?[^\dA-Za-z\[。,;]{0,4}(?P<n>[1-9]\d{4,11})(?!\d|元|万|年|人)",
    re.IGNORECASE,
)
_WECHAT = re.compile(
    r"(?:微信|薇信|威信|V信|VX|WX|WeChat|weixin)(?:号码|账号|帐号|号|群号|ID)?(?:是|为|叫|同号)?[:\s]{0,2}"
    r"(?P<n>(?=[A-Za-z0-9_-]*[\d_-])[A-Za-z][A-Za-z0-9_-]{5,19})(?![A-Za-z])",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"(?:微信号|微信账号|微信ID|抖音号|快手号|微博号|支付宝账号|支付宝|小红书号|网名|用户名|登录名|陌陌号|YY号)"
    r"(?:是|为|叫)?[:\s]{0,2}(?P<n>[A-Za-z0-9_-]{5,20})(?![A-Za-z])"
)

_PLATE = re.compile(
    r"(?<![A-Za-z])[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼楚使领](?P<city>[A-Za-z])[ ·.•-]?"
    r"(?=[A-Za-z]{0,3}[\d*])[A-Za-z0-9*]{4,5}[A-Za-z0-9*挂学警港澳领](?![A-Za-z0-9])"
)

_PASSPORT = re.compile(r"(?<![A-Za-z0-9])(?:[EeGgPpSsDd]\d{8}|[Ee][A-HJ-NP-Za-hj-np-z]\d{7}|1[45]\d{7}(?=号护照)|[HM]\d{10})(?![A-Za-z0-9])")
_PAPERS = (
    r"护照|通行证|台胞证|回乡证|居住证|户口簿|户口本|军官证|士兵证|军人证|退伍证|退役证|退役军人证|优待证|残疾证|残疾人证|残疾军人证"
    r"|社保卡|社会保障卡|社保|医保卡|医保|医疗证|低保证|驾驶证|驾照|行驶证|出生证|出生医学证明|结婚证|离婚证|生育证|准生证|光荣证"
    r"|独生子女证|毕业证|学位证|学籍|学号|准考证|考生|工号|工作证|警号|警官证|执业证|资格证|职称证|上岗证|从业资格证|教师证"
    r"|师资格证|律师证|证书|证件|病历|住院|就诊卡|档案|信访件|查询码|受理编号|水表|电表|燃气表|户号"
)
_CERTIFICATE = re.compile(
    rf"(?:{_PAPERS})(?:的)?(?:(?:编号|号码|证号|账号|卡号|号|ID)(?:是|为)?[:\s第(]{{0,3}}|[:(]{{1,2}}|字第)(?P<n>[A-Za-z]{{0,4}}\d[A-Za-z0-9-]{{4,24}})(?![A-Za-z0-9元]|万元|年)"
)
_MILITARY = re.compile(r"(?:军|士|文|退|干|兵|海|空|政|参|后|武|优|残|烈)字第?(?P<n>[A-Za-z]?\d{5,12})号?")


_RUN = re.compile(r"\d(?:[ \-.·_—–~*()]{0,3}[\d*Xx]){4,}")
"""Five digits in a row, gaps allowed: anything shorter is no number of a person."""
_NUMERAL_RUN = re.compile(r"[〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两\d](?:[ \-.·_—–]{0,2}[〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两\d]){6,}")
_ASCII_WORD = re.compile(r"[A-Za-z0-9_-]{6}")


def find_numbers(text: str) -> Iterator[Span]:
    """Yield every number of a person in `text`; of overlapping spans the first yielded is the surest."""
    if "@" in text or "#" in text or "(at)" in text:
        yield from _near(_EMAIL, "邮箱", text)
    if _RUN.search(text):
        yield from _identity(text)
        yield from _cards(text)
        yield from _phones(text)
    if _ASCII_WORD.search(text):
        yield from _others(text)
    if _NUMERAL_RUN.search(text):
        view = text.translate(_NUMERALS)
        yield from _identity(view)
        yield from _phones(view)
        yield from _cards(view)
        yield from _near(_QQ, "账号", view)


def _identity(text: str) -> Iterator[Span]:
    """Resident ID: 18 digits with a real date, 15 digits of the old form, partly starred ones, announced ones."""
    for match in search_near(_ID18, text, anchor=_RUN):
        digits = _bare(match.group())
        if is_resident_id(digits) or (" " not in match.group() and _has_birth_date(digits)):
            yield Span(kind="身份证", start=match.start(), end=match.end())
    for match in search_near(_ID15, text, anchor=_RUN):
        if _is_date("19" + match.group()[6:12]):
            yield Span(kind="身份证", start=match.start(), end=match.end())
    yield from _near(_ID_STARRED, "身份证", text)
    yield from _near(_ID_NAMED, "身份证", text)


def _cards(text: str) -> Iterator[Span]:
    """Bank cards of 15 to 19 digits that pass the Luhn check or carry the UnionPay prefix, and announced ones."""
    for match in search_near(_CARD, text, anchor=_RUN):
        digits = _bare(match.group())
        if 15 <= len(digits) <= 19 and (is_luhn(digits) or (digits.startswith("62") and len(digits) >= 16)):
            yield Span(kind="银行卡", start=match.start(), end=match.end())
    yield from _near(_CARD_NAMED, "银行卡", text)


def _phones(text: str) -> Iterator[Span]:
    """Mobile, landline, 400/800 numbers with extension, and 7 or 8 digits after a word such as 电话."""
    for pattern in (_MOBILE, _LANDLINE, _PHONE_NAMED, _PHONE_ALSO):
        yield from _near(pattern, "电话", text)


def _others(text: str) -> Iterator[Span]:
    """Accounts of messengers and platforms, licence plates, passports and other personal papers."""
    for pattern in (_QQ, _WECHAT, _ACCOUNT):
        yield from _near(pattern, "账号", text)
    yield from _near(_PLATE, "车牌", text)
    for pattern in (_PASSPORT, _CERTIFICATE, _MILITARY):
        yield from _near(pattern, "证件", text)


def _near(pattern: re.Pattern[str], kind: Kind, text: str) -> Iterator[Span]:
    """Spans of the number itself: the group `n` where the pattern also holds the word that announces it."""
    group = "n" if "n" in pattern.groupindex else 0
    for match in search_near(pattern, text, anchor=_ASCII_WORD if kind in _WRITTEN_IN_LETTERS else _RUN):
        yield Span(kind=kind, start=match.start(group), end=match.end(group))


_WRITTEN_IN_LETTERS = frozenset({"邮箱", "账号", "车牌", "证件"})


def _bare(number: str) -> str:
    return "".join(character for character in number if character.isdigit() or character in "Xx").upper()


def is_resident_id(digits: str) -> bool:
    """Tell whether 18 characters are a resident ID: a real birth date and the check digit of GB 11643."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    if len(digits) != 18 or not digits[:17].isdigit() or not _has_birth_date(digits):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))
    return "10X98765432"[total % 11] == digits[17].upper()


def is_luhn(digits: str) -> bool:
    """Tell whether the digits pass the Luhn check of bank cards (ISO/IEC 7812)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _has_birth_date(digits: str) -> bool:
    return digits[6:8] in {"18", "19", "20"} and _is_date(digits[6:14])


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True
