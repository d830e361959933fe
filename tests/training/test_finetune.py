"""Fine-tuning: partial labels, a tiny run that learns our own texts, an encoder from elsewhere by one setting."""

import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from nlp.petition import HEADS
from nlp.tokenise import PieceTokeniser
from training.classifier import (
    FinetuneSettings,
    build_classifier,
    classifier_logits,
    label_arrays,
    load_run,
    vocabulary_size,
)
from training.data import MISSING
from training.finetune import _bucketed, _parameter_groups, _rate, finetune, recipe_inputs, start_from
from training.flags import LEARNED
from training.model import WindowBatch
from training.objective import class_weights, hide, label_loss
from training.provenance import claim, hash_path
from training.settings import RecipeError
from training.vocabulary import SPECIAL_PIECES

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def settings(tokenizer_file, data_folder) -> FinetuneSettings:
    return FinetuneSettings(
        data=data_folder,
        tokenizer=tokenizer_file,
        window=64,
        max_windows=2,
        width=32,
        n_layers=1,
        n_heads=2,
        dropout=0.0,
        epochs=30,
        batch_texts=5,
        learning_rate=3e-3,
        head_learning_rate=5e-3,
        label_smoothing=0.0,
    )


@pytest.fixture(scope="module")
def twenty(examples):
    return examples[:20]


@pytest.fixture(scope="module")
def run(settings, twenty, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finetune")
    return finetune(settings, run=folder, console=QUIET, dealt={"fit": twenty, "calibration": twenty})


def tokeniser(settings: FinetuneSettings) -> PieceTokeniser:
    return PieceTokeniser(
        Tokenizer.from_file(str(settings.tokenizer_file)), window=settings.window, max_windows=settings.max_windows
    )


def test_twenty_texts_are_learnt_by_heart(run):
    history = json.loads((run / "history.json").read_text())
    assert history[-1]["loss"] < 0.2 * history[0]["loss"]
    assert all(history[-1][head] == 1.0 for head in HEADS)


def test_a_finished_run_is_not_overwritten_with_other_settings(run, settings, twenty):
    before = (run / "model.safetensors").read_bytes()
    with pytest.raises(RecipeError, match=r"begun with other settings \(epochs 30, now 1"):
        finetune(replace(settings, epochs=1), run=run, console=QUIET, dealt={"fit": twenty, "calibration": twenty})
    assert (run / "model.safetensors").read_bytes() == before


def test_a_run_that_was_not_finished_is_refused(settings, taxonomy, tmp_path):
    claim(tmp_path, settings)
    with pytest.raises(RecipeError, match="begun and not finished"):
        load_run(tmp_path, taxonomy)


def test_a_finished_run_gives_the_same_answers_when_loaded(run, settings, twenty, taxonomy):
    model = load_run(run, taxonomy).model
    logits = classifier_logits(model, tokeniser(settings), [e.text for e in twenty])
    truth = label_arrays(twenty, taxonomy)
    for head in HEADS:
        assert (logits[head].argmax(1) == truth[head]).all()


def test_a_run_goes_on_from_an_earlier_one_and_learns_other_flags_afresh(run, settings, taxonomy, monkeypatch):
    monkeypatch.setattr("training.classifier.LEARNED", ("minors", "newly_learnt", *LEARNED[1:-1]))
    model = build_classifier(settings, taxonomy, n_pieces=vocabulary_size(settings.tokenizer_file))
    fresh = {name: weights.clone() for name, weights in model.heads["flags"].state_dict().items()}
    start_from(model, run, taxonomy)
    earlier = load_file(run / "model.safetensors")
    assert torch.equal(model.heads["nature"].weight, earlier["heads.nature.weight"])
    for name, weights in model.heads["flags"].state_dict().items():
        assert torch.equal(weights[0], earlier[f"heads.flags.{name}"][LEARNED.index("minors")])
        assert torch.equal(weights[1], fresh[name][1])
        assert torch.equal(weights[2:], earlier[f"heads.flags.{name}"][1:-1])
    other = build_classifier(replace(settings, width=16), taxonomy, n_pieces=100)
    with pytest.raises(RecipeError, match="holds a model of another shape"):
        start_from(other, run, taxonomy)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"taxonomy": "1.0+another"}, "made for the labels of taxonomy 1.0\\+another"),
        ({"flags": LEARNED[::-1]}, "made for the flags minors"),
        ({"flags": LEARNED[:-1]}, "made for the flags self_harm"),
        ({"heads": 5}, "unknown key"),
    ],
)
def test_a_run_whose_outputs_have_other_names_is_refused(changes, said, run, taxonomy, tmp_path):
    made = copied(run, tmp_path)
    outputs = {"taxonomy": taxonomy.version, "flags": LEARNED} | changes
    (made / "outputs.json").write_text(json.dumps(outputs), encoding="utf-8")
    with pytest.raises(RecipeError, match=said):
        load_run(made, taxonomy)


