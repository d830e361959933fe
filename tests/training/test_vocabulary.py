"""The encoder's vocabulary, built from petitions written by us."""

import pytest

from training.vocabulary import SPECIAL_PIECES, train_vocabulary


def test_special_pieces_come_first_in_their_order(tokenizer):
    assert [tokenizer.token_to_id(piece) for piece in SPECIAL_PIECES] == list(range(len(SPECIAL_PIECES)))


@pytest.mark.parametrize("n_pieces", [40, 300, 1500])
def test_a_vocabulary_is_never_larger_than_asked_for(texts, n_pieces):
    assert train_vocabulary(texts, n_pieces=n_pieces).get_vocab_size() <= n_pieces


def test_the_same_texts_give_the_same_vocabulary(texts):
    first, second = (train_vocabulary(iter(texts), n_pieces=800).to_str() for _ in range(2))
    assert first == second


def test_hardly_anything_is_unknown(texts, tokenizer):
    encodings = tokenizer.encode_batch(texts)
    pieces = [piece for encoding in encodings for piece in encoding.tokens]
    assert pieces.count("[UNK]") / len(pieces) < 0.03


def test_frequent_words_are_pieces_and_shorten_the_text(texts, tokenizer):
    n_pieces = sum(len(encoding.ids) for encoding in tokenizer.encode_batch(texts, add_special_tokens=False))
    n_characters = sum(len(text.replace("\n", "").replace(" ", "")) for text in texts)
    assert n_characters / n_pieces > 1.2
    assert "物业" in tokenizer.encode("物业", add_special_tokens=False).tokens


def test_a_placeholder_is_one_piece(tokenizer):
    assert tokenizer.encode("[姓名]的电话[电话]", add_special_tokens=False).tokens == ["[姓名]", "的", "电话", "[电话]"]


def test_digits_and_marks_stand_alone(tokenizer):
    assert tokenizer.encode("2024,3", add_special_tokens=False).tokens == ["2", "0", "2", "4", ",", "3"]


def test_offsets_cover_the_text_but_for_white_space(texts, tokenizer):
    for text in texts[:30]:
        covered = set()
        for start, end in tokenizer.encode(text, add_special_tokens=False).offsets:
            assert not covered & set(range(start, end))
            covered |= set(range(start, end))
        assert "".join(c for i, c in enumerate(text) if i not in covered).strip() == ""


def test_a_text_is_framed_when_asked(tokenizer):
    tokens = tokenizer.encode("停电").tokens
    assert (tokens[0], tokens[-1]) == ("[CLS]", "[SEP]")
