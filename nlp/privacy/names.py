"""Personal names: after 我叫, 本人, 联系人 …, before 先生, 局长 …, after a title, in lists and in signatures.

A name without any such neighbour is not found: guessing from the characters alone would hide 高速, 安全
and 任务 and so harm the model more than it would protect. Once found, a name is hidden wherever it stands.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from nlp.privacy.gazetteer import load_gazetteer
from nlp.privacy.spans import Span, search_windows, windows_near

Strictness = Literal["label", "told", "listed", "loose"]
"""What stands before: a label with a colon, a phrase a name must follow, a name and 、, or a word one may follow."""

_WORDS = load_gazetteer()
_HAN = "\u4e00-\u9fa5"

_NEVER_GIVEN = frozenset(
    "的了着过是在有与或及不也都就又被把将对从等们这那哪什么吗呢吧啊您你我他她它个只次再很太更最已要会应该让给使由至到去说称讲问答"
    "谁请求局院所镇乡县市区村街路号楼栋室组元亿月日年时分秒岁届每各些点钱款费税房车厂店司部门科处办员主女先经理老两但而且因为此其"
    "则并却还向往于你没未无非勿找寄收付交买卖住叔婶妈爷奶姐哥弟妹姨舅侄嫂爸妻夫儿叫做以被告队警总某姓医巷坪沟坝滩湾"
)
"""Characters that no given name holds, so that a candidate with one of them is running text."""

_ENDS_PLACES = frozenset("学园苑城府校院厂店局镇乡村街桥所县市区路号楼栋室组司部巷坪沟坝滩湾塘冲")
"""Characters behind which a candidate was the head of a place or school (丁山小学, 荣盛花园)."""


def _any_of(kind: str) -> str:
    """Return an alternation of the words of a context class, longer words first."""
    return "|".join(sorted(map(re.escape, _WORDS.context[kind]), key=lambda word: -len(word)))


_LABEL = re.compile(rf"(?:{_any_of('label')})(?:姓名|签名|签字)?(?:为|是)?:[\"“(]?")
_TOLD = re.compile(rf"(?:{_any_of('told')})(?!(?<=名)[单册录额称字次义]|次日)[\"“(]?")
_MAY = re.compile(rf"(?:{_any_of('may')})(?:为|是|系|叫)?[\"“(:]?")
_LISTED = re.compile(r"\[姓名\](?:、|和|与|及|以及|跟|同|/)")
_SIGNED = re.compile(
    r"(?:联名(?:上书|反映|举报|投诉|请求)?|签名|签字|署名|按手印|代表)(?:人|者|村民|业主|居民|住户|群众|代表|签名|签字|名单|如下|\([^()\n]{0,6}\)){0,3}"
    r"(?::\n?|(?<=[名字人印单])\n)"
)
"""What opens a list of signatories: a label with a colon, or alone on its line."""
_SIGNATORIES = re.compile(
    rf"(?:[\n 、,;/.()-]|\d{{1,4}}|室|号|男|女|手印|\[[^\[\]\n]{{2,3}}\]){{0,12}}+(?P<run>[{_HAN}]{{2,}})"
)
"""A run of signatories behind separators, the number of a line or a room, placeholders."""
_LIST_END = re.compile(rf"[^{_HAN}]|$|等|{_any_of('behind_label')}")
_TRIGGERS: tuple[tuple[re.Pattern[str], Strictness], ...] = (
    (_LABEL, "label"),
    (_TOLD, "told"),
    (_MAY, "loose"),
    (_LISTED, "listed"),
)

_LABELLED = re.compile(rf"[{_HAN}]{{2,4}}(?=$|[^{_HAN}]|{_any_of('behind_label')})")
_DOTTED = re.compile(rf"[{_HAN}]{{2,6}}(?:[·•・][{_HAN}]{{2,6}}){{1,3}}")
_BOUNDARY = re.compile(rf"$|[^{_HAN}]|{_any_of('after')}|[{''.join(sorted(_NEVER_GIVEN - _ENDS_PLACES))}]")

_TITLE = re.compile(
    rf"(?:{_any_of('title')})(?!(?<=长)(?:{_any_of('after_head')}|[{_HAN}]{{1,3}}(?:村|社区|路|街|镇|乡)))"
)
_TITLE_WORDS = frozenset(_WORDS.context["title"])
_WHOLE_NAME_TITLES = frozenset(_WORDS.context["whole_name_title"])
_POLITE = frozenset(("先生", "女士", "小姐", "阿姨"))
"""Titles of no office: before them even a surname that is an everyday word (费, 安) is a person's."""
_LEFT = re.compile(rf"(?:^|[^{_HAN}]|{_any_of('left')})$")
_SURNAMED = re.compile(rf"(?<![百同])姓(?P<n>[{_HAN}])(?=的|男|女|老板|经理|主任|医生|村民|司机|[,。(])")

