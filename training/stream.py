"""One long memory-mapped stream of pieces, and the batches of masked language modelling drawn from it.

A uint16 carries a piece id in its lower 15 bits; the top bit says that the piece continues the jieba word of the
piece before it, so whole words can be masked without looking at text again.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from nlp.tokenise import words
from training.settings import RecipeError

PIECE_BITS = np.uint16(0x7FFF)
CONTINUES = np.uint16(0x8000)


def write_stream(documents: Iterable[str], tokenizer: Tokenizer, out: Path, *, fingerprint: str) -> int:
    """Write `documents`, each ended by [SEP], to `out` and return the number of pieces.

    `out`.json keeps the count and the `fingerprint` of what went in, so a run can refuse a stream made otherwise.
    Raises ValueError if the vocabulary does not fit 15 bits.
    """
    if tokenizer.get_vocab_size() > int(PIECE_BITS):
        raise ValueError(f"a vocabulary of {tokenizer.get_vocab_size()} pieces does not fit 15 bits ({PIECE_BITS})")
    end = np.asarray([tokenizer.token_to_id("[SEP]")], dtype=np.uint16)
    n_pieces = 0
    partial = out.with_suffix(".partial")
    with partial.open("wb") as file:
        for batch in _batched(documents, 256):
            for text, encoding in zip(batch, tokenizer.encode_batch(batch, add_special_tokens=False), strict=True):
                ids = np.asarray(encoding.ids, dtype=np.uint16)
                ids[_continues_word(text, encoding.offsets)] |= CONTINUES
                file.write(ids.tobytes() + end.tobytes())
                n_pieces += len(ids) + 1
    partial.replace(out)
    out.with_suffix(".json").write_text(json.dumps({"n_pieces": n_pieces, "fingerprint": fingerprint}))
    return n_pieces


def _continues_word(text: str, offsets: list[tuple[int, int]]) -> NDArray[np.bool_]:
    """Return for each piece whether it starts inside a jieba word."""
    starts = {0}
    position = 0
    for word in words(text):
        position = text.index(word, position)
        starts.add(position)
        position += len(word)
    return np.asarray([start not in starts for start, _ in offsets], dtype=np.bool_)


def _batched(documents: Iterable[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for document in documents:
        batch.append(document)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(frozen=True, kw_only=True)
class MaskedBatch:
    """Rows of pieces with some masked.

    `pieces` (rows, length) holds ids, `positions` (n,) the flat places that were masked, `targets` (n,) what was there.
    """

    pieces: NDArray[np.int64]
    positions: NDArray[np.int64]
    targets: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class MaskedStream:
    """Draws the batches of a run. Batch k depends only on the settings and k, so a resumed run sees the same data."""

    path: Path
    n_rows: int
    length: int
    mask_share: float
    whole_words: bool
    n_pieces: int
    n_special: int
    mask_id: int
    seed: int

    def batch(self, step: int) -> MaskedBatch:
        """Return batch number `step`; epochs follow one another, each in its own order.

        Raises RecipeError if the stream is too short for one batch.
        """
        stream = np.memmap(self.path, dtype=np.uint16, mode="r")
        n_blocks = len(stream) // self.length
        per_epoch = n_blocks // self.n_rows
        if not per_epoch:
            raise RecipeError(f"{len(stream)} pieces do not fill one batch of {self.n_rows} rows of {self.length}")
        epoch, place = divmod(step, per_epoch)
        order = np.random.default_rng([self.seed, epoch]).permutation(n_blocks)
        rows = order[place * self.n_rows : (place + 1) * self.n_rows]
        raw = np.stack([stream[row * self.length : (row + 1) * self.length] for row in rows])
        return self._masked(raw, np.random.default_rng([self.seed, 1, step]))

    def _masked(self, raw: NDArray[np.uint16], rng: np.random.Generator) -> MaskedBatch:
        """Mask whole words (or single pieces): 80 % [MASK], 10 % a random piece, 10 % left as they are."""
        pieces = (raw & PIECE_BITS).astype(np.int64)
        starts = np.ones_like(pieces, dtype=np.bool_) if not self.whole_words else (raw & CONTINUES) == 0
        starts[:, 0] = True
        word = np.cumsum(starts.reshape(-1)) - 1
        chosen = (rng.random(word[-1] + 1) < self.mask_share)[word].reshape(pieces.shape) & (pieces >= self.n_special)
        positions = np.flatnonzero(chosen)
        targets = pieces.reshape(-1)[positions].copy()
        fate = rng.random(len(positions))
        replaced = np.where(fate < 0.8, self.mask_id, targets)
        randomised = rng.integers(self.n_special, self.n_pieces, size=len(positions))
        replaced = np.where(fate >= 0.9, randomised, replaced)
        pieces.reshape(-1)[positions] = replaced
        return MaskedBatch(pieces=pieces, positions=positions, targets=targets)
