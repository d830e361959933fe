"""Requested actions: the clauses in which the petitioner asks, urges, proposes or inquires."""

import re
from collections.abc import Iterator

_CLAUSE = re.compile(r"[^。;!?\n]+")
_PIECE = re.compile(r"[^,]+,?")
_ASK = re.compile(
    r"(?:再次|强烈|迫切|恳切|诚挚|特此|特|现|在此|故|遂|因此|所以|我们?|本人|业主们?|市民们?|同时|另外|还|也|并|"
    r"只|敬|诚){0,4}"
    r"(?:恳请|恳求|请求|要求(?!的|很|不高|低|高)|诉求|希望|期望|期盼|盼望|盼(?!星|月)|渴望|敬请|烦请|拜请|拜托|"
    r"呼吁|建议|麻烦(?!事|了|的|大|重重)|"
    r"(?<![要需追诉请寻恳谋祈])求(?=助(?![学职生医证])|政府|相关|有关|领导|各|您|解决|救|帮|处理|查|直|关注|"
    r"一个)|跪求|急求|请(?!假|客|问题|过|了|人|来的|律师|专家吃|示|进|"
    r"我去|我来|他|她)"
    r"|(?<![愿欲名声渴绝失无观看相张回仰威威有展期])望(?=[^,]{0,12}(?:领导|部门|政府|相关|有关|局|能|尽快|予|给|"
    r"解决|调查|严查|妥善|及时|关注|重视|查|您|你|各|县|书记|回复|"
    r"答复|采纳|批准|落实|处理|得到|获|修))(?!岳|兴|城|着|见|去|远|麓|月|江|洋|京)|愿(?=当地|政府|各级|领导|"
    r"有关)|问责|咨询|想(?:请)?问|请问|想了解|想知道|想咨询|能否|"
    r"能不能|可否|可不可以|何时能|(?:应?该|要|不知道?)怎么办|责成|督促(?=相关|有关|政府)|给(?:我们?|个|"
    r"一个)[^,]{0,6}(?:说法|答复|交代)|必须(?=[^,]{0,8}(?:关闭|"
    r"拆除|覆盖|赔偿|停工|整改)))"
)
_NOT_ASK = re.compile(
    r"(?:多次|曾|已|已经|被|就|于是|当时|之前|对方|物业|公司|学校|医院|他们|她|他|老师|开发商|店家|客服|领导|"
    r"医生|村里|单位|工作人员|国家|政策|文件|规定|一直|在我再三|才|按|根据|不|"
    r"没有?|无|本(?:来)?|所有业主|家属|法律|中央|省里|电话|窗口|社区|司机|行李|强制|必须|规定)[^,]{0,10}$"
)
_TITLE_ASK = re.compile(
    r"^(?:关于|有关)[^,。\n]{2,40}?的?(?:请求|建议|咨询|求助|诉求|请教|问询|申请|呼吁)(?:报告|函|"
    r"信)?(?=[,。!?\n]|$)|^[^,。\n]{2,40}?(?:请求处理|请求解决|"
    r"请查[查处]|的咨询|的建议|的请求|求解决|求助)(?=[,。!?\n]|$)|^(?:举报|投诉|控告|质疑|问责)[^\n]{3,60}"
)
_OURS = (
    r"(?:我们?|本人|强烈|坚决|特|现在?|故|因此|业主们?|居民们?|村民们?|诉求[:]?|"
    r"[一二三四五六\d][、.)]|同时|并且?|也|再次|\s|[:(])*+"
)
_DEMANDED_BY_US = re.compile(rf"{_OURS}(?:全体[^,]{{0,8}}{_OURS})?")
"""What may stand before 要求 when the petitioner demands; otherwise somebody demands of the petitioner."""
_THANKS = re.compile(r"谢谢|感谢|为感|不胜感|万分感|此致|敬礼|祝")
_EMPTY = re.compile(r"(?:希望|请|望|盼|敬请)?(?:谢谢|感谢|致谢|此致|敬礼)|请(?:不要)?(?:公开|保密)|.{0,4}(?:您好|你好)")


def find_requests(text: str, *, title_end: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the spans of the clauses that ask for something; a report in the past tense ("我要求过") is not one.

    `title_end` is the length of the title in `text` (0 without one): titles name the request in their own way.
    """
    if title_end:
        match = _TITLE_ASK.match(text[:title_end])
        if match:
            yield match.span()
    for sentence in _CLAUSE.finditer(text):
        yield from _in_sentence(text, sentence.start(), sentence.end(), title_end if title_end else -1)


def _in_sentence(text: str, start: int, end: int, title_end: int) -> Iterator[tuple[int, int]]:
    """Yield the request of one sentence: from the asking word to the end of the sentence, at most four commas on."""
    pieces = [(start + piece.start(), start + piece.end()) for piece in _PIECE.finditer(text[start:end])]
    position = 0
    while position < len(pieces):
        first, last = pieces[position]
        ask = _ASK.search(text, first, last)
        if not ask or not _asks(text, first, last, ask):
            position += 1
            continue
        if title_end > 0 and first < title_end and _TITLE_ASK.match(text[:title_end]):
            position += 1
            continue
        stop = position + 1
        while stop < len(pieces) and stop - position < 4 and not _ends(text, pieces[stop][0]):
            stop += 1
        yield ask.start(), _trimmed(text, ask.start(), pieces[stop - 1][1])
        position = stop


def _asks(text: str, first: int, last: int, ask: re.Match[str]) -> bool:
    """Tell whether the word found asks for something here and now, rather than telling what was asked."""
    before = text[first : ask.start()]
    told = _NOT_ASK.search(before) or _demanded_by_others(before, ask.group())
    return last - ask.end() >= 2 and not told and not _EMPTY.match(text, ask.start())


def _demanded_by_others(before: str, ask: str) -> bool:
    """Tell whether 要求 reports what others demanded (社区要求每户交1000元)."""
    return ask.endswith("要求") and not _DEMANDED_BY_US.fullmatch(before)


def _ends(text: str, start: int) -> bool:
    """Tell whether the piece at `start` opens another request or only thanks."""
    return bool(_ASK.match(text, start) or _THANKS.match(text, start))


def _trimmed(text: str, start: int, end: int) -> int:
    """Leave trailing commas and spaces out."""
    while end > start + 1 and text[end - 1] in ", ":
        end -= 1
    return end
