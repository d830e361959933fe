"""Many hands at once: two reviewers take 200 items with 20 parallel claimers, one key is sent ten times."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import select, text
from starlette.testclient import TestClient

from serving.roles import Actor
from serving.store import audit, claims
from serving.store.engine import Store
from serving.store.schema import ClaimRow, PetitionRow

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)

N_ITEMS, N_CLAIMERS = 200, 20
DOUBT = "部门存疑楼下烧烤店油烟直排"


def take_all(client: TestClient) -> list[str]:
    """Claim until nothing waits or the hands are full."""
    taken: list[str] = []
    while True:
        answer = client.post("/v1/claims", json={})
        if answer.status_code == 409:
            assert answer.json()["code"] == "too_many_claims"
            return taken
        assert answer.status_code == 200, answer.text
        petition = answer.json()["petition"]
        if petition is None:
            return taken
        taken.append(petition["id"])


@pytest.mark.slow
def test_two_reviewers_and_20_claimers_take_200_items_once_each(open_office: Any) -> None:
    office = open_office(max_claims=N_ITEMS // 2)
    service = office.enter("service")
    with ThreadPoolExecutor(4) as pool:
        items = set(pool.map(lambda n: office.submit(f"{DOUBT}{n}", by=service)["id"], range(N_ITEMS)))
    reviewers = [office.enter("reviewer", name=name) for name in ("甲", "乙")]
    with ThreadPoolExecutor(N_CLAIMERS) as pool:
        taken = list(pool.map(take_all, reviewers * (N_CLAIMERS // 2)))
    assert Counter(chain.from_iterable(taken)) == Counter(items)
    with office.context.store.read() as session:
        claims = list(session.scalars(select(ClaimRow)))
        assert Counter(claim.petition_id for claim in claims) == Counter(items)
        assert Counter(claim.actor for claim in claims).most_common(1)[0][1] == N_ITEMS // 2
        assert {row.claimed_by for row in session.scalars(select(PetitionRow))} == {claim.actor for claim in claims}
        assert audit.verify(session).fault == ""


def until_one_waits(store: Store) -> None:
    """Return when a transaction on PostgreSQL waits for the lock of another."""
    deadline = time.monotonic() + 30
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with store.engine.connect() as connection:
        while not connection.scalar(waiting):
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.02)


def test_registering_and_claiming_in_two_tabs_do_not_wait_for_each_other(office: Any) -> None:
    store: Store = office.context.store
    if store.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time: there are no two locks to take")
    clerk = office.enter("clerk")
    office.submit(DOUBT, by=clerk)
    with store.read() as session:
        me = Actor(id=session.scalars(select(PetitionRow.submitted_by)).one(), name="clerk", role="clerk")
    now, options = office.context.now(), {"lasts": timedelta(minutes=15), "max_claims": 5}
    with ThreadPoolExecutor(1) as pool:
        with store.write() as session:
            assert claims.claim_next(session, actor=me, queue="must_review", now=now, **options) is None
            other_tab = pool.submit(office.submit, DOUBT, by=clerk, claim=True)
            until_one_waits(store)
            assert claims.claim_next(session, actor=me, queue=None, now=now, **options) is not None
        assert other_tab.result(30)["claim"]["mine"]


def test_the_same_key_ten_times_at_once_makes_one_petition(office: Any) -> None:
    service = office.enter("service")

    def send(_: int) -> Any:
        return service.post("/v1/petitions", json={"text": DOUBT}, headers={"Idempotency-Key": "ten-at-once"})

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    with office.context.store.read() as session:
        assert len(list(session.scalars(select(PetitionRow)))) == 1
        assert audit.verify(session).fault == ""
