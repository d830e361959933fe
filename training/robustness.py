"""How well the answer holds when a petition is written worse, cut short or moved to another town.

Every change is made to the petition as received, so it passes normalising and masking as it would when served. The
changes are drawn from a generator seeded by the petition's id: a second run changes the same characters.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np
from pypinyin import lazy_pinyin

from nlp.calibrate import Calibration, best_label
from nlp.normalise import normalise
from nlp.petition import HEADS, Head, Petition, Scores
from nlp.prepare import prepare
from nlp.runtime import Runtime
from nlp.taxonomy import Taxonomy
from training.classifier import label_arrays
from training.data import MISSING, Example
from training.significance import bootstrap
from training.systems import read_branches

TYPO_RATE = 0.03
"""Share of Chinese characters replaced: about one in a line of a hastily typed message."""

KEPT_SHARE = 0.6
"""How much of a shortened text is kept, from the start."""

Rewrite = Callable[[Petition, random.Random], str]
"""Returns the text the model reads of the changed petition."""

_SHAPE_FAMILIES = (
    "己已巳 未末 土士 人入八 日曰 千干于 天夭 王玉主 大太犬 晴睛 拔拨 折拆析 辨辩辫 候侯 因困囚 免兔 今令 历厉 待侍 "
    "村材 住往 体休 没设 情清请 很跟 处外 找我 治冶 房户 问间 同向 见贝 买卖 农衣 车东 开井 市币 收妆 交文 老考 车牛 "
    "民尼 建健 准淮 冰水 楼搂 路露 钱线 税锐 账帐 赔陪 偿尝 拖施 补朴 贴站 报服 坏环 污朽 油抽 噪澡 幼幻 班斑 医匠 院完"
)
_CHINESE = re.compile(r"[一-鿿]")
_PUNCTUATION = re.compile(r"[，。！？；：、“”‘’（）《》…—,.!?;:\"'()\-~～·]")
_PLACE = re.compile(r"(?<![A-Za-z])([A-M])(?=\d{0,2}(?:市|县|区|镇|街道))")
_PERSONAL = "反映人：王建国，手机号13812345678，身份证号430102199003070012，家住和平路18号3栋502室。"


class Typist:
    """Makes the slips of a pinyin keyboard and of handwriting recognition: characters of like sound or like shape."""

    def __init__(self, texts: Sequence[str], *, n_characters: int = 3000) -> None:
        """Draw replacements from the `n_characters` most frequent Chinese characters of `texts`."""
        counts = Counter(c for text in texts for c in _CHINESE.findall(text))
        by_sound: dict[str, list[str]] = defaultdict(list)
        for character, _ in counts.most_common(n_characters):
            by_sound[lazy_pinyin(character)[0]].append(character)
        self._like: dict[str, str] = {c: "".join(same) for same in by_sound.values() for c in same}
        for family in _SHAPE_FAMILIES.split():
            for character in family:
                self._like[character] = self._like.get(character, "") + family

    def type(self, text: str, rng: random.Random) -> str:
        """Return `text` with about TYPO_RATE of its Chinese characters mistyped."""
        return _CHINESE.sub(lambda found: self._slip(found[0], rng), text)

    def _slip(self, character: str, rng: random.Random) -> str:
        if rng.random() >= TYPO_RATE:
            return character
        others = [c for c in self._like.get(character, "") if c != character]
        return rng.choice(others) if others else character


def without_punctuation(petition: Petition, _: random.Random) -> str:
    """Drop every punctuation mark."""
    return _text(
        replace(petition, title=_PUNCTUATION.sub("", petition.title), text=_PUNCTUATION.sub("", petition.text))
    )


def shortened(petition: Petition, _: random.Random) -> str:
    """Keep the title and the first KEPT_SHARE of the text."""
    return _text(replace(petition, text=petition.text[: max(1, round(len(petition.text) * KEPT_SHARE))]))


def other_town(petition: Petition, rng: random.Random) -> str:
    """Swap the letters that stand for towns (A市, B7县): each letter gives way to the same other one throughout."""
    shift = rng.randrange(1, 13)

    def swapped(text: str) -> str:
        return _PLACE.sub(lambda found: chr((ord(found[1]) - ord("A") + shift) % 13 + ord("A")), text)

    return _text(replace(petition, title=swapped(petition.title), text=swapped(petition.text)))


def personal_data_masked(petition: Petition, _: random.Random) -> str:
    """Add a name, a phone number, an ID number and an address, masked as they are when served."""
    return _text(_with_personal_data(petition))


def personal_data_unmasked(petition: Petition, _: random.Random) -> str:
    """Add the same data and do not mask: how much the answer would hang on them if masking failed."""
    return normalise(_with_personal_data(petition).content).text


def rewrites(texts: Sequence[str]) -> Mapping[str, Rewrite]:
    """Return every change by name; slips of the keyboard use the characters of `texts`."""
    typist = Typist(texts)
    return {
        "typos": lambda petition, rng: _text(
            replace(petition, title=typist.type(petition.title, rng), text=typist.type(petition.text, rng))
        ),
        "without_punctuation": without_punctuation,
        "shortened": shortened,
        "other_town": other_town,
        "personal_data_masked": personal_data_masked,
        "personal_data_unmasked": personal_data_unmasked,
    }


def robustness(
    runtime: Runtime, calibration: Calibration, examples: Sequence[Example], taxonomy: Taxonomy, *, n_draws: int = 500
) -> dict[str, Any]:
    """Return per change and labelled head the share of unchanged answers, the accuracy before and after, the change."""
    before = _scores(runtime, calibration, [e.text for e in examples])
    found: dict[str, Any] = {}
    for name, rewrite in rewrites([e.petition.content for e in examples]).items():
        texts = [rewrite(e.petition, random.Random(crc32(e.id.encode()))) for e in examples]  # noqa: S311
        after = _scores(runtime, calibration, texts)
        changed = [text != e.text for text, e in zip(texts, examples, strict=True)]
        found[name] = {
            "rows": len(examples),
            "texts_changed": round(float(np.mean(changed)), 4),
            "heads": {
                head: _compared(head, before, after, examples, taxonomy, n_draws=n_draws)
                for head in HEADS
                if any(head in e.labels for e in examples)
            },
        }
    return found


def _compared(
    head: Head, before: Scores, after: Scores, examples: Sequence[Example], taxonomy: Taxonomy, *, n_draws: int
) -> dict[str, Any]:
    old, new = (best_label(scores, head, taxonomy.labels) for scores in (before, after))
    truth = label_arrays(examples, taxonomy)[head]
    known = truth != MISSING
    gain = ((new == truth).astype(float) - (old == truth))[known]
    groups = [e.group for e, labelled in zip(examples, known, strict=True) if labelled]
    return {
        "unchanged": round(float((old == new).mean()), 4),
        "accuracy_before": round(float((old == truth)[known].mean()), 4),
        "accuracy_after": round(float((new == truth)[known].mean()), 4),
        "accuracy_change": bootstrap(lambda rows: float(gain[rows].mean()), groups, n_draws=n_draws).plain(),
    }


def _scores(runtime: Runtime, calibration: Calibration, texts: Sequence[str]) -> Scores:
    return calibration.scores(*read_branches(runtime, texts))


def _with_personal_data(petition: Petition) -> Petition:
    return replace(petition, text=f"{petition.text}\n{_PERSONAL}")


def _text(petition: Petition) -> str:
    return prepare(petition).text
