"""Two bundles side by side on the same rows."""

import pytest
from typer.testing import CliRunner

from nlp.petition import HEADS
from nlp.router import Router
from training.cli import app
from training.compare import compare_answers
from training.data import read_examples
from training.split import split_examples

pytestmark = pytest.mark.timeout(900)


def test_a_bundle_equals_itself_and_one_spoilt_answer_shows(tiny_bundle, tiny_data):
    router = Router.load(tiny_bundle)
    rows = [e for e in split_examples(read_examples(tiny_data, router.taxonomy, written=False))["test"] if e.labels]
    answers = router.suggest_many([row.petition for row in rows])
    for found in compare_answers(answers, answers, rows=rows, taxonomy=router.taxonomy):
        assert (found.only_first, found.only_second, found.p, found.changed) == (0, 0, 1.0, 0.0)
    shuffled = [answers[0], *answers[:0:-1]]
    compared = {c.head: c for c in compare_answers(answers, shuffled, rows=rows, taxonomy=router.taxonomy)}
    assert compared["category_l1"].changed > 0.3
    assert compared["category_l1"].first > compared["category_l1"].second


def test_command_prints_a_row_per_head(tiny_bundle, tiny_data):
    result = CliRunner().invoke(app, ["compare", str(tiny_bundle), str(tiny_bundle), "--data", str(tiny_data)])
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.output.splitlines()[-len(HEADS) :]] == list(HEADS)
