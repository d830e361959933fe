"""What registration still needs, out of the office's own list, with the question that asks for it.

The list comes from the knowledge files (`Knowledge.registration`), so an office can reword or add to it. An item that
matters only sometimes is asked for only then: the number of people when several complain together, the amount when
money is the matter. Masked personal data is never read; that a name or a telephone number stood there is enough.
"""

import re
from collections.abc import Callable, Collection, Iterable

from nlp.elements.records import Elements
from nlp.knowledge import RegistrationItem
from nlp.petition import Masked

_SENDER = re.compile(
    r"(?:我叫|我是|本人|姓名|反映人|信访人|投诉人|举报人|联系人|报告人|求助人|申诉人|具报人|署名|"
    r"申请人)[^,。;!?\n]{0,4}\[姓名\]"
    r"|\[姓名\][^。!?]{0,16}$"
)
_OFFICIAL = re.compile(r"书记|主任|局长|镇长|村长|队长|校长|院长|所长|支书|干部|法官|民警|老板|包工头")
_LIVES = re.compile(r"家住|住在|居住在|现住|住址|租住|小区的?(?:业主|居民|住户)|村的?村民|社区的?居民")
_COURT = re.compile(r"起诉|诉讼|法院|仲裁|行政复议|复议|判决|裁定|立案|打官司")
_EVIDENCE = re.compile(r"附件|照片|图片|视频|录音|合同|收据|发票|证据|截图|协议书|凭证|欠条")
_TOGETHER = re.compile(r"我们|全体|业主们|村民们|大家|联名|集体|众多|广大")
_MONEY = re.compile(r"拖欠|欠薪|工资|补偿款?|赔偿|退款|退费|押金|定金|违约金|集资|本金|工程款|乱收费|收费|罚款|贷款")
_ENOUGH_FACTS = 30
"""Characters below which a text can hardly tell what happened."""


def missing_items(
    masked: Masked, elements: Elements, *, registration: Iterable[RegistrationItem], known: Collection[str] = ()
) -> tuple[RegistrationItem, ...]:
    """Return the items of `registration` that neither the text nor the form (`known` codes) gives, in their order.

    An item whose code is not judged here (an office's own) counts as missing when it is required and not known.
    """
    kinds = {redaction.kind for redaction in masked.redactions}
    types = {element.type for element in elements.found}
    present = {code: check(masked.text, types, kinds) for code, check in _PRESENT.items()}
    return tuple(
        item for item in registration if item.code not in known and not present.get(item.code, not item.required)
    )


_Check = Callable[[str, Collection[str], Collection[str]], bool]

_PRESENT: dict[str, _Check] = {
    "name": lambda text, _types, _kinds: bool(_SENDER.search(text)),
    "id_number": lambda _text, _types, kinds: "身份证" in kinds,
    "contact": lambda _text, _types, kinds: bool({"电话", "邮箱", "账号"} & set(kinds)),
    "service_address": lambda _text, _types, kinds: "地址" in kinds,
    "household_place": lambda text, types, _kinds: "home_place" in types or "户籍" in text,
    "residence": lambda text, _types, kinds: "地址" in kinds or bool(_LIVES.search(text)),
    "problem_place": lambda _text, types, _kinds: "place" in types,
    "event_time": lambda _text, types, _kinds: "time" in types,
    "reflected_party": lambda text, types, _kinds: "unit" in types or bool(_OFFICIAL.search(text)),
    "facts": lambda text, _types, _kinds: len(text) >= _ENOUGH_FACTS,
    "request": lambda _text, types, _kinds: "request" in types,
    "amount": lambda text, types, _kinds: "amount" in types or not _MONEY.search(text),
    "people_count": lambda text, types, _kinds: "people" in types or not _TOGETHER.search(text),
    "prior_handling": lambda _text, types, _kinds: "prior" in types,
    "court_status": lambda text, _types, _kinds: bool(_COURT.search(text)),
    "evidence": lambda text, _types, _kinds: bool(_EVIDENCE.search(text)),
}
"""For each code of the list: does the masked text, the types found or the kinds of data masked show it?"""
