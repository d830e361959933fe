"""Two bundles side by side on the same rows."""

import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from nlp.petition import HEADS, Decision
from nlp.router import Router
from training.cli import app
from training.compare import Comparison, as_text, compare_answers, compare_bundles, served_figures
from training.data import DataError, read_examples
from training.split import split_examples

pytestmark = pytest.mark.timeout(900)


def test_a_bundle_equals_itself_and_one_spoilt_answer_shows(tiny_bundle, tiny_data):
    router = Router.load(tiny_bundle)
    rows = [e for e in split_examples(read_examples(tiny_data, router.taxonomy, written=False))["test"] if e.labels]
    answers = [router.suggest(row.petition) for row in rows]
    for found in compare_answers(answers, answers, rows=rows, taxonomy=router.taxonomy):
        assert (found.only_first, found.only_second, found.p, found.changed) == (0, 0, 1.0, 0.0)
    shuffled = [answers[0], *answers[:0:-1]]
    compared = {c.head: c for c in compare_answers(answers, shuffled, rows=rows, taxonomy=router.taxonomy)}
    assert compared["category_l1"].changed > 0.3
    assert compared["category_l1"].first > compared["category_l1"].second


def test_bundles_are_compared_where_choices_are_made_and_on_the_test_rows_only_if_asked(
    tiny_bundle, tiny_data, monkeypatch
):
    def without_test_rows(examples):
        return split_examples(examples) | {"test": []}

    monkeypatch.setattr("training.compare.split_examples", without_test_rows)
    assert compare_bundles(tiny_bundle, tiny_bundle, data=tiny_data).n_rows == 40
    with pytest.raises(DataError, match="no labelled message in test"):
        compare_bundles(tiny_bundle, tiny_bundle, data=tiny_data, splits=("test",))


def test_what_is_let_through_and_raised_is_compared(tiny_bundle, tiny_data):
    router = Router.load(tiny_bundle)
    rows = [e for e in split_examples(read_examples(tiny_data, router.taxonomy, written=False))["test"] if e.labels]
    answers = [router.suggest(row.petition) for row in rows]
    auto = Decision(action="auto", reasons=())
    accepting = [*(replace(answer, decision=auto) for answer in answers[:10]), *answers[10:]]
    first, second = (served_figures(router, found, rows) for found in (answers, accepting))
    assert (first.auto["share"], second.auto["share"]) == (0, 0.25)
    assert first.urgent
    missed = {code: {**figures, "right": 0, "raised": 3} for code, figures in first.urgent.items()}
    text = as_text(Comparison(n_rows=len(rows), heads=(), first=first, second=replace(second, urgent=missed)))
    cells = {line[:36].strip(): re.split(r"\s{2,}", line[36:].strip()) for line in text.splitlines()}
    assert cells["accepted automatically"] == ["0.0%", "25.0%"]
    assert cells["of them wrong"][0] == "none accepted"
    assert cells["of them wrong"][1].startswith(f"{second.auto['error_rate']:.1%} (")
    n_flagged = second.let_through["flagged"]["rows"]
    assert cells["flagged let through"] == [
        f"0 of {n_flagged}",
        f"{sum(bool(r.flags) for r in rows[:10])} of {n_flagged}",
    ]
    for code, figures in first.urgent.items():
        assert figures["level"] == "S"
        right, wanted, raised = (figures[name] for name in ("right", "annotated", "raised"))
        assert cells[f"{code} found"] == [f"{right} of {wanted}", f"0 of {wanted}"]
        assert cells[f"{code} false alarms"] == [str(raised - right), "3"]


def test_command_prints_a_row_per_head_and_what_is_served(tiny_bundle, tiny_data):
    arguments = ["compare", str(tiny_bundle), str(tiny_bundle), "--data", str(tiny_data), "--split", "calibration"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found = [line.split()[0] for line in result.output.splitlines() if line.strip()]
    start = found.index("head") + 1
    assert found[start : start + len(HEADS)] == list(HEADS)
    assert "of 25 rows" in result.output
    assert "accepted automatically" in result.output
