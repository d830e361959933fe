"""Which pieces of a text accuse officials: such a piece is an appeal of its own, whoever the accused works for.

Words alone would put 教育局局长收受贿赂 with the school canteen, and both with the education bureau; what accuses a
body's people must not reach that body (条例30条3款), so it never stands in one appeal with anything else.
"""

import re

from nlp.accused import DISCIPLINE, accusation_in
from nlp.appeals.matters import Score, word_scores
from nlp.knowledge import Knowledge
from nlp.petition import Masked
from nlp.rules import find_firings

_CALLED_TO_ACCOUNT = re.compile(r"查处|严查|彻查|追究|问责|纪委|监委|纪检|举报|控告|检举|处分|撤职|罢免|惩处|惩治|调查")
"""An accusation that asks for nothing of the kind is told in passing, on the way to another request."""


def accusations_apart(knowledge: Knowledge, *, score: Score = word_scores) -> Score:
    """Return `score`, but with every piece that accuses officials and wants them called to account held for one matter.

    That matter is the discipline organ's alone, so that accusations join each other and nothing else.
    """

    def scored(text: str) -> dict[str, float]:
        if _CALLED_TO_ACCOUNT.search(text):
            whole = Masked(text=text, origin=tuple(range(len(text))))
            if accusation_in(find_firings(whole, knowledge=knowledge)):
                return {DISCIPLINE: 1.0}
        return dict(score(text))

    return scored
