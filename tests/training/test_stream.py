"""The stream of pieces and the masked batches drawn from it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from nlp.tokenise import words
from training.settings import RecipeError
from training.stream import CONTINUES, PIECE_BITS, MaskedStream, write_stream
from training.vocabulary import SPECIAL_PIECES

MASK, SEP = SPECIAL_PIECES.index("[MASK]"), SPECIAL_PIECES.index("[SEP]")


@pytest.fixture(scope="module")
def stream(texts, tokenizer, tmp_path_factory) -> MaskedStream:
    path = tmp_path_factory.mktemp("stream") / "stream.bin"
    write_stream(texts, tokenizer, path, fingerprint="abc")
    return MaskedStream(
        path=path,
        n_rows=8,
        length=64,
        mask_share=0.2,
        whole_words=True,
        n_pieces=tokenizer.get_vocab_size(),
        n_special=len(SPECIAL_PIECES),
        mask_id=MASK,
        seed=3,
    )


def original(batch) -> np.ndarray:
    """Return the pieces of a batch before masking."""
    pieces = batch.pieces.copy()
    pieces.reshape(-1)[batch.positions] = batch.targets
    return pieces


def test_the_stream_holds_every_text_ended_by_sep_and_says_how_much(stream, texts, tokenizer):
    ids = (np.fromfile(stream.path, dtype=np.uint16) & PIECE_BITS).tolist()
    expected = []
    for text in texts:
        expected += [*tokenizer.encode(text, add_special_tokens=False).ids, SEP]
    assert ids == expected
    note = json.loads(stream.path.with_suffix(".json").read_text())
    assert note == {"n_pieces": len(ids), "fingerprint": "abc"}


def test_a_piece_continues_a_word_exactly_where_jieba_says_so(tokenizer, tmp_path):
    text = "物业公司多次停电,电话[电话],打不通 无人问津"
    write_stream([text], tokenizer, tmp_path / "one.bin", fingerprint="")
    marks = np.fromfile(tmp_path / "one.bin", dtype=np.uint16)[:-1] & CONTINUES > 0
    starts, position = set(), 0
    for word in words(text):
        position = text.index(word, position)
        starts.add(position)
        position += len(word)
    offsets = tokenizer.encode(text, add_special_tokens=False).offsets
    assert marks.tolist() == [start not in starts for start, _ in offsets]
    assert marks.any()


def test_a_batch_depends_only_on_settings_and_its_number(stream):
    forwards = [stream.batch(k) for k in range(12)]
    again = replace(stream)
    for k in reversed(range(12)):
        batch = again.batch(k)
        assert np.array_equal(batch.pieces, forwards[k].pieces)
        assert np.array_equal(batch.positions, forwards[k].positions)
    other = replace(stream, seed=4).batch(0)
    assert not np.array_equal(original(other), original(forwards[0]))


def test_an_epoch_shows_every_block_once_at_most_and_the_next_in_another_order(stream):
    n_blocks = stream.path.stat().st_size // 2 // stream.length
    per_epoch = n_blocks // stream.n_rows
    assert per_epoch >= 2
    first, second = (
        [tuple(row) for k in range(per_epoch) for row in original(stream.batch(epoch * per_epoch + k))]
        for epoch in (0, 1)
    )
    assert len(set(first)) == len(first) == per_epoch * stream.n_rows
    assert first != second


def test_no_special_piece_is_masked_and_none_is_put_in_but_mask(stream):
    for k in range(20):
        batch = stream.batch(k)
        assert (batch.targets >= stream.n_special).all()
        placed = batch.pieces.reshape(-1)[batch.positions]
        assert ((placed == MASK) | (placed >= stream.n_special)).all()


def test_only_the_stated_positions_change(stream):
    blocks = np.fromfile(stream.path, dtype=np.uint16) & PIECE_BITS
    known = {tuple(block) for block in blocks[: len(blocks) // 64 * 64].reshape(-1, 64).tolist()}
    for k in range(5):
        assert {tuple(row) for row in original(stream.batch(k)).tolist()} <= known


def test_whole_word_masking_never_splits_a_word(stream):
    raw = np.fromfile(stream.path, dtype=np.uint16)
    blocks = raw[: len(raw) // stream.length * stream.length].reshape(-1, stream.length)
    home = {tuple(block): row for row, block in enumerate((blocks & PIECE_BITS).tolist())}
    n_longer = 0
    for k in range(20):
        batch = stream.batch(k)
        masked = np.zeros(batch.pieces.size, dtype=bool)
        masked[batch.positions] = True
        for pieces, chosen in zip(original(batch).tolist(), masked.reshape(batch.pieces.shape), strict=True):
            continues = blocks[home[tuple(pieces)]] & CONTINUES > 0
            for place in np.flatnonzero(continues[1:]) + 1:
                if min(pieces[place], pieces[place - 1]) >= stream.n_special:
                    assert chosen[place] == chosen[place - 1]
                    n_longer += chosen[place]
    assert n_longer > 50


def test_single_piece_masking_does_split_words(stream):
    plain = replace(stream, whole_words=False)
    raw = np.fromfile(stream.path, dtype=np.uint16)
    blocks = raw[: len(raw) // stream.length * stream.length].reshape(-1, stream.length)
    home = {tuple(block): row for row, block in enumerate((blocks & PIECE_BITS).tolist())}
    batch = plain.batch(0)
    masked = np.zeros(batch.pieces.size, dtype=bool)
    masked[batch.positions] = True
    continues = np.stack([blocks[home[tuple(row)]] & CONTINUES > 0 for row in original(batch).tolist()])
    chosen = masked.reshape(batch.pieces.shape)
    assert (continues[:, 1:] & (chosen[:, 1:] != chosen[:, :-1])).any()


def test_shares_of_masking_are_as_set(stream):
    n_targets = n_pieces = 0
    fates = {"mask": 0, "same": 0, "other": 0}
    for k in range(40):
        batch = stream.batch(k)
        placed = batch.pieces.reshape(-1)[batch.positions]
        n_targets += len(batch.targets)
        n_pieces += (original(batch) >= stream.n_special).sum()
        fates["mask"] += (placed == MASK).sum()
        fates["same"] += (placed == batch.targets).sum()
        fates["other"] += ((placed != MASK) & (placed != batch.targets)).sum()
    assert n_targets / n_pieces == pytest.approx(0.2, abs=0.02)
    assert fates["mask"] / n_targets == pytest.approx(0.8, abs=0.03)
    assert fates["same"] / n_targets == pytest.approx(0.1, abs=0.03)


def test_a_stream_too_short_for_a_batch_is_refused(stream):
    with pytest.raises(RecipeError, match="do not fill one batch of 100000 rows"):
        replace(stream, n_rows=100_000).batch(0)


def test_a_vocabulary_that_does_not_fit_is_refused(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr("training.stream.PIECE_BITS", np.uint16(10))
    with pytest.raises(ValueError, match="does not fit 15 bits"):
        write_stream(["停电"], tokenizer, tmp_path / "x.bin", fingerprint="")
    assert not list(tmp_path.iterdir())
