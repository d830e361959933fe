"""The stored petitions in memory, and which of them a new one may be related to.

Text in common is found by the bands of MinHash signatures, a common matter by the sentence vectors of the encoder.
A vector is first compared by a short sketch (random orthogonal projection), then exactly. Nothing is ever merged:
the answer is "possibly the same as".
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from nlp.related.chunk import CHUNK, Chunk
from nlp.related.relation import CAMPAIGN, Match, Related, Relation, likely_relation
from nlp.related.signature import N_HASHES, Signature, band_keys, bare, sign

SKETCH_WIDTH = 64
_SKETCH_SLACK = 0.30
"""How far below the wanted likeness a sketch may fall: about three standard deviations of the projection."""
SAME_MATTER = 0.86
"""The bar where a bundle sets none (`same_matter` in its thresholds.json); see docs/related.md."""
_MOST_EXACT = 64
"""Vectors per block that are compared exactly."""

Vector = NDArray[np.float32]
"""The encoder's sentence vector, shape (width,); its length does not matter."""


class RelatedIndex:
    """Stored petitions by id; `add`, `remove`, `query`. Not thread-safe: guard it with a lock."""

    def __init__(self, *, width: int, same_matter: float = SAME_MATTER) -> None:
        """Expect vectors of `width` numbers; `same_matter` is the cosine from which two tell of one matter.

        The bar belongs to the encoder: measure it with `training/evaluate_related.py`, set it in the bundle.
        """
        self._width, self._same_matter = width, same_matter
        self._chunks: list[Chunk] = []
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many petitions are stored and not removed."""
        return len(self._rows)

    def __contains__(self, petition_id: str) -> bool:
        """Tell whether a petition is stored."""
        return petition_id in self._rows

    @property
    def n_bytes(self) -> int:
        """Memory held by the arrays, ids not counted."""
        return sum(chunk.n_bytes for chunk in self._chunks)

    def add(self, petition_id: str, *, text: str, vector: Vector) -> None:
        """Store a petition by its masked `text` and sentence vector; ValueError for a known id or a wrong width."""
        self.add_signed(petition_id, signature=sign(text), digest=text_digest(text), vector=vector)

    def add_signed(self, petition_id: str, *, signature: Signature, digest: int, vector: Vector) -> None:
        """Store one petition whose signature and digest were kept."""
        self.add_many([petition_id], signatures=signature[None], digests=[digest], vectors=vector[None])

    def add_many(
        self,
        petition_ids: Sequence[str],
        *,
        signatures: NDArray[np.uint16],
        digests: Sequence[int],
        vectors: NDArray[np.float32],
    ) -> None:
        """Store petitions whose signatures (n, 64), digests and vectors (n, width) were kept, as at start-up.

        A vector of zeros means that there is none: such a petition is found by its text alone. ValueError, and
        nothing stored, for a known or repeated id or arrays that do not fit.
        """
        n = len(petition_ids)
        known = [petition_id for petition_id in petition_ids if petition_id in self._rows]
        if known or len(set(petition_ids)) < n:
            raise ValueError(f"petitions {known[:3] or 'given twice'} are in the index already; remove them first")
        if signatures.shape != (n, N_HASHES) or len(digests) != n:
            raise ValueError(f"{n} ids need signatures of shape ({n}, {N_HASHES}), given: {signatures.shape}")
        units, keys = self._units(vectors), band_keys(signatures)
        if len(units) != n:
            raise ValueError(f"{n} ids need as many vectors, given: {len(units)}")
        sketches = units @ _projection(self._width).T
        done = 0
        while done < n:
            if not self._chunks or self._chunks[-1].full:
                self._chunks.append(Chunk(width=self._width, sketch_width=min(SKETCH_WIDTH, self._width)))
            taken = slice(done, min(n, done + self._chunks[-1].room))
            self._chunks[-1].append(
                signatures=signatures[taken],
                keys=keys[taken],
                digests=np.array(digests[taken], np.uint64),
                vectors=units[taken],
                sketches=sketches[taken],
            )
            done = taken.stop
        for petition_id in petition_ids:
            self._rows[petition_id] = len(self._ids)
            self._ids.append(petition_id)

    def remove(self, petition_id: str) -> None:
        """Forget a petition; KeyError if it is not stored."""
        place = self._rows.pop(petition_id)
        self._chunks[place // CHUNK].alive[place % CHUNK] = False

    def query(self, text: str, *, vector: Vector, most: int = 20, ignore: Iterable[str] = ()) -> Related:
        """Return the stored petitions that the masked `text` may be related to, the surest first, at most `most`.

        `ignore` holds ids left out, such as the petition's own. Many relatives at once are reported as a campaign.
        """
        return self.query_signed(sign(text), digest=text_digest(text), vector=vector, most=most, ignore=ignore)

    def query_signed(
        self,
        signature: Signature,
        *,
        digest: int,
        vector: Vector | None,
        most: int = 20,
        ignore: Iterable[str] = (),
    ) -> Related:
        """Do what `query` does for a petition whose signature and digest were kept; without `vector` by text alone."""
        if digest == _NO_TEXT:
            return Related(matches=(), n_found=0, campaign=False)
        unit = None if vector is None else self._units(vector[None])[0]
        ignored = set(ignore)
        matches = [
            match
            for number, chunk in enumerate(self._chunks)
            for match in self._in_chunk(number, chunk, signature=signature, digest=digest, unit=unit)
            if match.petition_id not in ignored
        ]
        matches.sort(key=lambda match: (match.rank, -match.text_share, -match.matter_share, match.petition_id))
        return Related(matches=tuple(matches[:most]), n_found=len(matches), campaign=len(matches) >= CAMPAIGN)

    def _in_chunk(
        self, number: int, chunk: Chunk, *, signature: Signature, digest: int, unit: Vector | None
    ) -> Iterator[Match]:
        rows = chunk.sharing_band(band_keys(signature))
        if unit is not None:
            sketch = _projection(self._width) @ unit
            floor = (self._same_matter - _SKETCH_SLACK) * float(np.linalg.norm(sketch))
            rows = np.union1d(rows, chunk.alike(sketch, floor=floor, most=_MOST_EXACT))
        shared = (chunk.signatures[rows] == signature).sum(axis=1) / N_HASHES
        cosine = np.zeros(len(rows)) if unit is None else chunk.vectors[rows].astype(np.float32) @ unit
        same = chunk.digests[rows] == np.uint64(digest)
        for row, text_share, matter_share, is_same in zip(rows, shared, cosine, same, strict=True):
            relation = likely_relation(
                same_text=bool(is_same), text=float(text_share), matter=float(matter_share), bar=self._same_matter
            )
            if relation:
                yield _match(self._ids[number * CHUNK + int(row)], relation, float(text_share), float(matter_share))

    def _units(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return vectors (n, width) at length 1; ValueError for a wrong shape or numbers that are not finite."""
        if vectors.ndim != 2 or vectors.shape[1] != self._width:
            raise ValueError(f"the index holds vectors of shape ({self._width},), given: {vectors.shape[1:]}")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all():
            raise ValueError("a vector holds numbers that are not finite")
        return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def text_digest(text: str) -> int:
    """Return 64 bits that two masked texts share only if they are the same but for punctuation, spaces and case."""
    return int.from_bytes(blake2b(bare(text).encode(), digest_size=8).digest(), "little")


_NO_TEXT = text_digest("")
"""A text of nothing but placeholders and punctuation is related to nothing: all such texts look the same."""


def _match(petition_id: str, relation: Relation, text_share: float, matter_share: float) -> Match:
    """Build a match with shares rounded to what they are worth."""
    return Match(
        petition_id=petition_id, relation=relation, text_share=round(text_share, 3), matter_share=round(matter_share, 3)
    )


@cache
def _projection(width: int) -> NDArray[np.float32]:
    """Return a fixed random orthogonal projection to the sketch, scaled so that likeness keeps its size."""
    sketch = min(SKETCH_WIDTH, width)
    basis, _ = np.linalg.qr(np.random.default_rng(20220501).standard_normal((width, sketch)))
    projection: NDArray[np.float32] = (basis.T * np.sqrt(width / sketch)).astype(np.float32)
    return projection
