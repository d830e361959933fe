"""The speed comparison judges on a quiet machine only."""

import pytest

from bench.runtime import verdict


def test_goals_are_judged_on_a_quiet_machine():
    told = verdict({"one text": 7.0, "batches of 32": 6.9}, load=1.0, n_cores=2)
    assert told == "goal of 7: one text reaches it, batches of 32 misses it"


@pytest.mark.parametrize("ratio", [1.0, 9.0])
def test_on_a_busy_machine_nothing_is_judged_and_the_load_named(ratio):
    told = verdict({"one text": ratio}, load=1.1, n_cores=2)
    assert "no verdict" in told
    assert "1.1 on 2 cores" in told
    assert "reaches" not in told
    assert "misses" not in told