_CLOSING_WIDTH = 48
"""How far from the end of a text a signature may begin."""
_SIGNER = (
    "业主|村民|居民|市民|农民|网民|住户|户主|老人|党员|老师|教师|学生|职工|员工|工人|民工|战友|网友|患者|司机|家长|老兵"
    "|诉人|映人|报人|请人|告人|访人|助人|议人|信人|述人"
)
"""The last two characters of words that come right before a signature (一位老党员彭德华), all of one width."""
_CLOSING = re.compile(
    rf"(?:(?<=[\n。!?;,.~、)\]…])|(?<=敬礼)|(?<=此致)|(?<=谢谢)|(?<=感谢)|(?<={_SIGNER})|^)"
    rf"(?!敬礼|此致|谢谢|感谢)(?P<n>[{_HAN}·]{{2,5}})"
    r"(?:[\n ,.。、:(]?(?:\[电话\]|\[身份证\]|\[地址\]|电话|(?:19|20)\d\d[年./-]?\d{0,2}[月./-]?\d{0,2}日?"
    r"|[敬谨]?[上呈启]|敬上|等人?|代笔|亲笔|叩首|拜上)[)]?)*[。.,!)\n]*$"
)
_INTRODUCED = re.compile(
    rf"(?:(?P<called>(?:[我俺咱]名?|名字|[人个位])叫[\"“(]?|敬礼[!。.,~\n]{{0,4}})|本人)(?P<n>[{_HAN}]{{3}})(?=$|[^{_HAN}]|是|系|的|今年|家住)"
)
_NUMBER_FOLLOWS = re.compile(r"\[电话\]|\[身份证\]|电话|手机|身份证|[,(:](?:男|女)[,)、]|曾用名|又名|原名|化名")
_WITH_NUMBER = re.compile(
    rf"(?<![{_HAN}])(?P<n>[{_HAN}]{{2,4}})"
    r"(?=[,:( ]?(?:\[电话\]|\[身份证\]|电话[:\[]|手机[:\[]|身份证|[,(]?(?:男|女)[,)、]|曾用名|又名|原名|化名))"
)
_BEFORE_LISTED = re.compile(rf"(?<![{_HAN}])(?P<n>[{_HAN}]{{2,4}})(?=(?:、|和|与|及)\[姓名\])")
_FIELD = re.compile(rf"(?<=[{_HAN}]:)(?P<n>[{_HAN}]{{2,3}})(?=[,。;!?)、\n]|$)")
_UNPROMPTED = re.compile(f"[{''.join(sorted(_WORDS.sure))}][{''.join(sorted(_WORDS.given))}]{{2}}(?=(?P<rest>.?))")
"""A frequent surname with two frequent given characters: enough without a neighbour if it stands free."""
_TERRAIN = re.compile("家[山岭溪河湖桥江岩岗林田石阳乐国]$|(?:大学|学校|中学|中小|书记|大道)$")
_ALPHABET = "".join(sorted(_WORDS.transliterated))
_TRANSLITERATED = re.compile(f"[{_ALPHABET}]{{2,8}}(?:·[{_ALPHABET}]{{2,8}})+")


def find_names(text: str) -> Iterator[Span]:
    """Yield the personal names in `text` that a neighbour gives away."""
    for start, end in _candidates(text):
        yield Span(kind="姓名", start=start, end=end)


