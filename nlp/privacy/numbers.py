"""Numbers that lead to a person: resident ID, telephone, bank card, e-mail, accounts, plate, certificates.

The patterns expect normalised text (ASCII digits and punctuation). Numbers written with Chinese numerals
or with gaps between the digits are found too. A check digit, or a word that announces the number, decides
whether a long run of digits is one: amounts, dates, document numbers and hotlines (12345) stay.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from nlp.privacy.checks import has_birth_date, is_bank_card, is_disability_card, is_old_resident_id, is_resident_id
from nlp.privacy.spans import Kind, Span, search_windows, windows_near

_CHINESE = "〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两"
_NUMERALS = str.maketrans(_CHINESE, "0012345678911234567892")
"""Same length in, same length out: offsets in the digit view are offsets in the text."""
_MANY_NUMERALS = 5
"""A number counts as spelt out only if it holds so many Chinese numerals: "转8012一直" ends with a digit."""

_RUN = re.compile(r"\d(?:[ \-.·_—–~*()]{0,3}[\d*Xx]){4,}")
"""Five digits in a row, gaps allowed: anything shorter is no number of a person."""
_NUMERAL_RUN = re.compile(rf"[{_CHINESE}](?:[ \-.·_—–\d]{{0,6}}[{_CHINESE}]){{{_MANY_NUMERALS - 1},}}")
_WORD = re.compile(r"[A-Za-z0-9_*-]{4}")
_AT = re.compile(r"@|#|\(at\)")

_GAP = r"[ \-.·_—–~]{0,2}"
_DASH = r"[ \-·_—–]"
_NOT_AMOUNT = r"(?!\d|\.\d|[元万亿%亩吨斤株棵]|平方|平米|米|公斤|公顷|千瓦|立方)"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rule:
    """What a kind of number looks like; group `n` is the number itself where the pattern holds more.

    `anchor` says cheaply where to look; `holds` checks the digits.
    """

    kind: Kind
    pattern: re.Pattern[str]
    anchor: re.Pattern[str] = _RUN
    holds: Callable[[str], bool] | None = None


def _rule(
    kind: Kind,
    *pieces: str,
    anchor: re.Pattern[str] = _RUN,
    holds: Callable[[str], bool] | None = None,
) -> _Rule:
    return _Rule(kind=kind, pattern=re.compile("".join(pieces)), anchor=anchor, holds=holds)


_IDENTITY = (
    _rule("身份证", rf"(?<![\dA-Za-z])[1-9](?:{_GAP}\d){{16}}{_GAP}[\dXx](?![\dA-Za-z])", holds=is_resident_id),
    # Eighteen digits in one piece with a birth date are an ID even with a wrong check digit: people mistype.
    _rule("身份证", r"(?<![\dA-Za-z])[1-9]\d{16}[\dXx](?![\dA-Za-z])", holds=has_birth_date),
    _rule("身份证", r"(?<![\dA-Za-z.])[1-9]\d{14}", _NOT_AMOUNT, holds=is_old_resident_id),
    _rule("身份证", r"(?<!\d)(?!1[3-9]\d\*+\d{4}(?!\d))[1-9]\d{2,9}\*{2,}\d{1,4}[\dXx](?![\d元万])"),
    _rule("身份证", r"(?:身份证|身份号|公民身份)[^\d\[,。;]{0,8}", r"(?P<n>[1-9](?:[ \-*]{0,3}\d){10,17}[Xx*]{0,3})"),
)

_CARDS = (
    _rule(
        "银行卡",
        r"(?<![\dA-Za-z.])[3-9]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?:[ -]?\d{1,3})?",
        _NOT_AMOUNT,
        holds=is_bank_card,
    ),
    _rule(
        "银行卡",
        r"(?:卡号|账号|帐号|账户|帐户|银行卡|信用卡|储蓄卡|存折|户头|工资卡|收款卡|开户行|银行|信用社)",
        r"[^\d\[。;]{0,12}(?P<n>\d(?:[ -]?\d){11,22})",
        _NOT_AMOUNT,
    ),
)

_PHONES = (
    _rule(
        "电话",
        r"(?<![\d.])(?:\(?\+?0{0,2}86\)?[ -]?)?",
        r"(?:1[3-9]\d{9}|1[3-9]\d(?P<s>[ \-.·_—–])\d{4}(?P=s){1,2}\d{4}|1[3-9]\d[ \-.·_—–]{1,2}\d{8}",
        rf"|1[3-9]\d{{5}}{_DASH}\d{{4}}|1[3-9]\d{{2}}{_DASH}\d{{3}}{_DASH}\d{{4}}",
        rf"|1[3-9]\d{_DASH}\d{{3}}{_DASH}\d{{5}}|1(?P<t>[ \-.·_—–]{{1,2}})[3-9](?:(?P=t)\d){{9}}",
        r"|1[3-9]\d\*{2,}\d{2,4})",
        _NOT_AMOUNT,
    ),
    _rule(
        "电话",
        r"(?<![\d.-])(?:(?:\+?86[ -]?)?\(?0(?:10|2\d|[3-9]\d{2})\)?[ \-—–]{0,2}\d{3,4}[ -]?\d{4}",
        r"|[48]00[ -]?\d{3,4}[ -]?\d{3,4})(?:(?:[-—]|,?转|,?(?:转|拨)?分机)\d{1,6})?",
        _NOT_AMOUNT,
    ),
    _rule(
        "电话",
        r"(?:电话|手机|座机|热线|来电|致电|拨打|联系方式|联系我|联系号码|手机号码|传真|短信|TEL|Tel|tel|[Pp]hone)",
        r"[^\d\[。;!?]{0,10}(?!(?:19|20)\d\d[-.]\d{1,2}[-.]|0\d{2,3}-?12345)",
        r"(?P<n>\d(?:[ \-.]?\d){6,11}(?:(?:[-—]|转)\d{1,5})?)",
        _NOT_AMOUNT,
        r"(?!年)",
    ),
    _rule("电话", r"\[电话\](?:[、,/;]|或|和|及)(?P<n>\d{3,4}-?\d{4})", _NOT_AMOUNT),
)

_QQ = _rule(
    "账号",
    r"(?:[Qq]{2}|扣扣|企鹅号|球球)(?:交流|业主|维权)?(?:群|账号|帐号|号码|号)?[^\dA-Za-z\[。,;]{0,4}",
    r"(?P<n>[1-9]\d{4,11})(?![\d元万年人])",
)
_ACCOUNTS = (
    _QQ,
    _rule(
        "账号",
        r"(?:微信|薇信|威信|[Vv]信|[Vv][Xx]|[Ww][Xx]|[Ww]e[Cc]hat|[Ww]eixin)",
        r"(?:联系|转账|加我)?(?:号码|账号|帐号|号|群号|ID)?(?:是|为|叫|同号)?[:\s]{0,2}",
        r"(?P<n>(?=[A-Za-z0-9_-]*[\d_-])[A-Za-z][A-Za-z0-9_-]{5,19})(?![A-Za-z])",
        anchor=_WORD,
    ),
    _rule(
        "账号",
        r"(?:账户|账号|帐户|帐号|用户ID|会员名|昵称|ID)(?:是|为)?[:\s]{0,2}",
        r"(?P<n>(?=[A-Za-z0-9_-]*\d)[A-Za-z][A-Za-z0-9_-]{4,19})(?![A-Za-z])",
        anchor=_WORD,
    ),
    _rule(
        "账号",
        r"(?:微信号|微信账号|微信ID|抖音号|快手号|微博号|支付宝账号|支付宝|小红书号|网名|用户名|登录名|陌陌号|YY号)",
        r"(?:是|为|叫)?[:\s]{0,2}(?P<n>[A-Za-z0-9_-]{5,20})(?![A-Za-z])",
        anchor=_WORD,
    ),
)

_EMAIL = _rule(
    "邮箱",
    r"[A-Za-z0-9*][A-Za-z0-9._%+*-]*(?:@|#|\(at\))[A-Za-z0-9*-]+(?:[.。][A-Za-z0-9-]+)*",
    r"[.。](?:com|cn|net|org|edu|gov|vip|io|cc|me|COM|CN)(?![A-Za-z])",
    anchor=_AT,
)

_PLATE = _rule(
    "车牌",
    r"(?<![A-Za-z])[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼楚使领][A-Za-z][ ·.•-]?",
    r"(?=[A-Za-z]{0,3}[\d*])[A-Za-z0-9*]{4,5}[A-Za-z0-9*挂学警港澳领](?![A-Za-z0-9])",
    anchor=_WORD,
)

_PAPERS = (
    r"护照|通行证|台胞证|回乡证|居住证|户口簿|户口本|军官证|士兵证|军人证|退伍证|退役证|优待证|残疾证|残疾人证|残疾军人证"
    r"|社保卡?|社会保障卡?|医保卡?|医疗证|低保证|驾驶证|驾照|行驶证|出生证|出生医学证明|结婚证|离婚证|生育证|准生证"
    r"|光荣证|独生子女证|毕业证|学位证|准考证|考生|工作证|警官证|执业证|资格证|职称证|上岗证|教师证|律师证|证书|证件"
    r"|病历|住院|就诊卡?|档案|信访件|受理|水表|电表|燃气表"
)
_CERTIFICATES = (
    _rule(
        "证件",
        r"(?<![A-Za-z0-9])(?:[EeGgPpSsDd]\d{8}|[Ee][A-HJ-NP-Za-hj-np-z]\d{7}|1[45]\d{7}(?=号护照)|[HM]\d{10})",
        r"(?![A-Za-z0-9])",
        anchor=_WORD,
    ),
    _rule(
        "证件",
        rf"(?:(?:{_PAPERS})(?:的|档案)?(?:(?:编号|号码|证号|账号|卡号|号|ID)(?:是|为)?[:\s第(]{{0,3}}|[:(]{{1,2}}|字第)",
        r"|(?:学籍号|学号|工号|警号|胸牌号|户号|查询码|受理编号)(?:是|为)?[:\s第(]{0,3})",
        r"(?P<n>[A-Za-z]{0,4}\d[A-Za-z0-9-]{4,24})(?![A-Za-z0-9元]|万元|年)",
        anchor=_WORD,
    ),
    _rule("证件", r"(?<![\dA-Za-z])[1-9]\d{16}[\dXx]\d{2}(?![\dA-Za-z])", holds=is_disability_card),
    # The letter names the command that issued it (南字第012345号); alone it would fit any document.
    _rule("证件", r"(?:军官|士官|士兵|军人|文职|退伍|退役)证[^\d,。;!?\[\n]{0,8}字第?(?P<n>[A-Za-z]?\d{5,12})号?"),
    _rule("证件", r"[军士文退干兵海空政参后武优残烈]字第?(?P<n>[A-Za-z]?\d{5,12})号?"),
)

_RULES = (_EMAIL, *_IDENTITY, *_CERTIFICATES, *_ACCOUNTS, *_CARDS, *_PHONES, _PLATE)
_SPELT_RULES = (*_IDENTITY, *_PHONES, *_CARDS, _QQ)


def find_numbers(text: str) -> Iterator[Span]:
    """Yield every number of a person in `text`; where spans of two kinds are equal the first is the surer."""
    yield from _apply(_RULES, text, windows={anchor: windows_near(anchor, text) for anchor in (_RUN, _WORD, _AT)})
    spelt = windows_near(_NUMERAL_RUN, text)
    if spelt:
        for span in _apply(_SPELT_RULES, text.translate(_NUMERALS), windows={_RUN: spelt}):
            if sum(character in _CHINESE for character in text[span.start : span.end]) >= _MANY_NUMERALS:
                yield span


def _apply(
    rules: tuple[_Rule, ...], text: str, *, windows: Mapping[re.Pattern[str], list[tuple[int, int]]]
) -> Iterator[Span]:
    """Yield what the rules find, each looking only in the windows of its anchor."""
    for rule in rules:
        group = "n" if "n" in rule.pattern.groupindex else 0
        for match in search_windows(rule.pattern, text, windows[rule.anchor]):
            if rule.holds is None or rule.holds(_bare(match[group])):
                yield Span(kind=rule.kind, start=match.start(group), end=match.end(group))


def _bare(number: str) -> str:
    """Return the digits of `number`, and the X that may end a resident ID."""
    return "".join(character for character in number if character.isdigit() or character in "Xx")
