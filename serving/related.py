"""The stored petitions in memory, so that each petition can be held against all of them; see docs/related.md.

Every server process has its own. It is read from the database in pages, in the background, and before each question
whatever other processes have kept since is read on. Nothing is merged here, nothing is written.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from nlp.related import SAME_MATTER, Related, RelatedIndex
from serving.classifier import Classifier
from serving.errors import Problem
from serving.logs import described
from serving.store import fingerprints
from serving.store.engine import Store
from serving.store.fingerprints import Fingerprint

_log = structlog.get_logger("serving.related")

PAGE = 10_000
"""Fingerprints read at once: about 7 MB."""
MOST = 200
"""Relatives told of at most; more are only counted."""
_RETRY_SECONDS = 30.0


@dataclass(kw_only=True, slots=True)
class _Stored:
    """What was read so far: everything up to line `last` of the record, with the vectors of one bundle."""

    index: RelatedIndex
    bundle_id: str
    width: int
    last: int = 0


class RelatedPetitions:
    """Thread-safe; `follow` starts reading, `like` answers."""

    def __init__(self, store: Store) -> None:
        """Hold nothing yet."""
        self._store = store
        self._lock = threading.Lock()
        self._stored: _Stored | None = None
        self._loaded = threading.Event()
        self._closed = threading.Event()
        self._n_followed = 0

    def follow(self, classifier: Classifier, width: int) -> None:
        """Read all fingerprints, with the vectors of the bundle that serves from now on, in the background.

        `width` is that of its vectors. What was read before answers until all is read.
        """
        self._n_followed += 1
        bar = float(classifier.bundle.thresholds.get("same_matter", SAME_MATTER))
        index = RelatedIndex(width=width, same_matter=bar)
        fresh = _Stored(index=index, bundle_id=classifier.bundle.id, width=width)
        arguments = (fresh, self._n_followed)
        threading.Thread(target=self._load, args=arguments, name="related-loader", daemon=True).start()

    def _load(self, fresh: _Stored, number: int) -> None:
        while number == self._n_followed and not self._closed.is_set():
            try:
                self._read_on(fresh)
            except SQLAlchemyError as error:
                _log.warning("related_not_read", **described(error))
                self._closed.wait(_RETRY_SECONDS)
                continue
            with self._lock:
                if number == self._n_followed:
                    self._stored = fresh
                    self._loaded.set()
            _log.info("related_read", n_petitions=len(fresh.index), bundle=fresh.bundle_id)
            return

    def _read_on(self, stored: _Stored) -> None:
        """Add what was kept since the last reading; whoever has the lock, or the only hold of `stored`, may call."""
        while not self._closed.is_set():
            with self._store.read() as session:
                page = fingerprints.page(
                    session, after=stored.last, bundle_id=stored.bundle_id, width=stored.width, limit=PAGE
                )
            if page is None:
                return
            stored.index.add_many(
                page.petition_ids, signatures=page.signatures, digests=page.digests, vectors=page.vectors
            )
            stored.last = page.last

    def catch_up(self) -> None:
        """Read on after an intake, so that no question has much to read; never fails, never waits."""
        if not self._lock.acquire(blocking=False):
            return  # somebody else reads on, or asks and has just done so
        try:
            if self._stored is not None:
                self._read_on(self._stored)
        except SQLAlchemyError as error:
            _log.warning("related_not_read", **described(error))
        finally:
            self._lock.release()

    def like(self, fingerprint: Fingerprint, *, ignore: str, patience: float) -> tuple[Related, bool]:
        """Return what may be related, `ignore` left out, and whether matters were compared beside texts.

        They are not where the petition's vector is that of another bundle than the one that serves. Waits
        `patience` seconds while the first reading is not over, then raises the 503 problem.
        """
        self._loaded.wait(patience)
        with self._lock:
            stored = self._stored
            if stored is None:
                detail = "正在读入已存的信访件，请稍后再看。"
                raise Problem(503, code="related_loading", detail=detail, headers={"Retry-After": "10"})
            self._read_on(stored)
            comparable = fingerprint.bundle_id == stored.bundle_id
            related = stored.index.query_signed(
                fingerprint.signature,
                digest=fingerprint.digest,
                vector=fingerprint.vector if comparable else None,
                most=MOST,
                ignore=[ignore],
            )
        return related, comparable

    def forget(self, petition_ids: Sequence[str]) -> None:
        """Drop petitions that were found but are purged."""
        with self._lock:
            for petition_id in petition_ids:
                if self._stored is not None and petition_id in self._stored.index:
                    self._stored.index.remove(petition_id)

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()
