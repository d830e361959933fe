"""Case numbers of courts, arbitration and administrative cases, and numbers of property certificates.

Numbers of published documents (国发〔2010〕12号, 楚价服〔2012〕87号) look alike but name no person's case; the type
word decides. It stays in the text, because it tells the stage the matter has reached.
"""

import re
from collections.abc import Iterator

from nlp.privacy.spans import Span, search_windows, windows_near

_BRACKETED_YEAR = r"[(\[〔【〈<{](?:19|20)\d{2}年?[)\]〕】〉>}]"
_YEAR = rf"(?:{_BRACKETED_YEAR}|(?<!\d)(?:19|20)\d{{2}}年?)"
_SERIAL = r"第?\d{1,24}(?:-\d{1,6})*(?:[、,]\d{1,6})*号(?!楼|线|门|院|文|地块)(?:之[一二三四五六七八九十]+)?"

_COURT = (
    r"(?:知|商|少|法)?(?:民|刑|行|执|破|赔|委赔|强清|清)(?:一|二|三|四)?"
    r"(?:初|终|再|申|抗|监|提|辖|特|撤|保|异|复|恢|催|督|调|诉前调|前调|他|更|赔)?"
)
_AGENCY = (
    r"劳人仲案|劳人仲|劳仲案|劳仲|人仲案|人仲|农仲案|农仲|仲案|仲裁|仲调|仲|裁决|罚决|处罚|监罚|公罚|执罚|罚告|罚听|罚|行决|处决"
    r"|不立|立告|立案|受案|鉴通|鉴伤|鉴|工伤认|伤认|工认|认定|行复|议复|复议|复决|复查|复核|信访回复|访复|信访|信复|信答|交认|交证"
    r"|检民监|检刑诉|检刑不诉|刑不诉|检赔|赔决|公证|告知|公开告|依申请|依复|不予受理|受理|交决|强拆决|限拆|责改|责停|险核决"
)
_TYPE = rf"(?:{_AGENCY}|{_COURT})"

_YEAR_FIRST = re.compile(rf"{_YEAR}[\u4e00-\u9fa5A-Z0-9()]{{0,14}}?(?P<type>{_TYPE})字?(?:{_SERIAL})")
_TYPE_FIRST = re.compile(rf"(?:{_TYPE})案?字?第?(?P<n>{_BRACKETED_YEAR}(?:{_SERIAL}))")
_TYPE_ONLY = re.compile(rf"(?:{_TYPE})案?字(?P<n>第\d{{1,12}}(?:[、,]\d{{1,6}})*号)")
_ANNOUNCED = re.compile(
    r"(?:案号|案件号|案件编号|立案号|受案号|警情编号|警情号|认定书|决定书|判决书|裁定书|裁决书|调解书|通知书|告知书"
    r"|工单|工单号|工单编号|受理号|信访编号|回执)(?:文号|编号|号码|号)?(?:是|为)?[:第]{0,2}"
    r"(?P<n>[A-Za-z]{0,4}\d[\d-]{4,24}(?:号(?!楼|线|院))?)(?![\d元万年])"
)
_PROPERTY = re.compile(
    r"(?:不动产权证|不动产权|不动产登记证明|不动产证明|房权证|房产证|房产权证|房地证|房地产证|产权证|国用|集用|集建|土地证|土地使用证|土地使用权证"
    r"|宅基地证|林证|林权证|农地承包权|承包经营权证|承包证|经营权证|他项证|他项权证|权证|公房证|租赁证)"
    rf"[\u4e00-\u9fa5A-Z0-9]{{0,8}}?(?:号|号码|编号)?[:\s为是]{{0,2}}(?:{_YEAR})?[\u4e00-\u9fa5]{{0,6}}?"
    r"(?P<n>第(?:[A-Za-z]{0,3}\d[\dA-Za-z-]{2,24})号?|(?<=[:号为是])[A-Za-z]{0,3}\d[\dA-Za-z-]{4,24})(?![\d元万年])"
)


_SERIAL_END = re.compile(r"\d号|\d{5}")


def find_references(text: str) -> Iterator[Span]:
    """Yield the case numbers and property certificate numbers in `text`."""
    windows = windows_near(_SERIAL_END, text)
    for match in search_windows(_YEAR_FIRST, text, windows):
        yield Span(kind="案号", start=match.start(), end=match.end(), kept=match.span("type"))
    for pattern in (_TYPE_FIRST, _TYPE_ONLY, _ANNOUNCED):
        for match in search_windows(pattern, text, windows):
            yield Span(kind="案号", start=match.start("n"), end=match.end("n"))
    for match in search_windows(_PROPERTY, text, windows):
        yield Span(kind="证件", start=match.start("n"), end=match.end("n"))
