"""Related petitions at intake: kept with the petition, found by it, never merged; on both databases."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, text, update
from starlette.testclient import TestClient

from nlp.related import from_bytes, sign, text_digest
from serving.app import create_app
from serving.related import RelatedPetitions
from serving.roles import COMMAND_LINE
from serving.store import fingerprints, retention
from serving.store.fingerprints import Fingerprint
from serving.store.schema import FingerprintRow, PetitionRow

both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)

LAMPS = "幸福路从加油站到小学的路灯坏了半年，晚上学生放学看不见路，请求有关部门尽快派人维修。"
LAMPS_AGAIN = "幸福路从加油站到小学的路灯坏了半年，晚上学生放学看不见路，已经摔伤三个人，请求有关部门尽快派人维修。"
CARD = "我父亲去年在县医院做手术，新农合报销的材料交上去以后一直没有消息，请帮忙查询进度。"


def related(client: TestClient, petition: dict[str, Any]) -> dict[str, Any]:
    response = client.get(f"/v1/petitions/{petition['id']}/related")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def found(client: TestClient, petition: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["id"], item["relation"]) for item in related(client, petition)["items"]]


@both
def test_what_is_kept_is_made_of_the_masked_text_and_the_models_vector(office: Any, classifier: Any) -> None:
    petition = office.submit(f"{LAMPS}电话13800138000")
    with office.context.store.read() as session:
        (row,) = session.scalars(select(FingerprintRow))
    assert "[电话]" in petition["content"]
    assert (from_bytes(row.signature) == sign(petition["content"])).all()
    assert int.from_bytes(row.digest, "little") == text_digest(petition["content"])
    assert row.bundle_id == classifier.bundle.id
    vector = np.frombuffer(row.vector, "<f2").astype(np.float32)
    wanted = classifier._vector(f"{LAMPS}电话13800138000")
    np.testing.assert_allclose(vector, wanted / np.linalg.norm(wanted), atol=1e-3)
    assert "vector" not in str(petition)


@both
def test_each_relation_is_found_with_what_only_the_later_one_tells(office: Any) -> None:
    clerk = office.enter("clerk")
    first, other = office.submit(LAMPS), office.submit(CARD)
    assert related(clerk, first)["items"] == []
    assert related(clerk, first)["message"] == ""
    same, more = office.submit(f"{LAMPS}！"), office.submit(LAMPS_AGAIN)
    matter, matter_again = office.submit("事项7楼上漏水"), office.submit("电梯总是停在半路，事项7")
    assert found(clerk, same) == [(first["id"], "same_text"), (more["id"], "near_duplicate")]
    assert found(clerk, matter) == [(matter_again["id"], "same_matter")]
    assert found(clerk, other) == []
    answer = related(clerk, more)
    assert {item["id"] for item in answer["items"]} == {first["id"], same["id"]}
    item = answer["items"][0]
    assert item["came_later"] is False
    assert [fact["text"] for fact in item["news"]] == ["三个人"]
    start, end = item["news"][0]["span"]
    assert more["content"][start:end] == "三个人"
    assert "可能有新的事实" in item["news_message"]
    back = next(item for item in related(clerk, first)["items"] if item["id"] == more["id"])
    assert back["came_later"] is True
    assert [fact["text"] for fact in back["news"]] == ["三个人"]
    repeat = related(clerk, same)["items"][0]
    assert repeat["news"] == []
    assert "可能是重复反映" in repeat["news_message"]
    assert answer["basis"] == "条例36条3款"
    assert answer["certainty"] == "verified"
    assert "不自动合并" in answer["message"]
    assert clerk.get(f"/v1/petitions/{first['id']}").json() == first, "nothing is merged, nothing changes"


@both
def test_five_alike_are_told_as_a_campaign(office: Any) -> None:
    clerk = office.enter("clerk")
    petitions = [office.submit(LAMPS) for _ in range(6)]
    assert related(clerk, petitions[0])["campaign"] is True
    assert related(clerk, petitions[0])["n_found"] == 5
    office.submit(CARD)
    assert "多人反映" in related(clerk, petitions[3])["message"]


@both
def test_a_purge_removes_fingerprints_and_nobody_is_led_to_what_is_purged(office: Any, clock: Any) -> None:
    clerk = office.enter("clerk")
    old = office.submit(LAMPS)
    clock.advance(days=40)
    fresh = office.submit(LAMPS)
    assert found(clerk, fresh) == [(old["id"], "same_text")]
    with office.context.store.write() as session:
        retention.purge(session, older_than=clock() - timedelta(days=1), actor=COMMAND_LINE, now=clock())
    assert found(clerk, fresh) == []
    assert related(clerk, old)["items"] == []
    with office.context.store.read() as session:
        assert session.scalars(select(FingerprintRow.petition_id)).all() == [fresh["id"]]


@both
def test_vectors_of_another_bundle_are_not_compared_but_texts_are(
    make_settings: Callable[..., Any], serve: Callable[..., TestClient], make_office: Any, classifier: Any
) -> None:
    office = make_office(serve())
    before = office.submit("事项7楼上漏水，请尽快处理"), office.submit(LAMPS)
    later = type(classifier)("fake-2", width=48)
    office = make_office(serve(app=create_app(make_settings(), later)))
    clerk = office.enter("clerk")
    matter, same = office.submit("电梯总是停在半路，事项7"), office.submit(LAMPS)
    again = office.submit("事项7，水管爆裂无人过问")
    assert found(clerk, matter) == [(again["id"], "same_matter")]
    assert found(clerk, same) == [(before[1]["id"], "same_text")]
    assert related(clerk, matter)["matter_compared"] is True
    assert related(clerk, before[0])["matter_compared"] is False


@both
def test_petitions_kept_before_there_were_fingerprints_get_one(office: Any) -> None:
    clerk = office.enter("clerk")
    before = office.submit(LAMPS)
    with office.context.store.write() as session:
        session.execute(text("DROP TABLE fingerprints"))
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    office.context.store.prepare(auto_migrate=True)
    again = office.submit(LAMPS_AGAIN)
    assert found(clerk, before) == [(again["id"], "near_duplicate")]
    assert related(clerk, before)["matter_compared"] is False
    assert found(clerk, again) == [(before["id"], "near_duplicate")]


def test_a_switched_bundle_is_followed(open_office: Callable[..., Any], classifier: Any) -> None:
    office = open_office()
    clerk = office.enter("clerk")
    first = office.submit("事项7楼上漏水")
    office.context.related.follow(type(classifier)("fake-2", width=48), 48)
    threads = [thread for thread in threading.enumerate() if thread.name == "related-loader"]
    for thread in threads:
        thread.join(10)
    assert related(clerk, first)["matter_compared"] is False


def test_the_bundle_sets_the_bar(office: Any, classifier: Any) -> None:
    clerk = office.enter("clerk")
    one, two = office.submit("事项7楼上漏水"), office.submit("电梯总是停在半路，事项7")
    assert found(clerk, one) == [(two["id"], "same_matter")]
    strict = type(classifier)("fake-1")
    strict.bundle.thresholds["same_matter"] = 1.5  # no cosine is that high
    again = RelatedPetitions(office.context.store)
    again.follow(strict, strict.width)
    with office.context.store.read() as session:
        fingerprint = fingerprints.find(session, one["id"])
    assert fingerprint
    answer, comparable = again.like(fingerprint, ignore=one["id"], patience=10)
    assert comparable
    assert answer.matches == ()


@both
def test_a_second_process_sees_what_the_first_kept(
    make_settings: Callable[..., Any], serve: Callable[..., TestClient], make_office: Any, classifier: Any
) -> None:
    """Two apps on one database, as two workers are."""
    one = make_office(serve())
    two = make_office(serve(app=create_app(make_settings(), type(classifier)())))
    clerk = two.enter("clerk")
    numbers = [(one if number % 2 else two).submit(LAMPS)["id"] for number in range(4)]
    for number in numbers:
        assert {item for item, _ in found(clerk, {"id": number})} == set(numbers) - {number}


@both
def test_concurrent_intake_and_questions_lose_nothing(office: Any) -> None:
    clerk, service = office.enter("clerk"), office.enter("service")
    faults: list[Any] = []
    done = threading.Event()

    def ask(petition: dict[str, Any]) -> None:
        while not done.is_set():
            response = clerk.get(f"/v1/petitions/{petition['id']}/related")
            if response.status_code != 200:
                faults.append(response.text)
                return

    first = office.submit(f"{LAMPS}第一件")
    askers = [threading.Thread(target=ask, args=(first,)) for _ in range(3)]
    for asker in askers:
        asker.start()
    with ThreadPoolExecutor(6) as pool:
        kept = list(pool.map(lambda n: office.submit(f"{LAMPS}第{n}件", by=service)["id"], range(24)))
    done.set()
    for asker in askers:
        asker.join(30)
    assert not faults
    with office.context.store.read() as session:
        seen = session.scalar(select(func.count()).select_from(FingerprintRow))
    assert seen == 25
    answer = related(clerk, first)
    assert answer["n_found"] == 24
    assert {item["id"] for item in answer["items"]} <= set(kept)
    assert len(answer["items"]) == 20


def test_reading_in_pages_finds_the_same(office: Any, monkeypatch: pytest.MonkeyPatch, classifier: Any) -> None:
    petitions = [office.submit(f"{LAMPS}{number}") for number in range(7)]
    monkeypatch.setattr("serving.related.PAGE", 2)
    again = RelatedPetitions(office.context.store)
    again.follow(classifier, classifier.width)
    with office.context.store.read() as session:
        fingerprint = fingerprints.find(session, petitions[0]["id"])
    assert fingerprint
    answer, _ = again.like(fingerprint, ignore=petitions[0]["id"], patience=10)
    assert {match.petition_id for match in answer.matches} == {petition["id"] for petition in petitions[1:]}


def test_until_the_first_reading_is_over_the_answer_is_503(office: Any) -> None:
    fingerprint = Fingerprint.of(LAMPS, vector=np.ones(32, np.float32), bundle_id="fake-1")
    with pytest.raises(Exception, match="related_loading"):
        RelatedPetitions(office.context.store).like(fingerprint, ignore="", patience=0)


def test_a_text_without_words_is_related_to_nothing(office: Any) -> None:
    clerk = office.enter("clerk")
    office.submit("？？？")
    assert found(clerk, office.submit("！！")) == []


def test_a_blind_review_does_not_see_what_others_were_decided_as(office: Any) -> None:
    reviewer = office.enter("reviewer")
    petition = office.submit(LAMPS)
    with office.context.store.write() as session:
        session.execute(update(PetitionRow).where(PetitionRow.id == petition["id"]).values(blind=True, state="queued"))
    response = reviewer.get(f"/v1/petitions/{petition['id']}/related")
    assert response.status_code == 409
    assert response.json()["code"] == "blind_review"
    assert office.enter("service").get(f"/v1/petitions/{petition['id']}/related").status_code == 403
    assert reviewer.get("/v1/petitions/P000000-0000000000/related").status_code == 404
