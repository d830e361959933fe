"""Articles as a letter to a citizen writes them: the law by its name, every article with 第."""

import re

_FULL_NAMES = {
    "条例": "信访工作条例",
    "个保法": "个人信息保护法",
    "农民工工资条例": "保障农民工工资支付条例",
    "刑诉法": "刑事诉讼法",
    "医疗纠纷条例": "医疗纠纷预防和处理条例",
    "反家暴法": "反家庭暴力法",
    "噪声法": "噪声污染防治法",
    "大气法": "大气污染防治法",
    "征收条例": "国有土地上房屋征收与补偿条例",
    "未保法": "未成年人保护法",
    "民诉法": "民事诉讼法",
    "水污染法": "水污染防治法",
    "消保法": "消费者权益保护法",
    "行诉法": "行政诉讼法",
}
"""Our short forms of laws; what is not here already stands under its own name."""

_ARTICLE = r"\d+(?:[、-]\d+)*条(?:\d+款|末款)?(?:\([一二三四五六七八九十]+\))*"
_CITATION = re.compile(
    rf"(?:(?<=[；;，、：（(])|^)(?P<law>[\u4e00-\u9fff]*?(?:条例|法|规定|办法|规则))(?P<articles>{_ARTICLE}(?:、{_ARTICLE})*)"
)
_PARAGRAPH = re.compile(r"条(\d+)款")
_ITEM = re.compile(r"((?:\([一二三四五六七八九十]+\))+)")


def in_full(text: str) -> str:
    """Return `text` with every citation such as 条例31条(五) written out: 《信访工作条例》第31条第(五)项."""
    return _CITATION.sub(_written_out, text)


def _written_out(citation: re.Match[str]) -> str:
    """Write out one law with its articles."""
    law = citation["law"]
    articles = "、".join(f"第{article}" for article in re.findall(_ARTICLE, citation["articles"]))
    articles = _ITEM.sub(r"第\1项", _PARAGRAPH.sub(r"条第\1款", articles))
    return f"《{_FULL_NAMES.get(law, law)}》{articles}"
