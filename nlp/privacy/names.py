"""Personal names: after 我叫, 本人, 联系人 …, before 先生, 局长 …, after a title, in lists and in signatures.

A name without any such neighbour is not found: guessing from the characters alone would hide 高速, 安全 and
任务 and so harm the model more than it would protect. Once found, a name is hidden wherever it stands again.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from nlp.privacy.spans import Span, search_near
from nlp.privacy.surnames import load_surnames

Strictness = Literal["label", "told", "loose"]
"""What stands before the name: a label with a colon, a word that a name must follow, a word that one may follow."""

_HAN = "\u4e00-\u9fa5"
_PUNCTUATION = ",。;:!?、()[]<>《》“”\"'‘’·…—-/ |+=【】〔〕~"

_NEVER_GIVEN = frozenset(
    "的了着过是在有与或及不也都就又被把将对从等们这那哪什么吗呢吧啊您你我他她它个只次再很太更最已要会应该让给使由至到去说称讲问答谁请求"
    "局院所镇乡县市区村街路号楼栋室组元亿月日年时分秒岁届每各些点钱款费税房车厂店司部门科处办员主女先经理老两但而且因为所此其则并却还"
    "向往于你没未无非勿找寄收付交买卖住叔婶妈爷奶姐哥弟妹姨舅侄嫂爸妻夫儿叫做及以小区被告队警总某姓"
) - frozenset("小华")

_AFTER = (
    "的|在|于|与|和|是|系|因|被|将|把|向|对|说|称|从|为|等|家|男|女|及|以|又|也|都|就|一|两|夫妇|夫妻|父子|兄弟|利用|担任|任|现|未|不|没|已|曾|到|去|来|给"
    "|找|让|要|打|通过|同|之|所|身份|电话|联系|手机|本人|名下|自|由|违|强|私|侵|贪|滥|霸|伙同|组织|擅自|使用|仍|经|多次|今年|出生|住|负责|承诺|答应|告|骂|殴"
    "|老师|先生|女士|同志|签|承包|租|借|欠|拖|欺|威|带|主持|当|作|做|收|有|我|您|你|他|她|这|那|只|还|却|竟|则|便|即|而|再|居|卖|买|占|建|个人|户|跟|并|拿|实|可|能|会|应"
    "|介绍|表示|回复|接|发|下|上|开|处|办|支|交|付|故|死|受|起|擅|以及|前|后|时|何|请|求|盼|敬|写|呈|某|案|诉|夫|先|老|女|们"
)
_BOUNDARY = re.compile(rf"$|[^{_HAN}]|(?:{_AFTER})")

_TITLE = re.compile(
    "|".join(
        [f"{head}长(?![期达远时年大短度廊江沙春])" for head in "局处科股所镇乡县市区村省厅司部站队组校园院庭行社会厂团连排班店"]
        + [f"{head}长" for head in ("董事", "理事", "秘书", "检察", "审判", "护士")]
        + (
            "先生 女士 小姐 太太 阿姨 大爷 大妈 大娘 大伯 大叔 大婶 大嫂 大哥 大姐 叔叔 伯伯 伯父 奶奶 爷爷 老人家 老师傅 师傅 老师 医生 大夫 医师 护士 教授 院士"
            " 党委书记 党支部书记 总支书记 副书记 书记员 书记 支书 主任医师 副主任 主任 副总 总经理 经理 董事 总监 主管 主席 委员 干事 专干 专员 会计 出纳 秘书 干警 民警 辅警"
            " 警官 警察 交警 法官 审判员 检察官 律师 法医 老板娘 老板 同志 道长 村支书 支部书记 教练 教员 辅导员 班主任 工程师 技术员 科员 一家 夫妇 夫妻 等人"
        ).split()
    )
)
_SURNAME_ONLY = re.compile(
    "先生|女士|小姐|太太|阿姨|大爷|大妈|大娘|大伯|大叔|大婶|大嫂|大哥|大姐|叔叔|伯伯|奶奶|爷爷|老师傅|师傅|老师|医生|大夫|护士|教授|.长|副.长|书记|支书|主任|副主任|总经理|经理|副总|总监|主管|主席"
    "|会计|警官|民警|交警|法官|检察官|律师|老板|老板娘|同志|教练|秘书|会长|主任医师|书记员|董事长|秘书长|护士长|村支书|工程师"
)
_LEFT = re.compile(
    rf"(?:^|[^{_HAN}]|[的和与及同跟向找对给由被让叫请是为经问求局院所镇乡县市处科办部厅委站队庭里上下内中名位户于在说称把将原前副姓骂打陪代理生员医师又有到去等但因]"
    r"|社区|街道|公司|物业|业主|村民|居民|市民|群众|邻居|家长|老板|书记|主任|经理|负责人|联系人|中心|学校|小学|中学|大学|医院|银行|法院|小区|支队|大队|中队|当时|现任|告诉|感谢|联系|反映|举报|投诉"
    r"|控告|实名|姓名|叫做|还有|以及|名叫|客服|销售|顾问|司机|中介|房东|村委|镇政府|检察)$"
)

_LABEL = re.compile(
    r"(?:姓名|名字|联系人|反映人|反应人|投诉人|举报人|信访人|申请人|申诉人|控告人|上访人|来访人|来信人|写信人|留言人|求助人|建议人|咨询人|检举人|陈述人|诉求人"
    r"|被举报人|被反映人|被投诉人|被申请人|被控告人|被告人|被告|被执行人|申请执行人|原告|上诉人|被上诉人|第三人|法定代表人|法人代表|法定代表|法人|负责人|当事人|受害人|被害人|受害者"
    r"|委托人|代理人|委托代理人|监护人|户主|业主|产权人|所有权人|承租人|买受人|出卖人|签名|署名|签字|落款|开户名|户名|收款人|持卡人|借款人|出借人|担保人|经办人|承办人|证人"
    r"|死者|伤者|患者|病人|嫌疑人|犯罪嫌疑人|肇事者|司机|本人|主办人|承办法官|代表人|联名人|此致敬礼|敬礼|班主任|学生姓名|家长|法人姓名|实际控制人|股东|丈夫|妻子|配偶|父亲|母亲|儿子|女儿|父|母|夫|妻|子|女|汇报人|呈报人)"
    r"(?:姓名|签名|签字)?(?:为|是)?(?P<colon>[:])[\"“(]?"
)
_TOLD = re.compile(
    r"(?:我叫|我名叫|名叫|名字叫|名字是|姓名是|姓名为|姓名|叫做|自称|本人|署名|签名|网友|实名举报人|(?:[个位名人字])叫)[\"“(]?"
)
_MAY = re.compile(
    r"(?:联系人|反映人|投诉人|举报人|信访人|申请人|申诉人|控告人|上访人|来访人|被举报人|被反映人|被投诉人|被申请人|被控告人|被告人|被告|被执行人|原告|上诉人|被上诉人"
    r"|法定代表人|法人代表|法人|负责人|当事人|受害人|被害人|受害者|委托人|代理人|户主|业主|承租人|收款人|借款人|经办人|承办人|证人|死者|伤者|患者|病人|嫌疑人|肇事者|司机"
    r"|村民|居民|市民|农民|职工|员工|工人|同事|邻居|房东|租客|老板|包工头|工头|中介|学生|教师|老师|医生|医师|护士|院长|校长|园长|局长|处长|科长|股长|所长|镇长|乡长|县长|市长|区长|村长|组长|队长|站长"
    r"|厅长|部长|庭长|行长|会长|厂长|社长|店长|班长|董事长|理事长|秘书长|书记|支书|主任|总经理|经理|总监|主管|主席|会计|出纳|秘书|民警|辅警|警官|警察|交警|法官|书记员|审判员|检察官|律师|股东|实际控制人|销售员|置业顾问|客服|业务员"
    r"|丈夫|妻子|老公|老婆|爱人|父亲|母亲|爸爸|妈妈|儿子|女儿|儿媳|女婿|哥哥|弟弟|姐姐|妹妹|大哥|二哥|大姐|堂弟|堂哥|表弟|表哥|侄子|外甥|孙子|孙女|爷爷|奶奶|岳父|岳母|公公|婆婆|叔叔|伯父|舅舅|小舅子|姐夫|妹夫|小孩|孩子|前夫|前妻"
    r"|干部|专干|同学|战友|朋友|老乡|组员|委员|代表|主管领导|分管领导|参保人|逝者|亡者|户籍人|监委主任|镇人大代表|恶霸|举报|控告|实名反映|实名举报|投诉)(?:为|是|系|叫)?[\"“(:]?"
)
_LABELLED = re.compile(rf"[{_HAN}]{{2,4}}(?=$|[^{_HAN}]|电话|手机|男|女|身份证|性别|年龄|住|联系|地址|职务)")
"""After a label any two to four characters up to a boundary are the name: surnames of minorities are on no list."""
_LISTED = re.compile(r"\[姓名\](?:、|和|与|及|以及|跟|同|/)")
_SURNAMED = re.compile(rf"(?<![百同])姓(?P<s>[{_HAN}])(?=的|男|女|老板|经理|主任|医生|村民|司机|[,。(])")
_CLOSING_WIDTH = 48
"""How far from the end of a text a signature may begin."""
_NUMBER_FOLLOWS = re.compile(r"\[电话\]|\[身份证\]|电话|手机|身份证|[,(](?:男|女)[,)、]")
_CLOSING = re.compile(
    r"(?:(?<=[。!?;,.~、)\]…])|(?<=敬礼)|(?<=此致)|(?<=谢谢)|(?<=感谢)|(?<=[民主户人友者])|^)"
    rf"(?!敬礼|此致|谢谢|感谢)(?P<n>[{_HAN}·]{{2,5}})(?P<tail>(?:[ ,.。、:(]?(?:\[电话\]|\[身份证\]|\[地址\]|电话|(?:19|20)\d\d[年./-]?\d{{0,2}}[月./-]?\d{{0,2}}日?|[敬谨]?[上呈启]|敬上|等人?|代笔|亲笔|叩首|拜上)[)]?)*[。.,!)]*)$"
)
_WITH_NUMBER = re.compile(
    rf"(?<![{_HAN}])(?P<n>[{_HAN}]{{2,4}})(?=[,:( ]?(?:\[电话\]|\[身份证\]|电话[:\[]|手机[:\[]|身份证|[,(]?(?:男|女)[,)、]))"
)
_DOTTED = re.compile(rf"[{_HAN}]{{2,6}}(?:[·•・][{_HAN}]{{2,6}}){{1,3}}")


def find_names(text: str) -> Iterator[Span]:
    """Yield the personal names in `text` that a neighbour gives away."""
    for start, end in _candidates(text):
        yield Span(kind="姓名", start=start, end=end)


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    for pattern, strictness in _TRIGGERS:
        for match in pattern.finditer(text):
            end = name_end(text, match.end(), strictness=strictness)
            if end:
                yield match.end(), end
    for match in _SURNAMED.finditer(text):
        if match["s"] in load_surnames().single:
            yield match.span("s")
    yield from _before_titles(text)
    yield from _bounded(_CLOSING.finditer(text, max(0, len(text) - _CLOSING_WIDTH)))
    yield from _bounded(search_near(_WITH_NUMBER, text, anchor=_NUMBER_FOLLOWS, before=5, after=8))
    yield from _dotted(text)


_TRIGGERS: tuple[tuple[re.Pattern[str], Strictness], ...] = (
    (_LABEL, "label"),
    (_TOLD, "told"),
    (_MAY, "loose"),
    (_LISTED, "loose"),
)


def name_end(text: str, start: int, *, strictness: Strictness) -> int | None:
    """Return where the name that begins at `start` ends, or None if none begins there."""
    dotted = _DOTTED.match(text, start)
    if dotted and strictness != "loose":
        return dotted.end()
    if strictness == "label":
        plain = _LABELLED.match(text, start)
        if plain and not _is_word(plain.group()) and plain.group()[-1] not in "局院所厅镇乡县市区村部司":
            return plain.end()
    for length in _lengths(text, start):
        candidate = text[start : start + length]
        if len(candidate) == length and _is_name(candidate, strict=strictness == "loose") and _BOUNDARY.match(text, start + length):
            return start + length
    return None


def _lengths(text: str, start: int) -> tuple[int, ...]:
    """Return the lengths to try, the usual three characters first."""
    return (4, 3) if text[start : start + 2] in load_surnames().double else (3, 2)


def _is_name(candidate: str, *, strict: bool) -> bool:
    """Tell whether `candidate` is made like a name: a surname, then one or two characters fit for a given name."""
    surnames = load_surnames()
    head = 2 if candidate[:2] in surnames.double and len(candidate) > 2 else 1
    if head == 1 and (candidate[0] not in surnames.single or (strict and candidate[0] in surnames.wordlike)):
        return False
    given = candidate[head:]
    if not given or not all("\u4e00" <= character <= "\u9fa5" for character in given):
        return False
    return not (_NEVER_GIVEN & set(given)) and not _is_word(candidate)


def _is_word(candidate: str) -> bool:
    """Tell whether `candidate` is, or begins or ends with, a word that only looks like a name."""
    words = load_surnames().not_names
    return candidate in words or candidate[:2] in words or candidate[:3] in words


def _before_titles(text: str) -> Iterator[tuple[int, int]]:
    """Names in front of a title: whole ones (李建国局长), else the surname alone (王阿姨)."""
    surnames = load_surnames()
    for match in _TITLE.finditer(text):
        end = match.start()
        if end and text[end - 1] == "副":
            end -= 1
        for length in (4, 3, 2):
            start = end - length
            candidate = text[start:end] if start >= 0 else ""
            if length == 4 and candidate[:2] not in surnames.double:
                continue
            if candidate and _is_name(candidate, strict=True) and _LEFT.search(text[max(0, start - 4) : start]):
                yield start, end
                break
        else:
            surname = text[max(0, end - 1) : end]
            if (
                surname in surnames.single - surnames.wordlike
                and _SURNAME_ONLY.fullmatch(match.group())
                and text[max(0, end - 2) : end] not in surnames.not_names
                and text[end - 1 : end + 1] not in surnames.not_names
                and _LEFT.search(text[max(0, end - 5) : end - 1])
            ):
                yield end - 1, end


def _bounded(matches: Iterable[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Names that stand alone between two boundaries, such as a signature at the end."""
    for match in matches:
        name = match["n"]
        if "·" in name or (_is_name(name, strict=True) and len(name) <= (4 if name[:2] in load_surnames().double else 3)):
            yield match.span("n")


def _dotted(text: str) -> Iterator[tuple[int, int]]:
    """Dotted names of minorities, recognised by the characters used to spell them."""
    if "·" not in text:
        return
    alphabet = load_surnames().transliterated
    for match in re.finditer(rf"[{_HAN}]{{2,8}}(?:·[{_HAN}]{{2,8}})+", text):
        if all(character in alphabet or character == "·" for character in match.group()):
            yield match.span()
