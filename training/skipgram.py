"""Skip-gram vectors (Mikolov et al. 2013) of the vocabulary's pieces, to start an encoder's embeddings from.

An hour of masked language modelling on two cores sees some ten million pieces; skip-gram sees several times that in
minutes, so the encoder need not learn from nothing what the pieces mean.
"""

from pathlib import Path

import numpy as np
from gensim.models import Word2Vec
from numpy.typing import NDArray

from training.stream import PIECE_BITS

_SENTENCE = 200


def skipgram_vectors(
    stream: Path, *, n_pieces: int, width: int, epochs: int = 2, workers: int = 2, seed: int = 0
) -> NDArray[np.float32]:
    """Return vectors (n_pieces, width) with standard deviation 0.02 per column, BERT's own starting scale.

    Pieces never met keep random vectors of the same scale.
    """
    ids = np.memmap(stream, dtype=np.uint16, mode="r") & PIECE_BITS
    sentences = [list(map(str, ids[i : i + _SENTENCE])) for i in range(0, len(ids), _SENTENCE)]
    model = Word2Vec(
        sentences,
        vector_size=width,
        sg=1,
        window=5,
        negative=5,
        min_count=3,
        sample=1e-4,
        epochs=epochs,
        workers=workers,
        seed=seed,
    )
    vectors = np.random.default_rng(seed).normal(size=(n_pieces, width)).astype(np.float32)
    for piece in range(n_pieces):
        if str(piece) in model.wv:
            vectors[piece] = model.wv[str(piece)]
    return np.asarray(0.02 * vectors / vectors.std(axis=0, keepdims=True), dtype=np.float32)