def find_repeated(text: str, *, names: Iterable[str]) -> Iterator[Span]:
    """Yield the places where one of `names` stands again; one of two characters needs a boundary behind it."""
    for name in names:
        start = text.find(name)
        while start >= 0:
            end = start + len(name)
            if len(name) > 2 or _BOUNDARY.match(text, end):
                yield Span(kind="姓名", start=start, end=end)
            start = text.find(name, end)


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    for pattern, strictness in _TRIGGERS:
        for match in pattern.finditer(text):
            end = name_end(text, match.end(), strictness=strictness)
            if end:
                yield match.end(), end
    for match in _SURNAMED.finditer(text):
        if match["n"] in _WORDS.single:
            yield match.span("n")
    for match in _SIGNED.finditer(text):
        yield from _signatories(text, match.end())
    yield from _before_titles(text)
    yield from _alone(_CLOSING.finditer(text, max(0, len(text) - _CLOSING_WIDTH)))
    yield from (match.span("n") for match in _INTRODUCED.finditer(text) if _is_introduced(match))
    near_numbers = windows_near(_NUMBER_FOLLOWS, text, before=5, after=8)
    yield from _alone(search_windows(_WITH_NUMBER, text, near_numbers))
    yield from _alone(_BEFORE_LISTED.finditer(text) if "[姓名]" in text else ())
    yield from _alone(match for match in _FIELD.finditer(text) if _is_plain_name(match["n"]))
    yield from _unprompted(text)
    if "·" in text:
        for match in _TRANSLITERATED.finditer(text):
            yield match.span()


def name_end(text: str, start: int, *, strictness: Strictness) -> int | None:
    """Return where the name that begins at `start` ends, or None if none begins there."""
    if strictness != "loose" and (dotted := _DOTTED.match(text, start)):
        return dotted.end()
    if strictness != "loose" and (field := _LABELLED.match(text, start)) and _fills_field(field.group()):
        running_text = field[0][0] in _WORDS.wordlike or _WORDS.is_word(field[0])
        if strictness == "label" or not running_text:
            return field.end()
    if text[start : start + 1] in _WORDS.single and _TITLE.match(text, start + 1):
        return start + 1
    for length in (4, 3) if text[start : start + 2] in _WORDS.double else (3, 2):
        candidate = text[start : start + length]
        if len(candidate) < length or not _is_name(candidate, strict=strictness in ("told", "loose")):
            continue
        following = text[start + length : start + length + 1]
        if following and following in _ENDS_PLACES:
            continue
        if _BOUNDARY.match(text, start + length) or _is_plain_name(candidate):
            return start + length
    return None


