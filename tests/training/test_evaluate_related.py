"""The table of common n-grams, and the figures of related petitions, on texts written by us."""

import csv
from collections import Counter
from math import log
from pathlib import Path

import numpy as np
import pytest

from nlp.ngrams import ngram_hash
from nlp.petition import Petition
from nlp.related import RelatedIndex
from training import make_ngram_table
from training.data import Example
from training.evaluate_related import (
    JUDGED,
    Judged,
    find_all,
    group_lines,
    judged_lines,
    matter_shares,
    read_judged,
    relative_lines,
)
from training.make_ngram_table import write_table

LAMPS = "幸福路从加油站到小学的路灯坏了半年，晚上学生放学看不见路，请求有关部门尽快派人维修。"
MARKET = "东门菜市场旁边的污水沟堵了一个月，臭味飘进星河湾小区，星河湾的居民不敢开窗。"
MARKET_AGAIN = "住在星河湾的人都闻得到：东门菜市场那条污水沟没有人疏通，蚊子越来越多。"
TEXTS = {"a1": LAMPS, "a2": f"{LAMPS}！", "b1": MARKET, "b2": MARKET_AGAIN}


def example(number: str, group: str) -> Example:
    return Example(id=number, petition=Petition(id=number, text=TEXTS[number]), group=group, source="dataset")


EXAMPLES = [example("a1", "g1"), example("a2", "g1"), example("b1", "g2"), example("b2", "g3")]


def test_the_table_holds_the_most_frequent_ngrams_and_how_rare_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_ngram_table, "N_COMMON", 3)
    write_table(["路灯坏，路灯坏", "路灯", "路灯修", "[路灯]停水"], tmp_path / "table.npz")
    with np.load(tmp_path / "table.npz", allow_pickle=False) as arrays:
        hashes, weights = arrays["hashes"], arrays["weights"]
    assert hashes.dtype == np.uint32
    assert (np.diff(hashes.astype(np.int64)) > 0).all()
    once = sorted(map(ngram_hash, ("灯坏", "路灯坏", "灯修", "路灯修", "停水")))[:2]
    assert set(hashes.tolist()) == {ngram_hash("路灯"), *once}
    for found, weight in zip(hashes, weights, strict=True):
        assert weight == pytest.approx(log(4 / 3) if found == ngram_hash("路灯") else log(4), abs=1e-3)


def test_pairs_judged_by_readers_are_sound() -> None:
    with JUDGED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["same_matter"] for row in rows).keys() == {"yes", "no", "unsure"}
    assert len({frozenset((row["first"], row["second"])) for row in rows}) == len(rows)
    assert all(row["first"] != row["second"] for row in rows)
    assert {row["second_reader"] for row in rows} <= {"", "yes", "no", "unsure"}


def test_unsure_counts_as_no(tmp_path: Path) -> None:
    path = tmp_path / "judged.csv"
    path.write_text("first,second,same_matter,second_reader\nb,a,yes,\na,c,unsure,yes\n", encoding="utf-8")
    assert [(one.pair, one.same) for one in read_judged(path)] == [(("a", "b"), True), (("a", "c"), False)]


def test_shares_are_those_the_index_tells() -> None:
    (share,) = matter_shares([Judged(first="b1", second="b2", same=True)], TEXTS)
    index = RelatedIndex()
    index.add("b1", text=MARKET)
    (match,) = index.query(MARKET_AGAIN).matches
    assert match.matter_share == pytest.approx(share, abs=1e-3)
    assert 0 < share < 1


def test_each_part_is_told() -> None:
    found = find_all(EXAMPLES)
    assert found == {("a1", "a2"): "same_text", ("b1", "b2"): "same_matter"}
    assert group_lines(EXAMPLES, found) == [
        "4 messages, 1 pairs in groups",
        "same text or near-duplicate: 1 pairs, precision 1.000, recall 1.000",
    ]
    judged = [
        Judged(first="b2", second="b1", same=True),
        Judged(first="a1", second="b1", same=False),
        Judged(first="a2", second="a1", same=True),
    ]
    alike, whole, *bars = judged_lines(judged, TEXTS, found)
    assert alike == "judged pairs alike by text: 1, 1 of one matter"
    assert whole == "2 judged pairs, 1 of one matter: AUC 1.000, average precision 1.000"
    assert bars[2] == "bar 0.2: 1 pairs, precision 1.000, recall 1.000"
    matter, campaign = relative_lines(found, n_messages=4)
    assert "0.50 relatives on average, 0.500 of the messages have any, 1 at most" in matter
    assert campaign == "told as a campaign: 0.000 of the messages"
