"""What the serving runtime reads from labelled messages, as arrays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from nlp.petition import HEADS, Head
from nlp.runtime import Reading, Runtime
from training.data import Example


def read_all(runtime: Runtime, examples: Sequence[Example], *, title: str) -> list[Reading]:
    """Run the serving runtime over `examples`."""
    return [runtime.read(example.text) for example in track(examples, description=title)]


def stack(readings: Sequence[Reading]) -> tuple[dict[Head, NDArray[np.float32]], dict[Head, NDArray[np.float32]]]:
    """Return the raw scores (rows, labels) of the encoder and of the linear branch, per head."""
    encoder = {head: np.stack([reading.encoder[head] for reading in readings]) for head in HEADS}
    linear = {head: np.stack([reading.linear[head] for reading in readings]) for head in HEADS}
    return encoder, linear