def _signatories(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Names of a list of signatories that begins at `start`; the spaces between them are gone (张建国李大勇)."""
    while match := _SIGNATORIES.match(text, start):
        names = _split_names(text, *match.span("run"))
        yield from names
        start = names[-1][1] if names else len(text)


def _split_names(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut `text[start:end]` into names without a rest, or up to 等 or the next field; no names if that fails.

    Names of three characters are tried first; where the cuts fall hardly matters, because all are hidden.
    """
    if 3 <= end - start <= 4 and _WORDS.transliterated.issuperset(text[start:end]):
        return [(start, end)]
    behind: dict[int, int] = {start: start}
    """Where the name that ends here begins."""
    for place in range(start, end):
        if place in behind:
            for stop in (place + 3, place + 2, place + 4):
                if stop <= end and _is_signatory(text[place:stop]):
                    behind.setdefault(stop, place)
    last = max((stop for stop in behind if _LIST_END.match(text, stop)), default=start)
    names = []
    while last > start:
        names.append((behind[last], last))
        last = behind[last]
    return names[::-1]


def _is_signatory(candidate: str) -> bool:
    """Tell whether `candidate` is made like a name where only names should stand.

    One of two characters needs a sure surname, one whose surname is an everyday word (古, 时) frequent given ones.
    """
    ends_place = candidate[-1] in _ENDS_PLACES - _WORDS.given
    if ends_place or (len(candidate) == 2 and candidate[0] not in _WORDS.sure):
        return False
    return _is_name(candidate, strict=True) or (_is_plain_name(candidate) and _is_name(candidate, strict=False))


def _is_introduced(match: re.Match[str]) -> bool:
    """Tell whether an everyday word for a surname (古, 成, 和) begins a name in this place, where a name must stand."""
    name = match["n"]
    made_like_a_name = name[0] in _WORDS.wordlike and _WORDS.given.issuperset(name[1:])
    return made_like_a_name and bool(match["called"] or not _WORDS.is_word(name))


def _is_plain_name(candidate: str) -> bool:
    """Tell whether `candidate` looks so much like a name that no boundary need follow (朱大昌 in 朱大昌卷款)."""
    frequent = _WORDS.given.issuperset(candidate[1:]) or candidate[1:] in _WORDS.exception
    return frequent and (len(candidate) > 2 or candidate[0] in _WORDS.sure)


def _fills_field(candidate: str) -> bool:
    """Tell whether `candidate`, alone behind a label, may be a name; those of minorities begin with no surname."""
    if len(candidate) == 4 and candidate[:2] not in _WORDS.double:
        return _WORDS.transliterated.issuperset(candidate)
    known = candidate[0] in _WORDS.single or _WORDS.transliterated.issuperset(candidate)
    return known and candidate[-1] not in "局院所厅镇乡县市区村部司" and candidate not in _WORDS.not_names


def _is_name(candidate: str, *, strict: bool) -> bool:
    """Tell whether `candidate` is made like a name: a surname, then one or two characters fit to be given.

    `strict` refuses surnames that are everyday words (和, 从, 应).
    """
    head = 2 if candidate[:2] in _WORDS.double and len(candidate) > 2 else 1
    if head == 1 and (candidate[:1] not in _WORDS.single or (strict and candidate[0] in _WORDS.wordlike)):
        return False
    given = candidate[head:]
    if not 1 <= len(given) <= 2 or not all("\u4e00" <= character <= "\u9fa5" for character in given):
        return False
    if given in _TITLE_WORDS or candidate[:2] in _TITLE_WORDS:
        return False
    return given in _WORDS.exception or (_NEVER_GIVEN.isdisjoint(given) and not _WORDS.is_word(candidate))


def _before_titles(text: str) -> Iterator[tuple[int, int]]:
    """Names in front of a title: whole ones (李建国局长), else the surname alone (王阿姨)."""
    for match in _TITLE.finditer(text):
        end = match.start()
        if text[end - 1 : end] == "副":
            end -= 1
        start = _whole_name_start(text, end)
        if start is None and match.group() not in _WHOLE_NAME_TITLES:
            start = _surname_start(text, end)
        if start is not None:
            yield start, end


def _whole_name_start(text: str, end: int) -> int | None:
    """Return where a name of two to four characters that ends at `end` begins, if there is one."""
    for start in range(max(0, end - 4), end - 1):
        candidate = text[start:end]
        if _is_name(candidate, strict=True) and _LEFT.search(text[max(0, start - 4) : start]):
            return start
    return None


def _stands_free(text: str, start: int) -> bool:
    """Tell whether a name may begin at `start`: nothing before it that would swallow its first character."""
    tail_of_word = text[max(0, start - 1) : start + 1] in _WORDS.not_names
    return not tail_of_word and _LEFT.search(text[max(0, start - 4) : start]) is not None


def _surname_start(text: str, end: int) -> int | None:
    """Return where a lone surname that ends at `end` begins, unless it is the tail or the head of a word."""
    surname = text[max(0, end - 1) : end]
    if surname not in _WORDS.single or (surname in _WORDS.wordlike and text[end : end + 2] not in _POLITE):
        return None
    if text[end - 1 : end + 1] in _WORDS.not_names:
        return None
    return end - 1 if _stands_free(text, end - 1) else None


def _unprompted(text: str) -> Iterator[tuple[int, int]]:
    """Names without a trigger that stand free between boundaries and can hardly be anything else."""
    for match in _UNPROMPTED.finditer(text):
        start, end = match.span()
        if (match["rest"] and match["rest"] in _ENDS_PLACES) or _TERRAIN.search(match.group()):
            continue
        free = _BOUNDARY.match(text, end) and _stands_free(text, start)
        if free and _is_name(match.group(), strict=True):
            yield start, end


def _alone(matches: Iterable[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Names that stand alone between two boundaries, such as a signature at the end."""
    for match in matches:
        if "·" in match["n"] or _is_name(match["n"], strict=True):
            yield match.span("n")
