"""The stored petitions in memory, so that each petition can be held against all of them; see docs/related.md.

Every server process has its own. It is read from the database in pages, in the background, and before each question
whatever other processes have kept since is read on. Nothing is merged here, nothing is written.
"""

import threading
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from nlp.related import Related, RelatedIndex
from serving.errors import Problem
from serving.logs import described
from serving.store import fingerprints
from serving.store.engine import Store
from serving.store.fingerprints import Fingerprint

_log = structlog.get_logger("serving.related")

PAGE = 10_000
"""Fingerprints read at once: about 4 MB."""
MOST = 200
"""Relatives told of at most; more are only counted."""
_RETRY_SECONDS = 30.0


class RelatedPetitions:
    """Thread-safe; `start` begins to read, `like` answers."""

    def __init__(self, store: Store) -> None:
        """Hold nothing yet."""
        self._store = store
        self._lock = threading.Lock()
        self._index = RelatedIndex()
        self._last = 0  # line of the record up to which the index holds everything
        self._loaded = threading.Event()
        self._closed = threading.Event()

    def start(self) -> None:
        """Read all fingerprints in the background."""
        threading.Thread(target=self._load, name="related-loader", daemon=True).start()

    def _load(self) -> None:
        while not self._closed.is_set():
            try:
                with self._lock:
                    self._read_on()
            except SQLAlchemyError as error:
                _log.warning("related_not_read", **described(error))
                self._closed.wait(_RETRY_SECONDS)
            else:
                self._loaded.set()
                _log.info("related_read", n_petitions=len(self._index))
                return

    def _read_on(self) -> None:
        """Add what was kept since the last reading; only whoever has the lock may call."""
        while not self._closed.is_set():
            with self._store.read() as session:
                page = fingerprints.page(session, after=self._last, limit=PAGE)
            if page is None:
                return
            self._index.add_many(
                page.petition_ids, signatures=page.signatures, digests=page.digests, keys=page.matter_keys
            )
            self._last = page.last

    def catch_up(self) -> None:
        """Read on after an intake, so that no question has much to read; never fails, never waits."""
        if not self._lock.acquire(blocking=False):
            return  # somebody else reads on, or asks and has just done so
        try:
            if self._loaded.is_set():
                self._read_on()
        except SQLAlchemyError as error:
            _log.warning("related_not_read", **described(error))
        finally:
            self._lock.release()

    def like(self, fingerprint: Fingerprint, *, ignore: str, patience: float) -> Related:
        """Return what may be related, `ignore` left out.

        Waits `patience` seconds while the first reading is not over, then raises the 503 problem.
        """
        if not self._loaded.wait(patience):
            detail = "正在读入已存的信访件，请稍后再看。"
            raise Problem(503, code="related_loading", detail=detail, headers={"Retry-After": "10"})
        with self._lock:
            self._read_on()
            return self._index.query_signed(
                fingerprint.signature,
                digest=fingerprint.digest,
                keys=fingerprint.matter_keys,
                most=MOST,
                ignore=[ignore],
            )

    def forget(self, petition_ids: Sequence[str]) -> None:
        """Drop petitions that were found but are purged."""
        with self._lock:
            for petition_id in petition_ids:
                if petition_id in self._index:
                    self._index.remove(petition_id)

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()
