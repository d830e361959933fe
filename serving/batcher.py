"""One model thread behind a bounded queue, with dynamic batching by length.

While a batch runs, new petitions wait; the next batch starts with the one that has waited longest and is
filled with those nearest to it in length, so that padding stays small and nobody starves. A petition that
makes its batch fail is found by running the batch again one by one: only its own future gets the error,
and the thread lives on.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import structlog

from nlp.petition import Petition, Suggestion
from serving.classifier import Classifier
from serving.metrics import Metrics

_log = structlog.get_logger("serving.batcher")


class QueueFull(Exception):  # noqa: N818  a state of the queue, told to the client as 429
    """The queue cannot take these petitions now."""


class WorkerClosed(Exception):  # noqa: N818
    """The model thread is shutting down and takes nothing new."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Job:
    """One petition that waits for its suggestion."""

    petition: Petition
    n_chars: int
    future: Future[Suggestion] = field(default_factory=Future)
    accepted_at: float = field(default_factory=time.perf_counter)


def choose_batch(waiting: Sequence[Job], *, max_batch: int, max_batch_chars: int) -> list[Job]:
    """Return the oldest job and those nearest in length; jobs × longest stays within `max_batch_chars`."""
    oldest = waiting[0]
    rest = sorted(waiting, key=lambda job: (abs(job.n_chars - oldest.n_chars), job.accepted_at))
    batch: list[Job] = [oldest]
    longest = oldest.n_chars
    for job in rest:
        if len(batch) == max_batch:
            break
        if job is oldest:
            continue
        if max(longest, job.n_chars) * (len(batch) + 1) > max_batch_chars:
            break
        batch.append(job)
        longest = max(longest, job.n_chars)
    return batch


class ModelWorker:
    """Owns the classifier: nothing else calls it while the thread runs."""

    def __init__(
        self,
        classifier: Classifier,
        *,
        metrics: Metrics,
        max_waiting: int,
        max_batch: int,
        max_batch_chars: int,
    ) -> None:
        """Prepare the thread; `start` starts it."""
        self._classifier = classifier
        self._metrics = metrics
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._max_batch_chars = max_batch_chars
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread runs and takes petitions."""
        return self._thread.is_alive() and not self._closing

    def start(self) -> None:
        """Start the model thread."""
        self._thread.start()

    def submit(self, petitions: Sequence[Petition]) -> list[Future[Suggestion]]:
        """Queue all of `petitions` or none; raises QueueFull or WorkerClosed."""
        jobs = [Job(petition=petition, n_chars=len(petition.content)) for petition in petitions]
        with self._changed:
            if self._closing:
                raise WorkerClosed
            if len(self._waiting) + len(jobs) > self._max_waiting:
                self._metrics.refused.inc(len(jobs))
                raise QueueFull
            self._waiting.extend(jobs)
            self._metrics.waiting.set(len(self._waiting))
            self._changed.notify()
        return [job.future for job in jobs]

    def replace(self, classifier: Classifier) -> None:
        """Serve every batch that starts from now on with `classifier`; waiting petitions stay queued."""
        with self._changed:
            self._classifier = classifier

    def close(self, *, grace: float) -> None:
        """Take nothing new, answer what was accepted within `grace` seconds, fail what is left."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(grace)
        with self._changed:
            left = list(self._waiting)
            self._waiting.clear()
        for job in left:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(WorkerClosed())

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                batch = choose_batch(self._waiting, max_batch=self._max_batch, max_batch_chars=self._max_batch_chars)
                chosen = set(map(id, batch))
                self._waiting = deque(job for job in self._waiting if id(job) not in chosen)
                self._metrics.waiting.set(len(self._waiting))
                classifier = self._classifier
            self._answer(classifier, [job for job in batch if job.future.set_running_or_notify_cancel()])

    def _answer(self, classifier: Classifier, batch: list[Job]) -> None:
        if not batch:
            return
        started = time.perf_counter()
        for job in batch:
            self._metrics.stages.labels("queue").observe(started - job.accepted_at)
        self._metrics.batch_size.observe(len(batch))
        try:
            suggestions = classifier.suggest_many([job.petition for job in batch])
        except Exception as error:  # noqa: BLE001  the boundary of the thread: whatever fails, it lives on
            self._isolate(classifier, batch, error, started=started)
        else:
            for job, suggestion in zip(batch, suggestions, strict=True):
                self._deliver(job, suggestion, started=started)
        self._metrics.stages.labels("total").observe(time.perf_counter() - started)

    def _deliver(self, job: Job, suggestion: Suggestion, *, started: float) -> None:
        times = replace(suggestion.times, queue=started - job.accepted_at)
        for stage in ("tokenise", "infer", "decide"):
            self._metrics.stages.labels(stage).observe(getattr(times, stage))
        job.future.set_result(replace(suggestion, times=times))

    def _isolate(self, classifier: Classifier, batch: list[Job], error: Exception, *, started: float) -> None:
        self._metrics.failures.inc()
        _log.warning("batch_failed", n_petitions=len(batch), error=type(error).__name__)
        if len(batch) == 1:
            batch[0].future.set_exception(error)
            return
        for job in batch:
            try:
                (suggestion,) = classifier.suggest_many([job.petition])
            except Exception as own:  # noqa: BLE001  see _answer
                job.future.set_exception(own)
            else:
                self._deliver(job, suggestion, started=started)
