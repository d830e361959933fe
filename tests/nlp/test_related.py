"""Related petitions: signatures, the index, what is said of a relation."""

import json
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from nlp.ngrams import ngram_hash
from nlp.petition import Petition
from nlp.prepare import prepare
from nlp.related import (
    SAME_MATTER,
    RelatedIndex,
    band_keys,
    from_bytes,
    keys_from_bytes,
    keys_to_bytes,
    matter_keys,
    news_in,
    sign,
    text_digest,
    to_bytes,
)
from nlp.related import chunk as chunk_module
from nlp.related import index as index_module
from nlp.related.matter import N_KEYS, shared_share

TEXT = "幸福路从加油站到小学的路灯坏了半年，晚上学生放学看不见路，已经摔伤三个人，请求有关部门尽快派人维修。"
OTHER = "我父亲去年在县医院做手术，新农合报销的材料交上去以后一直没有消息，请医保局帮忙查询进度。"
# A matter, the same one in other words, and the same topic at another place.
ESTATE, ESTATE_AGAIN, ESTATE_ELSEWHERE = json.loads(
    (Path(__file__).parents[1] / "one_matter.json").read_text(encoding="utf-8")
)


def index_of(*texts: str) -> RelatedIndex:
    index = RelatedIndex()
    for number, text in enumerate(texts):
        index.add(f"p{number}", text=text)
    return index


def found(index: RelatedIndex, text: str) -> list[tuple[str, str]]:
    return [(match.petition_id, match.relation) for match in index.query(text).matches]


def test_signature_bytes_never_change() -> None:
    assert to_bytes(sign(TEXT))[:8].hex() == "14c8d8a196421f8a"
    assert band_keys(sign(TEXT))[:2].tolist() == [2569222133, 4007699695]


def test_signature_survives_storage_and_refuses_other_lengths() -> None:
    assert (from_bytes(to_bytes(sign(TEXT))) == sign(TEXT)).all()
    with pytest.raises(ValueError, match="128 bytes"):
        from_bytes(b"abc")


def test_agreement_estimates_shared_ngrams() -> None:
    random = np.random.default_rng(0)
    shared = "".join(chr(point) for point in random.integers(0x4E00, 0x9FA0, 3000))
    mine, theirs = ("".join(chr(point) for point in random.integers(0x4E00, 0x9FA0, 1000)) for _ in range(2))
    estimate = (sign(shared + mine) == sign(shared + theirs)).mean()
    assert estimate == pytest.approx(0.6, abs=0.2)
    assert (sign(shared) == sign(mine)).mean() < 0.1


def test_punctuation_placeholders_and_spaces_do_not_matter() -> None:
    assert text_digest("请 修 路！[姓名]") == text_digest("请修路")
    assert text_digest("请修路") != text_digest("请修桥")


@pytest.mark.parametrize("text", ["", "路", "修路灯", "[姓名]"])
def test_short_texts_can_be_signed(text: str) -> None:
    assert sign(text).shape == (64,)


def test_same_text_near_duplicate_and_same_matter() -> None:
    index = index_of(TEXT, OTHER, ESTATE)
    assert found(index, TEXT + "！") == [("p0", "same_text")]
    assert found(index, TEXT + "谢谢领导。") == [("p0", "near_duplicate")]
    matter = index.query(ESTATE_AGAIN)
    assert [(match.petition_id, match.relation) for match in matter.matches] == [("p2", "same_matter")]
    assert matter.matches[0].matter_share >= SAME_MATTER > matter.matches[0].text_share
    assert "可能" in matter.matches[0].message
    assert "不自动合并" in matter.message


def test_the_same_topic_elsewhere_is_another_matter() -> None:
    assert found(index_of(ESTATE), ESTATE_ELSEWHERE) == []
    assert found(index_of(ESTATE_ELSEWHERE), ESTATE_AGAIN) == []


def test_matter_keys_never_change() -> None:
    keys = matter_keys(TEXT)
    assert keys[:3].tolist() == [373990779, 483356663, 607750941]
    assert blake2b(keys_to_bytes(keys), digest_size=8).hexdigest() == "d2ae7b12cb81c22d"


def test_matter_keys_survive_storage_and_refuse_other_lengths() -> None:
    assert (keys_from_bytes(keys_to_bytes(matter_keys(TEXT))) == matter_keys(TEXT)).all()
    with pytest.raises(ValueError, match="192 bytes"):
        keys_from_bytes(b"abc")


def test_a_name_said_often_tells_more_than_common_words() -> None:
    keys = matter_keys(ESTATE).tolist()
    names, common = ("恒泰", "恒泰达", "锦绣澜", "澜庭"), ("我们", "小区", "业主", "公司", "没有")
    assert all(ngram_hash(gram) in keys for gram in names)
    assert not any(ngram_hash(gram) in keys for gram in common)


def test_keys_are_made_of_words_alone() -> None:
    keys = matter_keys("恒泰达公司ABC")
    assert (matter_keys("恒泰达公司，[姓名]；abc") != keys).any(), "no n-gram crosses what stands between"
    assert (matter_keys("[姓名]恒泰达公司Abc\n[电话]") == keys).all()
    assert keys.dtype == np.uint32
    assert keys.shape == (N_KEYS,)
    grams = [word[i : i + size] for word in ["恒泰达公司abc"] for size in (2, 3) for i in range(len(word) - size + 1)]
    assert sorted(keys[keys > 0].tolist()) == sorted(map(ngram_hash, grams))


