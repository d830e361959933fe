"""Pre-training: a killed run goes on as if nothing had happened, and a folder belongs to its settings."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from tokenizers import Tokenizer

from training.corpus import CorpusSettings, documents
from training.pretrain import PretrainSettings, _learning_rate, pretrain
from training.settings import RecipeError
from training.stream import MaskedStream

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def settings(corpus_folder, data_folder) -> PretrainSettings:
    return PretrainSettings(
        corpus=corpus_folder,
        data=data_folder,
        weights={"notices": 1.0},
        n_vocabulary=1500,
        width=16,
        n_layers=1,
        n_heads=2,
        skipgram_epochs=0,
        length=32,
        n_rows=4,
        steps=6,
        checkpoint_seconds=0,
    )


@pytest.fixture(scope="module")
def unbroken(settings, tmp_path_factory):
    run = tmp_path_factory.mktemp("unbroken")
    pretrain(settings, run=run, console=QUIET)
    return run


def weights(run):
    return torch.load(run / "checkpoint.pt", weights_only=True)


def killed_at(step: int, monkeypatch) -> None:
    """Let the batch of `step` kill the run, once."""
    batch = MaskedStream.batch

    def kill(stream, number):
        if number == step:
            monkeypatch.setattr(MaskedStream, "batch", batch)
            raise KeyboardInterrupt
        return batch(stream, number)

    monkeypatch.setattr(MaskedStream, "batch", kill)


@pytest.mark.parametrize("step", [0, 3])
def test_a_killed_run_goes_on_to_the_same_weights_bit_for_bit(settings, unbroken, tmp_path, monkeypatch, step):
    killed_at(step, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        pretrain(settings, run=tmp_path, console=QUIET)
    pretrain(settings, run=tmp_path, console=QUIET)
    resumed, whole = weights(tmp_path), weights(unbroken)
    assert resumed["step"] == whole["step"] == settings.steps
    assert resumed["curve"] == whole["curve"]
    assert all(torch.equal(resumed["model"][name], value) for name, value in whole["model"].items())
    assert (tmp_path / "stream.bin").read_bytes() == (unbroken / "stream.bin").read_bytes()


def test_a_finished_run_changes_nothing_when_started_again(settings, unbroken):
    before = weights(unbroken)["model"]
    pretrain(settings, run=unbroken, console=QUIET)
    assert all(torch.equal(value, before[name]) for name, value in weights(unbroken)["model"].items())


def test_a_run_leaves_an_encoder_its_tokenizer_a_curve_and_how_it_was_made(settings, unbroken):
    names = {path.name for path in (unbroken / "encoder").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    assert Tokenizer.from_file(str(unbroken / "encoder/tokenizer.json")).get_vocab_size() <= settings.n_vocabulary
    assert (unbroken / "loss.png").stat().st_size > 0
    provenance = json.loads((unbroken / "provenance.json").read_text())
    assert provenance["settings"]["steps"] == settings.steps
    assert not list(unbroken.glob("*.partial"))


@pytest.mark.parametrize(
    "change", [{"mask_share": 0.3}, {"steps": 7}, {"n_vocabulary": 1400}, {"max_characters": 9000}, {"seed": 1}]
)
def test_other_settings_on_the_same_folder_are_refused(settings, unbroken, change):
    before = (unbroken / "checkpoint.pt").read_bytes()
    with pytest.raises(RecipeError, match="begun with other settings"):
        pretrain(replace(settings, **change), run=unbroken, console=QUIET)
    assert (unbroken / "checkpoint.pt").read_bytes() == before


@pytest.mark.slow
def test_two_processes_prepare_the_data_once_and_train_together(settings, tmp_path):
    recipe, run = tmp_path / "recipe.toml", tmp_path / "run"
    recipe.write_text(
        "n_vocabulary = 1500\nwidth = 16\nn_layers = 1\nn_heads = 2\nskipgram_epochs = 1\nlength = 32\nn_rows = 4\n"
        f'steps = 4\ncorpus = "{settings.corpus}"\ndata = "{settings.data}"\n[weights]\nnotices = 1.0\n',
        encoding="utf-8",
    )
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes=2", "--main_process_port=0"]
    told = subprocess.run(
        [*launch, "-m", "training.cli", "pretrain", str(recipe), "--run", str(run)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("training the vocabulary") == told.stdout.count("tokenising the corpus") == 1
    assert weights(run)["step"] == 4
    assert not list(run.glob("*.partial"))


def test_the_loss_falls(settings, tmp_path):
    run = replace(settings, steps=40, learning_rate=1e-2, checkpoint_seconds=3600)
    pretrain(run, run=tmp_path, console=QUIET)
    curve = weights(tmp_path)["curve"]
    assert sum(curve[-8:]) < 0.95 * sum(curve[:8])


def test_embeddings_start_from_skip_gram_vectors_if_asked(settings, tmp_path):
    run = replace(settings, steps=0, skipgram_epochs=1)
    pretrain(run, run=tmp_path, console=QUIET)
    start = weights(tmp_path)["model"]["encoder.embeddings.word_embeddings.weight"]
    assert torch.equal(start, torch.load(tmp_path / "skipgram.pt", weights_only=True))
    assert start.std(0).mean() == pytest.approx(0.02, rel=0.01)


def test_a_later_stage_begins_with_vocabulary_and_weights_of_the_earlier_one(settings, unbroken, tmp_path):
    later = replace(settings, start=unbroken, steps=0, max_characters=1, weights={})
    pretrain(later, run=tmp_path, console=QUIET)
    assert (tmp_path / "tokenizer.json").read_bytes() == (unbroken / "tokenizer.json").read_bytes()
    before, after = weights(unbroken)["model"], weights(tmp_path)["model"]
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_a_stage_of_another_shape_than_its_earlier_run_is_refused(settings, unbroken, tmp_path):
    later = replace(settings, start=unbroken, n_layers=2)
    with pytest.raises(RecipeError, match="another shape than width 16, 2 layers"):
        pretrain(later, run=tmp_path, console=QUIET)


def test_a_stage_without_its_earlier_run_is_refused(settings, tmp_path):
    with pytest.raises(RecipeError, match="no earlier run to start from"):
        replace(settings, start=tmp_path)


def test_the_learning_rate_warms_up_and_falls_to_a_tenth(settings):
    run = replace(settings, steps=100, warmup_share=0.1, learning_rate=1.0)
    rates = [_learning_rate(run, step) for step in range(100)]
    assert rates[:10] == pytest.approx([i / 10 for i in range(1, 11)])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.1, abs=0.01)


@pytest.fixture
def corpus(corpus_folder, data_folder) -> CorpusSettings:
    return CorpusSettings(corpus=corpus_folder, data=data_folder, weights={"notices": 1.0}, in_domain_weight=2.0)


def test_the_corpus_holds_messages_twice_replies_and_notices_clean_and_in_seeded_order(corpus):
    found = list(documents(corpus))
    assert found == list(documents(corpus))
    assert found != list(documents(replace(corpus, seed=1)))
    assert sorted(found) == sorted(documents(replace(corpus, seed=1)))
    notices = [document for document in found if "号通报" in document]
    replies = [document for document in found if document.startswith("您反映的")]
    assert len(notices) == len(set(notices)) > 100
    assert len(replies) == 2 * len(set(replies)) > 0
    assert not any(mark in document for document in found for mark in "，！？")


def test_the_general_corpus_ends_where_the_budget_ends(corpus):
    in_domain = sum(map(len, documents(replace(corpus, weights={}))))
    found = list(documents(replace(corpus, max_characters=in_domain + 300)))
    general = sum(len(document) for document in found if "号通报" in document)
    assert 300 <= general < 400


def test_missing_corpus_files_are_named(corpus, tmp_path):
    with pytest.raises(RecipeError, match=r"none\.txt\.zst"):
        next(documents(replace(corpus, weights={"none": 1.0})))
    with pytest.raises(RecipeError, match=r"messages_labelled\.csv.*messages_unlabelled\.csv"):
        next(documents(replace(corpus, data=tmp_path)))
