"""One model thread behind a bounded queue: petitions are judged one at a time, in the order they came.

Every text is run on its own (docs/decisions/0004), so nothing is gained by waiting for others: each answer is
delivered the moment it is there, and whatever goes wrong with a petition is its own affair.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import structlog

from nlp.errors import PetitionError
from nlp.petition import Petition, Suggestion
from serving.classifier import Classifier
from serving.metrics import Metrics

_log = structlog.get_logger("serving.model_worker")


class QueueFull(Exception):  # noqa: N818  a state of the queue, told to the client as 429
    """The queue cannot take these petitions now."""


class WorkerClosed(Exception):  # noqa: N818
    """The model thread is shutting down and takes nothing new."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Job:
    """One petition that waits for its suggestion."""

    petition: Petition
    future: Future[Suggestion] = field(default_factory=Future)
    accepted_at: float = field(default_factory=time.perf_counter)


class ModelWorker:
    """Owns the classifier: nothing else calls it while the thread runs."""

    def __init__(self, classifier: Classifier, *, metrics: Metrics, max_waiting: int) -> None:
        """Prepare the thread; `start` starts it."""
        self._classifier = classifier
        self._metrics = metrics
        self._max_waiting = max_waiting
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
        jobs = [Job(petition=petition) for petition in petitions]
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
        """Judge every petition that is begun from now on with `classifier`; those that wait stay queued."""
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
                job = self._waiting.popleft()
                self._metrics.waiting.set(len(self._waiting))
                classifier = self._classifier
            if job.future.set_running_or_notify_cancel():
                self._answer(classifier, job)

    def _answer(self, classifier: Classifier, job: Job) -> None:
        """Deliver the suggestion for `job` or what was raised instead; a text that cannot be judged is no failure."""
        started = time.perf_counter()
        waited = started - job.accepted_at
        self._metrics.stages.labels("queue").observe(waited)
        try:
            suggestion = classifier.suggest(job.petition)
        except PetitionError as error:
            job.future.set_exception(error)
        except Exception as error:  # noqa: BLE001  the boundary of the thread: whatever fails, it lives on
            self._metrics.failures.inc()
            _log.warning("judging_failed", error=type(error).__name__)
            job.future.set_exception(error)
        else:
            times = replace(suggestion.times, queue=waited)
            for stage in ("tokenise", "infer", "decide"):
                self._metrics.stages.labels(stage).observe(getattr(times, stage))
            self._metrics.stages.labels("total").observe(time.perf_counter() - started)
            job.future.set_result(replace(suggestion, times=times))
