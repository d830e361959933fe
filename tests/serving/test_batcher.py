"""The model thread: what it promises to whoever queues a petition."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from nlp.petition import Petition, StageTimes, Suggestion
from serving.batcher import Job, ModelWorker, QueueFull, WorkerClosed, choose_batch
from serving.metrics import Metrics


@pytest.fixture
def worker(classifier: Any) -> Iterator[ModelWorker]:
    worker = ModelWorker(classifier, metrics=Metrics(), max_waiting=8, max_batch=4, max_batch_chars=1000)
    worker.start()
    yield worker
    classifier.gate.set()
    worker.close(grace=5)


def job(n_chars: int) -> Job:
    return Job(petition=Petition(text="字" * n_chars), n_chars=n_chars)


def hold(worker: ModelWorker, classifier: Any) -> Any:
    """Keep the thread busy with one petition and return its future."""
    classifier.gate.clear()
    classifier.entered.clear()
    (future,) = worker.submit([Petition(text="先来的")])
    assert classifier.entered.wait(5)
    return future


def test_a_batch_starts_with_the_oldest_and_takes_those_nearest_in_length() -> None:
    waiting = [job(100), job(5), job(90), job(500), job(110)]
    batch = choose_batch(waiting, max_batch=3, max_batch_chars=10_000)
    assert batch[0] is waiting[0]
    assert sorted(j.n_chars for j in batch) == [90, 100, 110]


def test_a_batch_keeps_within_its_padded_size() -> None:
    waiting = [job(100), job(100), job(100), job(100)]
    assert len(choose_batch(waiting, max_batch=10, max_batch_chars=250)) == 2
    assert len(choose_batch([job(9_999)], max_batch=10, max_batch_chars=250)) == 1


def test_waiting_petitions_share_a_batch(worker: ModelWorker, classifier: Any) -> None:
    first = hold(worker, classifier)
    futures = worker.submit([Petition(text=f"第{n}件") for n in range(4)])
    classifier.gate.set()
    assert [f.result(5).masked_text for f in futures] == [f"第{n}件" for n in range(4)]
    assert first.result(5).masked_text == "先来的"
    assert [len(batch) for batch in classifier.batches] == [1, 4]


def test_the_time_of_each_stage_is_counted_and_comes_with_the_answer(classifier: Any) -> None:
    spent = StageTimes(tokenise=0.25, infer=0.5, decide=0.125)

    class Timed:
        def suggest_many(self, petitions: list[Petition]) -> list[Suggestion]:
            return [replace(answer, times=spent) for answer in classifier.suggest_many(petitions)]

    metrics = Metrics()
    worker = ModelWorker(Timed(), metrics=metrics, max_waiting=8, max_batch=4, max_batch_chars=1000)  # type: ignore[arg-type]
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


def test_a_petition_that_fails_its_batch_fails_alone(worker: ModelWorker, classifier: Any) -> None:
    hold(worker, classifier)
    good, bad, other = worker.submit([Petition(text="好的"), Petition(text="有毒"), Petition(text="也好")])
    classifier.gate.set()
    assert good.result(5).masked_text == "好的"
    assert other.result(5).masked_text == "也好"
    with pytest.raises(RuntimeError):
        bad.result(5)
    (later,) = worker.submit([Petition(text="之后")])
    assert later.result(5).masked_text == "之后"


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
    assert sum(map(len, classifier.batches)) == 2
