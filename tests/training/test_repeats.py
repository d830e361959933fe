"""The whole model as a learner: it answers for every text, goes on where it stopped and knows no held fold."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from nlp.petition import HEADS
from training.classifier import FinetuneSettings
from training.cli import app
from training.folds import SHARES
from training.repeats import full_learner, remembering, repeat_recipe
from training.settings import RecipeError

# Our few petitions have nearly as many second-level classes as rows, which scikit-learn finds odd.
pytestmark = pytest.mark.filterwarnings("ignore:The number of unique classes is greater than 50%:UserWarning")

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def settings(tokenizer_file, tiny_data):
    return FinetuneSettings(
        data=tiny_data, tokenizer=tokenizer_file, width=32, n_layers=1, n_heads=2, window=32, max_windows=1,
        train_windows=1, epochs=1, batch_texts=32, head_learning_rate=1e-2, public_weight=0.0,
    )  # fmt: skip


def test_the_whole_model_answers_every_text_with_its_own_labels(settings, examples, taxonomy):
    answers = full_learner(settings, taxonomy, QUIET)(examples, [e.text for e in examples[:7]])
    assert set(answers) == set(HEADS)
    for head in HEADS:
        assert answers[head].shape == (7,)
        assert set(answers[head]) <= set(range(len(taxonomy.labels[head])))


def test_what_is_finished_is_not_learnt_again(examples, tmp_path):
    learnt = []

    def learner(rows, texts):
        learnt.append(len(rows))
        return {head: np.arange(len(texts)) for head in HEADS}

    for rows, texts in ((examples, ["甲"]), (examples, ["甲"]), (examples[1:], ["甲"]), (examples, ["乙", "丙"])):
        answers = remembering(learner, tmp_path / "answers", made_of=["1.0", {}])(rows, texts)
        assert answers["nature"].tolist() == list(range(len(texts)))
    assert learnt == [len(examples), len(examples) - 1, len(examples)]
    assert not list(tmp_path.rglob("*.partial*"))
    flagged = [replace(examples[0], flags=("minors",)), *examples[1:]]
    remembering(learner, tmp_path / "answers", made_of=["1.0", {}])(flagged, ["甲"])
    remembering(learner, tmp_path / "answers", made_of=["1.0", {"encoder": "another"}])(examples, ["甲"])
    assert len(learnt) == 5


def test_the_command_repeats_a_recipe_and_keeps_what_is_done(settings, tmp_path, monkeypatch):
    recipe, out = tmp_path / "repeat.toml", tmp_path / "repeats"
    recipe.write_text(f'tokenizer = "{settings.tokenizer}"\ndata = "{settings.data}"\n', encoding="utf-8")
    asked = []

    def learner(rows, texts):
        asked.append(len(rows))
        return {head: np.zeros(len(texts), dtype=np.int64) for head in HEADS}

    monkeypatch.setattr("training.repeats.full_learner", lambda *_: learner)
    for _ in range(2):
        result = CliRunner().invoke(app, ["repeat", str(recipe), "--out", str(out)], catch_exceptions=False)
        assert str(out / "repeats.json") in result.output
    found = json.loads((out / "repeats.json").read_text(encoding="utf-8"))
    assert len(asked) == 5 + len(SHARES)
    assert found["learner"] == "full"
    assert [point["share"] for point in found["curve"]] == list(SHARES)
    assert len(found["folds"]["nature"]["accuracy"]["folds"]) == 5
    assert (out / "provenance.json").exists()


def test_corrections_are_refused_for_they_would_not_be_learnt(settings, tmp_path):
    with pytest.raises(RecipeError, match=r"decided\.jsonl"):
        repeat_recipe(replace(settings, corrections=tmp_path / "decided.jsonl"), out=tmp_path / "out", console=QUIET)


def test_a_recipe_that_goes_on_from_a_run_is_refused_before_anything_is_written(tmp_path):
    settings = FinetuneSettings(tokenizer=tmp_path / "t.json", start=tmp_path / "first")
    with pytest.raises(RecipeError, match="first, whose weights have learnt the rows of every fold"):
        repeat_recipe(settings, out=tmp_path / "out", console=QUIET)
    assert not (tmp_path / "out").exists()
