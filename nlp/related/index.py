"""The stored petitions in memory, and which of them a new one may be related to.

Text in common is found by the bands of MinHash signatures, a common matter by the keys of `nlp.related.matter`.
Nothing is ever merged: the answer is "possibly the same as".
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from nlp.related.chunk import CHUNK, Chunk
from nlp.related.matter import N_KEYS, SAME_MATTER, Keys, matter_keys, shared_share
from nlp.related.relation import CAMPAIGN, Match, Related, Relation, likely_relation
from nlp.related.signature import N_HASHES, Signature, band_keys, bare, sign


class RelatedIndex:
    """Stored petitions by id; `add`, `remove`, `query`. Not thread-safe: guard it with a lock."""

    def __init__(self, *, same_matter: float = SAME_MATTER) -> None:
        """Hold nothing yet; `same_matter` is the share of common keys from which two may tell of one matter."""
        self._same_matter = same_matter
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

    def add(self, petition_id: str, *, text: str) -> None:
        """Store a petition by its masked `text`; ValueError for a known id."""
        self.add_signed(petition_id, signature=sign(text), digest=text_digest(text), keys=matter_keys(text))

    def add_signed(self, petition_id: str, *, signature: Signature, digest: int, keys: Keys) -> None:
        """Store one petition whose signature, digest and matter keys were kept."""
        self.add_many([petition_id], signatures=signature[None], digests=[digest], keys=keys[None])

    def add_many(
        self,
        petition_ids: Sequence[str],
        *,
        signatures: NDArray[np.uint16],
        digests: Sequence[int],
        keys: NDArray[np.uint32],
    ) -> None:
        """Store petitions whose signatures (n, 64), digests and matter keys (n, 48) were kept, as at start-up.

        ValueError, and nothing stored, for a known or repeated id or arrays that do not fit.
        """
        n = len(petition_ids)
        known = [petition_id for petition_id in petition_ids if petition_id in self._rows]
        if known or len(set(petition_ids)) < n:
            raise ValueError(f"petitions {known[:3] or 'given twice'} are in the index already; remove them first")
        if signatures.shape != (n, N_HASHES) or len(digests) != n:
            raise ValueError(f"{n} ids need signatures of shape ({n}, {N_HASHES}), given: {signatures.shape}")
        if keys.shape != (n, N_KEYS):
            raise ValueError(f"{n} ids need matter keys of shape ({n}, {N_KEYS}), given: {keys.shape}")
        bands = band_keys(signatures)
        done = 0
        while done < n:
            if not self._chunks or self._chunks[-1].full:
                self._chunks.append(Chunk())
            taken = slice(done, min(n, done + self._chunks[-1].room))
            self._chunks[-1].append(
                signatures=signatures[taken],
                bands=bands[taken],
                digests=np.array(digests[taken], np.uint64),
                keys=keys[taken],
            )
            done = taken.stop
        for petition_id in petition_ids:
            self._rows[petition_id] = len(self._ids)
            self._ids.append(petition_id)

    def remove(self, petition_id: str) -> None:
        """Forget a petition; KeyError if it is not stored."""
        place = self._rows.pop(petition_id)
        self._chunks[place // CHUNK].alive[place % CHUNK] = False

    def query(self, text: str, *, most: int = 20, ignore: Iterable[str] = ()) -> Related:
        """Return the stored petitions that the masked `text` may be related to, the surest first, at most `most`.

        `ignore` holds ids left out, such as the petition's own. Many relatives at once are reported as a campaign.
        """
        return self.query_signed(sign(text), digest=text_digest(text), keys=matter_keys(text), most=most, ignore=ignore)

    def query_signed(
        self, signature: Signature, *, digest: int, keys: Keys, most: int = 20, ignore: Iterable[str] = ()
    ) -> Related:
        """Do what `query` does for a petition whose signature, digest and matter keys were kept."""
        if digest == _NO_TEXT:
            return Related(matches=(), n_found=0, campaign=False)
        ignored = set(ignore)
        matches = [
            match
            for number, chunk in enumerate(self._chunks)
            for match in self._in_chunk(number, chunk, signature=signature, digest=digest, keys=keys)
            if match.petition_id not in ignored
        ]
        matches.sort(key=lambda match: (match.rank, -match.likeness, match.petition_id))
        return Related(matches=tuple(matches[:most]), n_found=len(matches), campaign=len(matches) >= CAMPAIGN)

    def _in_chunk(self, number: int, chunk: Chunk, *, signature: Signature, digest: int, keys: Keys) -> Iterator[Match]:
        n_keys = int(np.count_nonzero(keys))
        matter = shared_share(chunk.common_keys(keys), stored=chunk.n_keys[: chunk.n], asked=n_keys)
        rows = np.union1d(chunk.sharing_band(band_keys(signature)), np.flatnonzero(matter >= self._same_matter))
        text = (chunk.signatures[rows] == signature).sum(axis=1) / N_HASHES
        same = chunk.digests[rows] == np.uint64(digest)
        for row, text_share, matter_share, is_same in zip(rows, text, matter[rows], same, strict=True):
            relation = likely_relation(
                same_text=bool(is_same), text=float(text_share), matter=float(matter_share), bar=self._same_matter
            )
            if relation:
                yield _match(self._ids[number * CHUNK + int(row)], relation, float(text_share), float(matter_share))


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
