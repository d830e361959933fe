"""Whether a department that is to get a petition may be the body whose people it accuses.

An accusation and its material never go to the accused, their unit or below it (条例30条3款, 46条(五)). Words alone
cannot tell who is accused: what is found here warns the person who decides.
"""

import re
from collections.abc import Iterable, Sequence

from nlp.knowledge import Knowledge
from nlp.knowledge.signals import expand
from nlp.petition import Candidate, Firing, Prediction, Reason
from nlp.taxonomy import Taxonomy

ACCUSATION = "accusation_handling"
"""The channel of accusations of officials (条例30条)."""

ACCUSATION_FLAG = "official_accusation"
"""The must-review rule, and learned flag, of a text that accuses officials."""

DISCIPLINE = "discipline_supervision"
"""The department that handles accusations, of its own people excepted."""

_NOT_GREETED = r"(?![:,\s]*您|[:,\s]*你好|:|热线|信箱)"

_OWN_TITLE = (
    r"[^,.;:!?。、\n查处管办核究请举控检反投村社]{0,4}(?:书记|主任|常委|委员|组长|干部|领导|工作人员)" + _NOT_GREETED
)
"""Who holds office with the discipline organ, right after its name; one who is greeted is not accused."""

_LEADER = rf"(?:[县区市](?:委)?(?:副)?书记|[县区市]委常委|(?:副)?(?:县长|区长|市长)|纪检(?:监察)?组?组长){_NOT_GREETED}"
_LEADER_ACCUSED = re.compile(
    rf"(?:举报|控告|检举|揭发)(?!给|到|至)[^,。;!?\n查处请]{{0,14}}{_LEADER}|"
    rf"(?<![向请给]){_LEADER}[^,。;!?\n查处举控检]{{0,14}}(?:收受|受贿|贿赂|贪污|收了|索要|滥用职权|以权谋私|包庇|保护伞|侵占|玩忽职守|勾结|插手)"
)
"""Leaders of a county and whom the organ above sends: not for the county's own discipline organ to handle."""

_WRONGED_BY = (
    "不作为|乱作为|失职|渎职|玩忽职守|滥用职权|包庇|袒护|徇私|勾结|保护伞|通风报信|受贿|收钱|收受|吃拿卡要|刁难|"
    "弄虚作假|违规|违法|暗箱|内定|克扣|威胁|恐吓|打人"
)
"""What a body is accused of, in the clause that begins with its name."""


def accusation_in(firings: Iterable[Firing]) -> bool:
    """Tell whether one of `firings` says that officials are accused."""
    return any(firing.code == ACCUSATION_FLAG for firing in firings)


def accused_unit(
    department: Prediction,
    co_departments: Sequence[Candidate],
    text: str,
    knowledge: Knowledge,
    taxonomy: Taxonomy,
    *,
    accused: bool,
) -> list[Reason]:
    """Warn where a proposed department seems to be the unit whose officials are accused, or may be for all we read."""
    if not accused and department.best.code != DISCIPLINE:
        return []
    messages = []
    for candidate in (department.best, *co_departments):
        if candidate.code == DISCIPLINE and _LEADER_ACCUSED.search(text):
            messages.append(
                "文中检举的可能是上级管理的领导干部：不由本级纪检监察机关处理，按干部管理权限径送上一级"
                "（条例30条1款；纪检监察机关处理检举控告工作规则15条），须人工核定"
            )
        elif seems_accused(candidate.code, text, knowledge=knowledge, taxonomy=taxonomy):
            messages.append(
                f"文中检举的可能是“{candidate.name}”自己的人：不得转给被检举人（条例30条3款），反映本机关主要负责人的"
                "径送上一级纪检监察机关核定（纪检监察机关处理检举控告工作规则15条），须人工核定"
                if candidate.code == DISCIPLINE
                else f"文中检举公职人员，“{candidate.name}”可能就是被检举人所在单位，不得把材料转给它或其下级"
                "（条例30条3款、46条(五)），须人工核定"
            )
        elif candidate is department.best and candidate.code != DISCIPLINE:
            messages.append(
                f"文中似有检举公职人员的内容：送“{candidate.name}”前先核对被检举的是不是它或其下级的人；"
                "是的，不得转给它（条例30条3款、46条(五)），须人工核定"
            )
    return [Reason(code="rule_conflict", detail="department", message=message) for message in messages]


def seems_accused(code: str, text: str, *, knowledge: Knowledge, taxonomy: Taxonomy) -> bool:
    """Tell whether a department, or somebody who holds a title there, seems to be accused in masked `text`.

    The discipline organ handles accusations of anybody else's people, so only its own titles speak against it.
    """
    unit = taxonomy.department(code)
    names = "|".join(map(re.escape, (unit.name, *unit.aliases)))
    if code == DISCIPLINE:
        return re.search(rf"(?<![镇乡])(?:{names}){_OWN_TITLE}", text) is not None
    return _accuses(names, text, title=expand("(?:{title}|{staff})", knowledge.lexicon.words))


def _accuses(names: str, text: str, *, title: str) -> bool:
    """Tell whether one of the units `names` (a pattern), or somebody who holds a title there, is accused in `text`."""
    accuser = r"(?:举报|控告|检举|揭发|问责|彻查)(?!给|到|至)[^,。;!?\n]{0,10}"
    deed = rf"[^,。;!?\n]{{0,8}}(?:{title}|{_WRONGED_BY})"
    return re.search(rf"{accuser}(?:{names})|(?:{names}){deed}", text) is not None
