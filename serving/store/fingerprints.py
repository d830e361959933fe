"""Fingerprints: kept with a petition, read in pages, forgotten with its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, delete, literal, select
from sqlalchemy.orm import Session

from nlp.related import from_bytes, sign, text_digest, to_bytes
from nlp.related.signature import N_HASHES, Signature
from serving.store.schema import FingerprintRow, PetitionRow

_DIGEST_BYTES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """What one petition is compared by; `vector` (width,) has length 1 and is that of `bundle_id`."""

    signature: Signature
    digest: int
    vector: NDArray[np.float32]
    bundle_id: str

    @classmethod
    def of(cls, masked_text: str, *, vector: NDArray[np.float32], bundle_id: str) -> Self:
        """Take the fingerprint of a masked text, whose sentence vector came with the suggestion."""
        length = float(np.linalg.norm(vector)) or 1.0
        unit = (vector / length).astype(np.float32)
        return cls(signature=sign(masked_text), digest=text_digest(masked_text), vector=unit, bundle_id=bundle_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Fingerprints in the order of submission: `signatures` (n, 64), `digests`, `vectors` (n, width).

    A vector of another bundle is all zeros, which is like nothing. `last` is the `seq` of the last one.
    """

    petition_ids: Sequence[str]
    signatures: NDArray[np.uint16]
    digests: Sequence[int]
    vectors: NDArray[np.float32]
    last: int


def keep(session: Session, petition_id: str, fingerprint: Fingerprint, *, seq: int) -> None:
    """Store the fingerprint of a petition whose submission is line `seq` of the record."""
    session.add(
        FingerprintRow(
            seq=seq,
            petition_id=petition_id,
            signature=to_bytes(fingerprint.signature),
            digest=fingerprint.digest.to_bytes(_DIGEST_BYTES, "little"),
            vector=fingerprint.vector.astype("<f2").tobytes(),
            bundle_id=fingerprint.bundle_id,
        )
    )
    session.flush()


def find(session: Session, petition_id: str) -> Fingerprint | None:
    """Return the fingerprint of a petition; None once its text is purged."""
    row = session.scalars(select(FingerprintRow).where(FingerprintRow.petition_id == petition_id)).first()
    if row is None:
        return None
    return Fingerprint(
        signature=from_bytes(row.signature),
        digest=int.from_bytes(row.digest, "little"),
        vector=np.frombuffer(row.vector, "<f2").astype(np.float32),
        bundle_id=row.bundle_id,
    )


def page(session: Session, *, after: int, bundle_id: str, width: int, limit: int) -> Page | None:
    """Return up to `limit` fingerprints later than `after`, with the vectors of `bundle_id`; None for no more."""
    vector = case((FingerprintRow.bundle_id == bundle_id, FingerprintRow.vector), else_=literal(b""))
    columns = (FingerprintRow.seq, FingerprintRow.petition_id, FingerprintRow.signature, FingerprintRow.digest, vector)
    query = select(*columns).where(FingerprintRow.seq > after).order_by(FingerprintRow.seq).limit(limit)
    rows = session.execute(query).all()
    if not rows:
        return None
    _, petition_ids, signatures, digests, vectors = zip(*rows, strict=True)
    none = bytes(2 * width)
    return Page(
        petition_ids=petition_ids,
        signatures=np.frombuffer(b"".join(signatures), "<u2").reshape(-1, N_HASHES).astype(np.uint16),
        digests=np.frombuffer(b"".join(digests), "<u8").tolist(),
        vectors=np.frombuffer(b"".join(v or none for v in vectors), "<f2").reshape(-1, width).astype(np.float32),
        last=rows[-1][0],
    )


def living(session: Session, petition_ids: Sequence[str]) -> dict[str, tuple[PetitionRow, int]]:
    """Return those of the petitions that are not purged, each with its place in the order of submission."""
    query = select(PetitionRow, FingerprintRow.seq).join(FingerprintRow, FingerprintRow.petition_id == PetitionRow.id)
    rows = session.execute(query.where(PetitionRow.id.in_(petition_ids)))
    return {petition.id: (petition, seq) for petition, seq in rows}


def forget(session: Session, petition_ids: Sequence[str]) -> None:
    """Remove the fingerprints of petitions whose text is purged."""
    session.execute(delete(FingerprintRow).where(FingerprintRow.petition_id.in_(petition_ids)))
