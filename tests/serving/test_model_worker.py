"""The model thread: what it promises to whoever queues a petition."""

import io
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from nlp.errors import TextError
from nlp.petition import Petition, StageTimes, Suggestion
from serving.metrics import Metrics
from serving.model_worker import ModelWorker, QueueFull, WorkerClosed


@pytest.fixture
def worker(classifier: Any) -> Iterator[ModelWorker]:
    worker = ModelWorker(classifier, metrics=Metrics(), max_waiting=8)
    worker.start()
    yield worker
    classifier.gate.set()
    worker.close(grace=5)


def hold(worker: ModelWorker, classifier: Any) -> Any:
    """Keep the thread busy with one petition and return its future."""
    classifier.gate.clear()
    classifier.entered.clear()
    (future,) = worker.submit([Petition(text="先来的")])
    assert classifier.entered.wait(5)
    return future


class Slow:
    """Answers like the fake, but each text that is 慢 only when told to."""

    def __init__(self, fake: Any) -> None:
        self.fake = fake
        self.go_on = threading.Event()

    def suggest(self, petition: Petition) -> Suggestion:
        if petition.text == "慢":
            self.go_on.wait(30)
        answer: Suggestion = self.fake.suggest(petition)
        return answer


def test_petitions_are_judged_in_the_order_they_came(worker: ModelWorker, classifier: Any) -> None:
    hold(worker, classifier)
    texts = ["短", "长" * 500, "中" * 90, "也短"]
    futures = [*worker.submit([Petition(text=text) for text in texts[:2]])]
    futures += worker.submit([Petition(text=text) for text in texts[2:]])
    classifier.gate.set()
    assert [future.result(5).masked_text for future in futures] == texts
    assert classifier.judged == ["先来的", *texts]


def test_an_answer_does_not_wait_for_those_behind_it(classifier: Any) -> None:
    slow = Slow(classifier)
    worker = ModelWorker(slow, metrics=Metrics(), max_waiting=8)  # type: ignore[arg-type]
    first, last = worker.submit([Petition(text="快"), Petition(text="慢")])
    worker.start()
    assert first.result(5).masked_text == "快"
    assert not last.done()
    slow.go_on.set()
    assert last.result(5).masked_text == "慢"
    worker.close(grace=5)


def test_the_time_of_each_stage_is_counted_and_comes_with_the_answer(classifier: Any) -> None:
    spent = StageTimes(tokenise=0.25, infer=0.5, decide=0.125)

    class Timed:
        def suggest(self, petition: Petition) -> Suggestion:
            return replace(classifier.suggest(petition), times=spent)

    metrics = Metrics()
    worker = ModelWorker(Timed(), metrics=metrics, max_waiting=8)  # type: ignore[arg-type]
    worker.start()
    hold(worker, classifier)
    (waiting,) = worker.submit([Petition(text="等着")])
    time.sleep(0.02)
    classifier.gate.set()
    times = waiting.result(5).times
    worker.close(grace=5)
    assert replace(times, queue=0.0) == spent
    assert times.queue >= 0.02
    for stage, seconds in (("tokenise", 0.5), ("infer", 1.0), ("decide", 0.25)):
        assert metrics.registry.get_sample_value("petition_stage_seconds_sum", {"stage": stage}) == seconds
    queued = metrics.registry.get_sample_value("petition_stage_seconds_sum", {"stage": "queue"})
    assert queued is not None
    assert queued >= times.queue


def test_a_petition_that_fails_fails_alone(worker: ModelWorker, classifier: Any) -> None:
    hold(worker, classifier)
    texts = ["好的", "有毒", "也好"]
    good, bad, other = worker.submit([Petition(text=text) for text in texts])
    classifier.gate.set()
    assert good.result(5).masked_text == "好的"
    assert other.result(5).masked_text == "也好"
    with pytest.raises(RuntimeError):
        bad.result(5)
    assert classifier.judged == ["先来的", *texts], "each was judged once"
    (later,) = worker.submit([Petition(text="之后")])
    assert later.result(5).masked_text == "之后"


@pytest.mark.parametrize(("text", "error", "n_failures"), [("  ", TextError, 0), ("有毒", RuntimeError, 1)])
def test_a_text_that_cannot_be_judged_is_no_failure_of_ours(
    classifier: Any, log_lines: io.StringIO, text: str, error: type[Exception], n_failures: int
) -> None:
    metrics = Metrics()
    worker = ModelWorker(classifier, metrics=metrics, max_waiting=8)
    worker.start()
    (future,) = worker.submit([Petition(text=text)])
    with pytest.raises(error):
        future.result(5)
    worker.close(grace=5)
    assert metrics.registry.get_sample_value("petition_judging_failures_total") == n_failures
    assert log_lines.getvalue().count("judging_failed") == n_failures


def test_the_queue_takes_all_of_a_request_or_nothing(worker: ModelWorker, classifier: Any) -> None:
    hold(worker, classifier)
    worker.submit([Petition(text="占位")] * 7)
    with pytest.raises(QueueFull):
        worker.submit([Petition(text="多了")] * 2)
    (last,) = worker.submit([Petition(text="刚好")])
    classifier.gate.set()
    assert last.result(5).masked_text == "刚好"


def test_closing_answers_what_was_accepted_and_takes_nothing_new(worker: ModelWorker, classifier: Any) -> None:
    hold(worker, classifier)
    futures = worker.submit([Petition(text="已收下")] * 5)
    classifier.gate.set()
    worker.close(grace=5)
    assert all(f.result(0).masked_text == "已收下" for f in futures)
    with pytest.raises(WorkerClosed):
        worker.submit([Petition(text="太迟")])


def test_what_cannot_be_answered_in_time_fails_instead_of_hanging(worker: ModelWorker, classifier: Any) -> None:
    hold(worker, classifier)
    (waiting,) = worker.submit([Petition(text="等不到")])
    worker.close(grace=0.05)
    with pytest.raises(WorkerClosed):
        waiting.result(0)


def test_a_cancelled_petition_is_not_judged(worker: ModelWorker, classifier: Any) -> None:
    hold(worker, classifier)
    gone, stays = worker.submit([Petition(text="走了"), Petition(text="还在")])
    assert gone.cancel()
    classifier.gate.set()
    assert stays.result(5).masked_text == "还在"
    assert classifier.judged == ["先来的", "还在"]