@pytest.mark.parametrize("text", ["", "路", "？！", "[姓名][电话]", "a，b"])
def test_a_text_without_ngrams_has_no_keys(text: str) -> None:
    assert not matter_keys(text).any()


def test_long_texts_have_all_keys_and_each_once() -> None:
    keys = matter_keys(ESTATE + TEXT + OTHER)
    assert len(set(keys.tolist()) - {0}) == N_KEYS


def test_shares_of_short_texts_are_held_down() -> None:
    stored = np.array([48, 24, 3, 0])
    assert shared_share(np.array([12, 12, 3, 0]), stored=stored, asked=48).tolist() == [0.25, 0.5, 0.25, 0]


def test_the_bar_of_one_matter_can_be_set() -> None:
    index = RelatedIndex(same_matter=0.9)
    index.add("p0", text=ESTATE)
    assert found(index, ESTATE_AGAIN) == []


def test_of_one_matter_the_likest_is_told_first() -> None:
    index = RelatedIndex(same_matter=0.05)
    index.add("p0", text=ESTATE_AGAIN.replace("锦绣澜庭", "这个小区"))
    index.add("p1", text=ESTATE_AGAIN)
    matches = index.query(ESTATE).matches
    assert [match.petition_id for match in matches] == ["p1", "p0"]
    assert matches[0].matter_share > matches[1].matter_share


def test_nothing_related_says_nothing() -> None:
    answer = index_of(TEXT).query(OTHER)
    assert answer.matches == ()
    assert answer.message == ""


def test_removed_and_ignored_petitions_do_not_come_back() -> None:
    index = index_of(TEXT, TEXT)
    index.remove("p0")
    assert "p0" not in index
    assert len(index) == 1
    assert [match.petition_id for match in index.query(TEXT).matches] == ["p1"]
    assert index.query(TEXT, ignore=["p1"]).matches == ()
    with pytest.raises(KeyError):
        index.remove("p0")


def test_many_relatives_are_a_campaign_and_cut_at_most() -> None:
    index = index_of(*[TEXT] * 7)
    answer = index.query(TEXT, most=3)
    assert answer.campaign
    assert len(answer.matches) == 3
    assert answer.n_found == 7
    assert "多人反映" in answer.message


def test_full_blocks_answer_like_open_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    alike = (f"第{number}件：{'噪声扰民请求处理' * 3}{number * 7919}" for number in range(30))
    texts = [TEXT, ESTATE, OTHER, ESTATE_AGAIN, ESTATE_ELSEWHERE, *alike]
    wide = index_of(*texts)
    monkeypatch.setattr(chunk_module, "CHUNK", 4)
    monkeypatch.setattr(index_module, "CHUNK", 4)
    narrow = index_of(*texts)
    for text in texts:
        assert narrow.query(text, most=50) == wide.query(text, most=50)
    assert found(narrow, ESTATE)[1:] == [("p3", "same_matter")]
    narrow.remove("p3")
    assert found(narrow, ESTATE)[1:] == []


def test_many_at_once_is_the_same_as_one_by_one() -> None:
    texts = [TEXT, OTHER]
    index = RelatedIndex()
    index.add_many(
        ["p0", "p1"],
        signatures=np.stack([sign(text) for text in texts]),
        digests=[text_digest(text) for text in texts],
        keys=np.stack([matter_keys(text) for text in texts]),
    )
    for text in texts:
        assert index.query(text) == index_of(*texts).query(text)


def test_add_many_stores_all_or_nothing() -> None:
    index = index_of(TEXT)
    signatures, keys = np.stack([sign(OTHER)] * 2), np.stack([matter_keys(OTHER)] * 2)
    for ids in (["p1", "p0"], ["p1", "p1"]):
        with pytest.raises(ValueError, match="already"):
            index.add_many(ids, signatures=signatures, digests=[1, 2], keys=keys)
    with pytest.raises(ValueError, match="signatures of shape"):
        index.add_many(["p1"], signatures=signatures, digests=[1], keys=keys[:1])
    for wrong in (keys[:1], keys[:, :40]):
        with pytest.raises(ValueError, match="matter keys of shape"):
            index.add_many(["p1", "p2"], signatures=signatures, digests=[1, 2], keys=wrong)
    with pytest.raises(ValueError, match="already"):
        index.add("p0", text=TEXT)
    assert len(index) == 1


def test_a_repeat_has_no_news_and_a_new_fact_is_shown_in_the_original() -> None:
    earlier = prepare(Petition(text=TEXT))
    assert news_in(earlier, earlier).spans == ()
    later = Petition(text=TEXT + "2021年3月我又向县城管局反映，答复说没有经费。")
    news = news_in(prepare(later), earlier)
    told = [later.content[start:end] for _, start, end in news.spans]
    assert any("2021年3月" in wording for wording in told)
    assert "新的事实" in news.message
    assert "重复反映" in news_in(earlier, earlier).message


@pytest.mark.parametrize("text", ["", "？！", "[姓名][电话]"])
def test_a_text_without_words_is_related_to_nothing(text: str) -> None:
    index = index_of(text, TEXT)
    assert index.query("。").matches == ()


def test_the_same_new_wording_is_told_once() -> None:
    earlier, later = (prepare(Petition(text=text)) for text in (TEXT, f"{TEXT}3月5日答复过，3月5日之后没有下文。"))
    assert [later.text[start:end] for _, start, end in news_in(later, earlier).spans].count("3月5日") == 1
