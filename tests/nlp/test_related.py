"""Related petitions: signatures, the index, what is said of a relation."""

import numpy as np
import pytest

from nlp.petition import Petition
from nlp.prepare import prepare
from nlp.related import RelatedIndex, band_keys, from_bytes, news_in, sign, text_digest, to_bytes
from nlp.related import chunk as chunk_module
from nlp.related import index as index_module

TEXT = "幸福路从加油站到小学的路灯坏了半年，晚上学生放学看不见路，已经摔伤三个人，请求有关部门尽快派人维修。"
OTHER = "我父亲去年在县医院做手术，新农合报销的材料交上去以后一直没有消息，请医保局帮忙查询进度。"


def random_vector(seed: int, *, width: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(width).astype(np.float32)


def index_of(*texts: str) -> RelatedIndex:
    index = RelatedIndex(width=32)
    for number, text in enumerate(texts):
        index.add(f"p{number}", text=text, vector=random_vector(number))
    return index


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
    index = index_of(TEXT, OTHER)
    same = index.query(TEXT + "！", vector=random_vector(9))
    assert [(match.petition_id, match.relation) for match in same.matches] == [("p0", "same_text")]
    near = index.query(TEXT + "谢谢领导。", vector=random_vector(9))
    assert [(match.petition_id, match.relation) for match in near.matches] == [("p0", "near_duplicate")]
    matter = index.query("完全不同的另外一些话", vector=random_vector(1) * 3)
    assert [(match.petition_id, match.relation) for match in matter.matches] == [("p1", "same_matter")]
    assert "可能" in matter.matches[0].message
    assert "不自动合并" in matter.message


def test_nothing_related_says_nothing() -> None:
    answer = index_of(TEXT).query(OTHER, vector=random_vector(5))
    assert answer.matches == ()
    assert answer.message == ""


def test_removed_and_ignored_petitions_do_not_come_back() -> None:
    index = index_of(TEXT, TEXT)
    index.remove("p0")
    assert "p0" not in index
    assert len(index) == 1
    assert [match.petition_id for match in index.query(TEXT, vector=random_vector(9)).matches] == ["p1"]
    assert index.query(TEXT, vector=random_vector(9), ignore=["p1"]).matches == ()
    with pytest.raises(KeyError):
        index.remove("p0")


def test_many_relatives_are_a_campaign_and_cut_at_most() -> None:
    index = index_of(*[TEXT] * 7)
    answer = index.query(TEXT, vector=random_vector(99), most=3)
    assert answer.campaign
    assert len(answer.matches) == 3
    assert answer.n_found == 7
    assert "多人反映" in answer.message


def test_full_blocks_answer_like_open_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [TEXT, OTHER, *(f"第{number}件：{'噪声扰民请求处理' * 3}{number * 7919}" for number in range(30))]
    wide = index_of(*texts)
    monkeypatch.setattr(chunk_module, "CHUNK", 4)
    monkeypatch.setattr(index_module, "CHUNK", 4)
    narrow = index_of(*texts)
    for number, text in enumerate(texts):
        vector = random_vector(number)
        assert narrow.query(text, vector=vector, most=50) == wide.query(text, vector=vector, most=50)


def test_many_at_once_is_the_same_as_one_by_one() -> None:
    texts = [TEXT, OTHER]
    index = RelatedIndex(width=32)
    index.add_many(
        ["p0", "p1"],
        signatures=np.stack([sign(text) for text in texts]),
        digests=[text_digest(text) for text in texts],
        vectors=np.stack([random_vector(number) for number in range(2)]),
    )
    for text in texts:
        query = random_vector(1)
        assert index.query(text, vector=query) == index_of(*texts).query(text, vector=query)


def test_add_many_stores_all_or_nothing() -> None:
    index = index_of(TEXT)
    signatures, vectors = np.stack([sign(OTHER)] * 2), np.stack([random_vector(7)] * 2)
    for ids in (["p1", "p0"], ["p1", "p1"]):
        with pytest.raises(ValueError, match="already"):
            index.add_many(ids, signatures=signatures, digests=[1, 2], vectors=vectors)
    with pytest.raises(ValueError, match="signatures of shape"):
        index.add_many(["p1"], signatures=signatures, digests=[1], vectors=vectors[:1])
    with pytest.raises(ValueError, match="as many vectors"):
        index.add_many(["p1", "p2"], signatures=signatures, digests=[1, 2], vectors=vectors[:1])
    assert len(index) == 1


def test_bad_input_is_refused() -> None:
    index = index_of(TEXT)
    with pytest.raises(ValueError, match="already"):
        index.add("p0", text=TEXT, vector=random_vector(0))
    with pytest.raises(ValueError, match=r"shape \(32,\)"):
        index.query(TEXT, vector=random_vector(0, width=8))
    with pytest.raises(ValueError, match="finite"):
        index.add("p9", text=TEXT, vector=np.full(32, np.nan, np.float32))


def test_a_repeat_has_no_news_and_a_new_fact_is_shown_in_the_original() -> None:
    earlier = prepare(Petition(text=TEXT))
    assert news_in(earlier, earlier).spans == ()
    later = Petition(text=TEXT + "2021年3月我又向县城管局反映，答复说没有经费。")
    news = news_in(prepare(later), earlier)
    told = [later.content[start:end] for _, start, end in news.spans]
    assert any("2021年3月" in wording for wording in told)
    assert "新的事实" in news.message
    assert "重复反映" in news_in(earlier, earlier).message


def test_kept_signatures_are_compared_without_a_vector_and_a_vector_of_zeros_is_like_nothing() -> None:
    index = RelatedIndex(width=32, same_matter=0.5)
    texts = [TEXT, OTHER]
    index.add_many(
        ["kept", "other"],
        signatures=np.stack([sign(text) for text in texts]),
        digests=[text_digest(text) for text in texts],
        vectors=np.zeros((2, 32), np.float32),
    )
    by_text = index.query_signed(sign(TEXT), digest=text_digest(TEXT), vector=None)
    assert [(match.petition_id, match.relation) for match in by_text.matches] == [("kept", "same_text")]
    assert by_text.matches[0].matter_share == 0
    assert index.query("完全不同的另外一些话", vector=random_vector(3)).matches == ()


@pytest.mark.parametrize("text", ["", "？！", "[姓名][电话]"])
def test_a_text_without_words_is_related_to_nothing(text: str) -> None:
    index = index_of(text, TEXT)
    assert index.query("。", vector=random_vector(0)).matches == ()


def test_the_same_new_wording_is_told_once() -> None:
    earlier, later = (prepare(Petition(text=text)) for text in (TEXT, f"{TEXT}3月5日答复过，3月5日之后没有下文。"))
    assert [later.text[start:end] for _, start, end in news_in(later, earlier).spans].count("3月5日") == 1
