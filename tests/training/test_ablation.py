"""Variants learn from the same rows and are compared row by row."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from nlp.petition import HEADS
from training.ablation import BASE, Ablation, Draw, as_markdown, compare, read_ablation, run_ablation
from training.classifier import FinetuneSettings
from training.provenance import claim
from training.settings import RecipeError

RECIPE = """
n_rows = 40
[base]
window = 64
max_windows = 2
train_windows = 1
epochs = 1
width = 32
n_layers = 1
n_heads = 1
[variants]
r-drop = { r_drop = 0.5 }
adversarial = { adversarial = 0.5 }
no-written = { written = false }
"""


def test_gain_is_paired_and_has_an_interval():
    base = np.zeros((400, len(HEADS)), dtype=bool)
    better = base.copy()
    better[:40] = True
    first, second = compare({BASE: base, "better": better}, [str(row) for row in range(400)])
    assert (first["gain"], first["low"], first["high"]) == (0, 0, 0)
    assert second["gain"] == pytest.approx(0.1)
    assert 0.05 < second["low"] < 0.1 < second["high"] < 0.15
    assert "| better |" in as_markdown([first, second])


def test_intervals_draw_near_duplicate_groups():
    rng = np.random.default_rng(0)
    correct = {name: rng.random((100, len(HEADS))) < 0.7 for name in (BASE, "other")}
    groups = [str(row) for row in range(100)]
    fourfold = {name: np.repeat(right, 4, axis=0) for name, right in correct.items()}
    assert compare(fourfold, np.repeat(groups, 4).tolist()) == compare(correct, groups)


def test_variants_run_once_and_are_told_in_one_table(tiny_data, tokenizer_file, tmp_path):
    recipe = tmp_path / "ablation.toml"
    recipe.write_text(RECIPE.replace("[base]", f'[base]\ntokenizer = "{tokenizer_file}"'), encoding="utf-8")
    ablation = read_ablation(recipe, data=tiny_data, encoder=None)
    table = run_ablation(ablation, out=tmp_path / "out", console=Console(quiet=True))
    rows = json.loads((tmp_path / "out" / "ablation.json").read_text(encoding="utf-8"))
    assert [row["variant"] for row in rows] == [BASE, "r-drop", "adversarial", "no-written"]
    made = (tmp_path / "out" / BASE / "model.safetensors").stat().st_mtime_ns
    run_ablation(ablation, out=tmp_path / "out", console=Console(quiet=True))
    assert (tmp_path / "out" / BASE / "model.safetensors").stat().st_mtime_ns == made
    assert table.read_text(encoding="utf-8").count("\n") == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [({"epochs": 2}, "epochs 2, now 3"), ({"seed": 4}, "seed 4, now 0"), ({}, "n_rows 40, now 50")],
)
def test_variants_of_other_settings_are_refused_before_anything_is_trained(tokenizer_file, tmp_path, change, message):
    settings = FinetuneSettings(tokenizer=tokenizer_file, epochs=3)
    claim(tmp_path, Draw(n_rows=50 if change else 40))
    claim(tmp_path / "later", replace(settings, **change))
    ablation = Ablation(n_rows=50, variants={BASE: settings, "later": settings})
    with pytest.raises(RecipeError, match=f"begun with other settings .{message}"):
        run_ablation(ablation, out=tmp_path, console=Console(quiet=True))
    assert not list(tmp_path.rglob("history.json"))


def test_an_empty_encoder_means_from_scratch(tokenizer_file, tmp_path):
    recipe = tmp_path / "ablation.toml"
    recipe.write_text('n_rows = 5\n[base]\n[variants]\nscratch = { encoder = "" }\n', encoding="utf-8")
    encoder = tokenizer_file.parent
    variants = read_ablation(recipe, data=tmp_path, encoder=encoder).variants
    assert variants[BASE].encoder == encoder
    assert variants["scratch"].encoder is None
    assert variants["scratch"].tokenizer == tokenizer_file


@pytest.mark.parametrize("content", ["", "n_rows = 3", "[base]", "n_rows = 3\n[base]\nlearning = 1"])
def test_refuses_a_file_without_what_it_needs(content, tmp_path):
    recipe = tmp_path / "ablation.toml"
    recipe.write_text(content, encoding="utf-8")
    with pytest.raises(RecipeError, match=r"ablation\.toml"):
        read_ablation(recipe, data=tmp_path, encoder=None)


def test_ablation_is_a_record():
    with pytest.raises(AttributeError):
        Ablation(n_rows=1, variants={}).n_rows = 2
