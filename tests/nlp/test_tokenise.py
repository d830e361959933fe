"""Pieces in windows, and words."""

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from nlp.tokenise import PieceTokeniser, words

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"甲乙丙丁戊己庚辛壬癸"]


@pytest.fixture
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    return tokenizer


def read(tokeniser: PieceTokeniser, text: str) -> list[str]:
    return ["".join(PIECES[i] for i in ids[1:-1]) for ids in tokeniser.windows(text).ids]


def test_every_window_is_framed_and_none_is_longer_than_allowed(tokenizer):
    tokeniser = PieceTokeniser(tokenizer, window=5, max_windows=9)
    windows = tokeniser.windows("甲乙丙丁戊己庚")
    assert all((ids[0], ids[-1]) == (2, 3) and len(ids) <= 5 for ids in windows.ids)
    assert read(tokeniser, "甲乙丙丁戊己庚") == ["甲乙丙", "丁戊己", "庚"]


def test_spans_point_at_the_text_of_every_piece(tokenizer):
    text = "甲乙丙丁戊己庚"
    windows = PieceTokeniser(tokenizer, window=5, max_windows=9).windows(text)
    for ids, spans in zip(windows.ids, windows.spans, strict=True):
        assert spans[0] == spans[-1] == (0, 0)
        assert [PIECES[i] for i in ids[1:-1]] == [text[start:end] for start, end in spans[1:-1]]


def test_of_a_long_text_the_first_windows_and_the_end_are_read(tokenizer):
    assert read(PieceTokeniser(tokenizer, window=5, max_windows=2), "甲乙丙丁戊己庚辛壬癸") == ["甲乙丙", "辛壬癸"]


def test_where_one_window_is_allowed_it_is_the_first(tokenizer):
    assert read(PieceTokeniser(tokenizer, window=5, max_windows=1), "甲乙丙丁戊己庚") == ["甲乙丙"]


def test_an_empty_text_is_one_empty_window(tokenizer):
    assert PieceTokeniser(tokenizer, window=5, max_windows=2).windows("").ids == ((2, 3),)


def test_a_tokenizer_that_cuts_or_pads_by_itself_is_told_not_to(tokenizer):
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=20)
    assert read(PieceTokeniser(tokenizer, window=5, max_windows=9), "甲乙丙丁") == ["甲乙丙", "丁"]


def test_a_vocabulary_without_frame_pieces_is_refused():
    with pytest.raises(ValueError, match=r"lacks \[CLS\]"):
        PieceTokeniser(Tokenizer(models.WordLevel({"甲": 0}, unk_token="甲")), window=5, max_windows=1)


@pytest.mark.parametrize(("window", "max_windows"), [(2, 1), (8, 0)])
def test_windows_without_room_are_refused(tokenizer, window, max_windows):
    with pytest.raises(ValueError, match="at least"):
        PieceTokeniser(tokenizer, window=window, max_windows=max_windows)


def test_words_keep_order_and_leave_out_white_space():
    text = "小区物业 多次停电,\n居民投诉没有结果"
    found = list(words(text))
    assert "".join(found) == text.replace(" ", "").replace("\n", "")
    assert {"物业", "停电", "居民", "投诉"} <= set(found)
