"""The whole model as a learner: it answers for every text, goes on where it stopped and knows no held fold."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from nlp.calibrate import parent_indices
from nlp.petition import HEADS
from training.classifier import FinetuneSettings
from training.cli import app
from training.finetune import finetune
from training.folds import SHARES
from training.linear import fit_linear_branch
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


@pytest.fixture(scope="module")
def learnt(settings, examples, taxonomy):
    """What the whole model answers to every text, and the groups of the rows that each of its parts was given."""
    taught = {}
    # Some petitions stand there twice, as near-duplicates do.
    rows = [*examples, *(replace(e, id=f"{e.id}-again") for e in examples[::5])]

    def finetune_and_tell(settings, *, dealt, **others):
        taught.update({split: {e.group for e in part} for split, part in dealt.items()})
        return finetune(settings, dealt=dealt, **others)

    def fit_branch_and_tell(fit, taxonomy):
        taught["linear"] = {e.group for e in fit}
        return fit_linear_branch(fit, taxonomy)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.repeats.finetune", finetune_and_tell)
        patch.setattr("training.repeats.fit_linear_branch", fit_branch_and_tell)
        return full_learner(settings, taxonomy, QUIET)(rows, [e.text for e in examples]), taught


def test_the_whole_model_answers_every_text_with_its_own_labels(learnt, examples, taxonomy):
    answers, _ = learnt
    assert set(answers) == set(HEADS)
    for head in HEADS:
        assert answers[head].shape == (len(examples),)
        assert set(answers[head]) <= set(range(len(taxonomy.labels[head])))


def test_the_second_level_is_answered_under_the_first_as_it_is_served(learnt, taxonomy):
    answers, _ = learnt
    assert (parent_indices(taxonomy.labels)[answers["category_l2"]] == answers["category_l1"]).all()


def test_what_calibrates_the_whole_model_has_taught_neither_branch(learnt, examples):
    _, taught = learnt
    assert taught["calibration"]
    assert not taught["calibration"] & (taught["fit"] | taught["linear"])
    assert taught["calibration"] | taught["fit"] == {e.group for e in examples}
    assert taught["linear"] == taught["fit"]


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
