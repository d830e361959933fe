"""The bundle in service: loaded in the background, warmed up before it is ready, replaced without a gap."""

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Literal

import structlog

from nlp.errors import BundleError, PetitionError
from nlp.petition import Petition, Suggestion
from serving.classifier import Classifier, LoadClassifier
from serving.errors import Problem
from serving.labels import LabelBook
from serving.logs import described
from serving.metrics import Metrics
from serving.model_worker import ModelWorker, WorkerClosed
from serving.settings import Settings

_log = structlog.get_logger("serving.model")

State = Literal["loading", "ready", "failed", "closed"]

WARM_UP = (
    Petition(title="路灯不亮", text="我们村口的路灯坏了一个多月，晚上出行很不安全，请尽快安排维修。"),
    Petition(text="请问办理居住证需要准备哪些材料？"),
)
"""Texts of our own that a bundle must answer before it serves."""


class ModelHost:
    """Holds the model worker and what is known of the bundle that serves."""

    def __init__(
        self,
        settings: Settings,
        *,
        load: LoadClassifier,
        metrics: Metrics,
        classifier: Classifier | None = None,
    ) -> None:
        """Prepare; `start` loads. A given `classifier` is used as it is instead of loading one."""
        self._settings = settings
        self._load = load
        self._metrics = metrics
        self._given = classifier
        self._worker: ModelWorker | None = None
        self._current: tuple[Classifier, LabelBook] | None = None
        self._reloading = threading.Lock()
        self.state: State = "loading"
        self.fault = ""

    def start(self) -> None:
        """Load and warm up in a background thread, so that /healthz answers meanwhile."""
        threading.Thread(target=self._start, name="model-loader", daemon=True).start()

    def _start(self) -> None:
        try:
            classifier = self._given or self._load(self._settings.bundle)
            labels = self._try_out(classifier)
        except PetitionError as error:
            self.state, self.fault = "failed", str(error)
            _log.error("bundle_refused", error=type(error).__name__)
        except Exception as error:  # noqa: BLE001  the boundary of the loader thread
            self.state, self.fault = "failed", f"模型加载失败（{type(error).__name__}）"
            _log.error("bundle_failed", **described(error))
        else:
            worker = ModelWorker(classifier, metrics=self._metrics, max_waiting=self._settings.max_waiting)
            worker.start()
            self._worker, self._current = worker, (classifier, labels)
            self.state = "ready"
            _log.info("model_ready", bundle=classifier.bundle.id, taxonomy=labels.version)

    def _try_out(self, classifier: Classifier) -> LabelBook:
        """Return the labels of a classifier that answers."""
        labels = LabelBook.of(classifier.taxonomy)
        for petition in WARM_UP:
            classifier.suggest(petition)
        return labels

    @property
    def ready(self) -> bool:
        """Whether petitions are taken."""
        return self.state == "ready" and self._worker is not None and self._worker.alive

    @property
    def labels(self) -> LabelBook:
        """The labels of the bundle in service; raises the 503 problem while there is none."""
        return self._serving()[1]

    @property
    def classifier(self) -> Classifier:
        """The classifier in service, to be described, never called; raises the 503 problem without one."""
        return self._serving()[0]

    def _serving(self) -> tuple[Classifier, LabelBook]:
        if self._current is None:
            raise self.not_ready()
        return self._current

    def not_ready(self) -> Problem:
        """Return the 503 problem that says why no petition is taken."""
        detail = self.fault or {"loading": "模型正在加载，请稍候重试。", "closed": "服务正在停止。"}.get(
            self.state, "模型暂不可用。"
        )
        return Problem(503, code="not_ready", detail=detail, headers={"Retry-After": "5"})

    def submit(self, petitions: list[Petition]) -> list[Future[Suggestion]]:
        """Queue `petitions`; raises QueueFull, or the 503 problem."""
        if self._worker is None:
            raise self.not_ready()
        try:
            return self._worker.submit(petitions)
        except WorkerClosed as error:
            raise self.not_ready() from error

    def reload(self, bundle_dir: Path | None) -> str:
        """Load, verify and warm up the bundle in `bundle_dir`, then serve it; return its id.

        Whatever fails leaves the bundle in service untouched: BundleError for a bundle that is refused,
        the 409 problem while another reload runs.
        """
        if not self._reloading.acquire(blocking=False):
            raise Problem(409, code="reload_running", detail="另一次模型切换正在进行。")
        try:
            classifier = self._load(bundle_dir)
            labels = self._try_out(classifier)
        except PetitionError:
            self._metrics.reloads.labels("refused").inc()
            raise
        except Exception as error:
            self._metrics.reloads.labels("failed").inc()
            raise BundleError(f"模型包试运行失败（{type(error).__name__}），继续使用原模型包。") from error
        finally:
            self._reloading.release()
        if self._worker is None:
            raise self.not_ready()
        self._worker.replace(classifier)
        self._current = (classifier, labels)
        self._metrics.reloads.labels("done").inc()
        _log.info("model_reloaded", bundle=classifier.bundle.id, taxonomy=labels.version)
        return classifier.bundle.id

    def close(self) -> None:
        """Answer what was accepted, then stop the model thread."""
        self.state = "closed"
        if self._worker is not None:
            self._worker.close(grace=self._settings.shutdown_grace)