def test_a_run_that_does_not_name_its_outputs_is_refused_until_they_are_written(run, settings, taxonomy, tmp_path):
    made = copied(run, tmp_path)
    (made / "outputs.json").unlink()
    model = build_classifier(settings, taxonomy, n_pieces=vocabulary_size(settings.tokenizer_file))
    for use in (load_run, partial(start_from, model)):
        with pytest.raises(RecipeError, match=r"fine-tune it anew or, if you know them, write .*outputs\.json"):
            use(made, taxonomy)
    (made / "outputs.json").write_text(json.dumps({"taxonomy": taxonomy.version, "flags": LEARNED[:-1]}))
    with pytest.raises(RecipeError, match="says it has 10 flags, its model has 11"):
        start_from(model, made, taxonomy)
    (made / "outputs.json").write_text(json.dumps({"taxonomy": taxonomy.version, "flags": LEARNED}))
    load_run(made, taxonomy)


def test_no_run_goes_on_from_one_for_another_taxonomy(run, settings, taxonomy):
    model = build_classifier(settings, taxonomy, n_pieces=vocabulary_size(settings.tokenizer_file))
    with pytest.raises(RecipeError, match="made for the labels of taxonomy"):
        start_from(model, run, replace(taxonomy, content_hash="another"))


def copied(run, folder):
    return Path(copytree(run, folder / "made"))


def test_logits_come_in_the_order_of_the_texts(run, settings, twenty, taxonomy):
    model = load_run(run, taxonomy).model
    texts = [e.text for e in twenty]
    small, large = (classifier_logits(model, tokeniser(settings), texts, batch=n) for n in (3, 32))
    alone = classifier_logits(model, tokeniser(settings), texts[4:5])
    for head in HEADS:
        assert small[head] == pytest.approx(large[head], abs=1e-4)
        assert alone[head][0] == pytest.approx(large[head][4], abs=1e-4)


def test_a_run_says_how_it_was_made(run, settings, taxonomy):
    provenance = json.loads((run / "provenance.json").read_text())
    assert provenance["settings"]["width"] == 32
    assert set(provenance["inputs"]) == {"data", "annotations", "samples", "tokenizer"}
    assert all(len(digest) == 16 for digest in provenance["inputs"].values())
    assert json.loads((run / "outputs.json").read_text()) == {"taxonomy": taxonomy.version, "flags": list(LEARNED)}
    assert (run / "tokenizer.json").read_bytes() == settings.tokenizer_file.read_bytes()


def test_everything_that_decides_what_a_recipe_makes_is_recorded(run, settings, tmp_path):
    further = replace(settings, encoder=tmp_path, start=run, corrections=Path("decided.jsonl"))
    always = {"data", "annotations", "samples", "tokenizer"}
    assert set(recipe_inputs(further)) == always | {"corrections", "encoder", "start"}
    assert hash_path(run) == hash_path(run / "model.safetensors")
    with pytest.raises(RecipeError, match="holds neither data"):
        hash_path(tmp_path)


def test_the_same_seed_gives_the_same_model(settings, twenty, tmp_path):
    short = replace(settings, epochs=1, dropout=0.1)
    dealt = {"fit": twenty, "calibration": twenty[:3]}
    first, second = (
        finetune(short, run=tmp_path / name, console=QUIET, dealt=dealt) / "model.safetensors" for name in "ab"
    )
    assert first.read_bytes() == second.read_bytes()


@pytest.fixture
def logits():
    torch.manual_seed(0)
    return {name: torch.randn(4, 3, requires_grad=True) for name in ("nature", "channel", "public")}


def weights_of_one():
    return dict.fromkeys(("nature", "channel", "public"), dict.fromkeys(range(3), 1.0))


