"""Fingerprints: kept with a petition, read in pages, forgotten with its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from nlp.related import from_bytes, keys_from_bytes, keys_to_bytes, matter_keys, sign, text_digest, to_bytes
from nlp.related.matter import N_KEYS, Keys
from nlp.related.signature import N_HASHES, Signature
from serving.store.schema import FingerprintRow, PetitionRow

_DIGEST_BYTES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """What one petition is compared by."""

    signature: Signature
    digest: int
    matter_keys: Keys

    @classmethod
    def of(cls, masked_text: str) -> Self:
        """Take the fingerprint of a masked text."""
        return cls(signature=sign(masked_text), digest=text_digest(masked_text), matter_keys=matter_keys(masked_text))


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Fingerprints in the order of submission: `signatures` (n, 64), `digests`, `matter_keys` (n, 48).

    `last` is the `seq` of the last one.
    """

    petition_ids: Sequence[str]
    signatures: NDArray[np.uint16]
    digests: Sequence[int]
    matter_keys: NDArray[np.uint32]
    last: int


def keep(session: Session, petition_id: str, fingerprint: Fingerprint, *, seq: int) -> None:
    """Store the fingerprint of a petition whose submission is line `seq` of the record."""
    session.add(
        FingerprintRow(
            seq=seq,
            petition_id=petition_id,
            signature=to_bytes(fingerprint.signature),
            digest=fingerprint.digest.to_bytes(_DIGEST_BYTES, "little"),
            matter_keys=keys_to_bytes(fingerprint.matter_keys),
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
        matter_keys=keys_from_bytes(row.matter_keys),
    )


def page(session: Session, *, after: int, limit: int) -> Page | None:
    """Return up to `limit` fingerprints later than `after`; None for no more."""
    row = FingerprintRow
    columns = (row.seq, row.petition_id, row.signature, row.digest, row.matter_keys)
    query = select(*columns).where(row.seq > after).order_by(row.seq).limit(limit)
    rows = session.execute(query).all()
    if not rows:
        return None
    _, petition_ids, signatures, digests, keys = zip(*rows, strict=True)
    return Page(
        petition_ids=petition_ids,
        signatures=np.frombuffer(b"".join(signatures), "<u2").reshape(-1, N_HASHES).astype(np.uint16),
        digests=np.frombuffer(b"".join(digests), "<u8").tolist(),
        matter_keys=np.frombuffer(b"".join(keys), "<u4").reshape(-1, N_KEYS).astype(np.uint32),
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