def test_heads_and_rows_without_a_label_give_no_loss(settings, logits):
    truth = {
        "nature": torch.tensor([0, MISSING, 2, MISSING]),
        "channel": torch.full((4,), MISSING),
        "public": torch.tensor([MISSING, MISSING, MISSING, 1]),
    }
    loss = label_loss(logits, truth, weights_of_one(), settings)
    loss.backward()
    assert logits["channel"].grad is None
    assert logits["nature"].grad[1].abs().sum() == logits["nature"].grad[3].abs().sum() == 0
    assert logits["nature"].grad[0].abs().sum() > 0
    entropy = torch.nn.functional.cross_entropy
    expected = entropy(logits["nature"][[0, 2]], torch.tensor([0, 2]))
    expected = expected + settings.public_weight * entropy(logits["public"][[3]], torch.tensor([1]))
    assert float(loss.detach()) == pytest.approx(float(expected.detach()))


def test_a_batch_that_teaches_flags_alone_has_no_label_loss(settings, logits):
    truth = {head: torch.full((4,), MISSING) for head in ("nature", "channel", "public")}
    loss = label_loss(logits | {"flags": torch.randn(4, 2)}, truth, weights_of_one(), settings)
    assert float(loss) == 0.0


def test_a_missing_label_is_missing_in_the_arrays(twenty, taxonomy):
    partial = replace(twenty[0], labels={"nature": "appeal"}, public_category="交通运输")
    arrays = label_arrays([partial, twenty[1]], taxonomy)
    assert arrays["channel"][0] == MISSING
    assert arrays["nature"][0] == taxonomy.labels["nature"].index("appeal")
    assert (arrays["channel"][1] != MISSING, arrays["public"].tolist()) == (True, [6, MISSING])


def test_rare_classes_weigh_more_and_the_mean_weight_of_the_rows_is_one():
    labels = np.asarray([0] * 90 + [1] * 10 + [MISSING] * 50)
    weights = class_weights(labels, power=0.5)
    assert weights[1] / weights[0] == pytest.approx(3)
    assert 0.9 * weights[0] + 0.1 * weights[1] == pytest.approx(1)
    assert class_weights(labels, power=0.0) == {0: 1.0, 1: 1.0}
    assert class_weights(np.full(5, MISSING), power=0.5) == {}


def test_lower_layers_take_smaller_steps_and_every_parameter_has_one(settings, taxonomy):
    deep = replace(settings, n_layers=3, layer_decay=0.5, learning_rate=8e-4, head_learning_rate=1e-3)
    model = build_classifier(deep, taxonomy, n_pieces=100)
    groups = _parameter_groups(model, deep)
    assert sorted(group["lr"] for group in groups) == pytest.approx([1e-4, 2e-4, 4e-4, 8e-4, 1e-3])
    held = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(held) == sorted(id(parameter) for parameter in model.parameters())


def test_batches_hold_every_text_once_and_texts_of_like_length():
    windows = [[[0] * (1 + i % 120)] for i in range(400)]
    batches = _bucketed(windows, 16, np.random.default_rng(0))
    assert sorted(int(row) for batch in batches for row in batch) == list(range(400))
    spread = [np.ptp([len(windows[row][0]) for row in batch]) for batch in batches]
    assert np.mean(spread) < 60


def test_hidden_pieces_are_masks_and_special_pieces_stay():
    torch.manual_seed(0)
    first_ordinary = len(SPECIAL_PIECES)
    batch = WindowBatch.of([[[2, *range(first_ordinary, first_ordinary + 400), 3]]])
    hidden = hide(batch, 0.25).pieces[0]
    changed = hidden != batch.pieces[0]
    assert 60 < int(changed.sum()) < 140
    assert set(hidden[changed].tolist()) == {SPECIAL_PIECES.index("[MASK]")}
    assert not changed[0]
    assert not changed[-1]


def test_the_schedule_rises_and_falls():
    assert [_rate(done, warmup=0.1) for done in (0, 0.05, 0.1, 0.55, 1)] == pytest.approx([0, 0.5, 1, 0.5, 0.02])
    assert not math.isnan(_rate(0, warmup=0))


def test_a_hugging_face_folder_works_by_one_setting(settings, twenty, tokenizer, tokenizer_file, tmp_path):
    folder = tmp_path / "published"
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=48,
    )
    BertModel(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
    other = replace(settings, encoder=folder, tokenizer=None, epochs=1)
    done = finetune(other, run=tmp_path / "run", console=QUIET, dealt={"fit": twenty, "calibration": twenty[:4]})
    assert json.loads((done / "history.json").read_text())[0]["loss"] > 0
    inputs = json.loads((done / "provenance.json").read_text())["inputs"]
    assert inputs["encoder"] == hash_path(folder) == hash_path(folder / "model.safetensors")
