"""Recipes say what they do: nothing unknown, nothing of a wrong type, nothing silently changed."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from training.ablation import read_ablation
from training.classifier import FinetuneSettings
from training.pretrain import PretrainSettings
from training.provenance import claim
from training.settings import RECIPES, RecipeError, as_plain, build, read_recipe


@dataclass(frozen=True, kw_only=True)
class Plain:
    folder: Path
    encoder: Path | None = None
    rate: float = 0.1
    steps: int = 3
    fast: bool = False
    sizes: tuple[int, ...] = ()
    weights: dict[str, float] = field(default_factory=dict)


@pytest.fixture
def recipe(tmp_path):
    def write(content: str) -> Path:
        path = tmp_path / "recipe.toml"
        path.write_text(content, encoding="utf-8")
        return path

    return write


def test_values_come_from_the_file_then_from_the_overrides(recipe):
    path = recipe('folder = "a"\nrate = 1\nsizes = [1, 2]\n[weights]\nx = 0.5\n')
    settings = read_recipe(Plain, path, ["steps=7", "fast=true", "encoder=b/c", "rate = 2e-3"])
    assert settings == Plain(
        folder=Path("a"), encoder=Path("b/c"), rate=2e-3, steps=7, fast=True, sizes=(1, 2), weights={"x": 0.5}
    )
    assert isinstance(read_recipe(Plain, path).rate, float)


@pytest.mark.parametrize(
    ("content", "overrides", "message"),
    [
        ('folder = "a"\nfoldr = 1', [], r"unknown key\(s\) foldr; allowed: .*folder"),
        ('folder = "a"', ["step=1"], r"unknown key\(s\) step"),
        ('folder = "a"\nsteps = "3"', [], "steps must be int, got '3'"),
        ('folder = "a"\nsteps = 1.5', [], "steps must be int, got 1.5"),
        ('folder = "a"\nsteps = true', [], "steps must be int, got True"),
        ('folder = "a"\nrate = true', [], "rate must be float, got True"),
        ('folder = "a"\nfast = 1', [], "fast must be bool, got 1"),
        ("folder = 3", [], "folder must be"),
        ("steps = 3", [], "folder"),
        ('folder = "a"', ["steps"], "not of the form key=value"),
        ("folder = ", [], "cannot read recipe"),
    ],
)
def test_whatever_does_not_fit_is_refused_by_name(recipe, content, overrides, message):
    with pytest.raises(RecipeError, match=message):
        read_recipe(Plain, recipe(content), overrides)


def test_a_missing_recipe_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="cannot read recipe"):
        read_recipe(Plain, tmp_path / "none.toml")


def test_settings_written_beside_a_result_can_be_read_again():
    settings = Plain(folder=Path("a"), rate=0.25, weights={"x": 1.0})
    assert build(Plain, as_plain(settings), source="here") == settings


def test_a_folder_belongs_to_its_settings(tmp_path):
    settings, run = Plain(folder=Path("a"), sizes=(1, 2), weights={"x": 1.0}), tmp_path / "run"
    claim(run, settings)
    claim(run, settings)
    with pytest.raises(RecipeError, match=r"run was begun with other settings \(rate 0\.1, now 0\.5; steps 3, now 4\)"):
        claim(run, replace(settings, rate=0.5, steps=4))
    assert [path.name for path in run.iterdir()] == ["settings.json"]


def test_a_setting_younger_than_the_run_counts_as_its_default(tmp_path):
    (tmp_path / "settings.json").write_text('{"folder": "a", "rate": 0.1}')
    claim(tmp_path, Plain(folder=Path("a")))
    with pytest.raises(RecipeError, match="steps 3, now 4"):
        claim(tmp_path, Plain(folder=Path("a"), steps=4))


def test_a_folder_whose_settings_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(RecipeError, match="cannot read the settings of an earlier run"):
        claim(tmp_path, Plain(folder=Path("a")))


def test_every_recipe_of_the_package_is_valid():
    recipes = sorted(RECIPES.glob("*.toml"))
    assert recipes
    for path in recipes:
        if path.name in ("ablation.toml", "encoders.toml"):
            ablation = read_ablation(path, data=Path(), encoder=Path("encoder"))
            assert len(ablation.variants) > 5
            continue
        kind = FinetuneSettings if path.name.startswith(("finetune", "repeat")) else PretrainSettings
        extra = ["tokenizer=tokenizer.json"] if kind is FinetuneSettings else []
        read_recipe(kind, path, extra)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 100, "n_heads": 3}, "width 100 is not a multiple of n_heads 3"),
        ({"mask_share": 1.0}, "mask_share must lie between 0 and 1"),
        ({"precision": "fp16"}, "precision must be no or bf16 .fp16 would not resume exactly"),
        ({"in_domain_weight": 1.5}, "in_domain_weight must be a whole number"),
    ],
)
def test_pretraining_refuses_what_cannot_work(change, message):
    with pytest.raises(RecipeError, match=message):
        PretrainSettings(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "give an encoder folder"),
        ({"tokenizer": Path("t"), "train_windows": 4, "max_windows": 3}, "train_windows must lie in 1..max_windows=3"),
        ({"tokenizer": Path("t"), "class_balance": 2.0}, "class_balance must lie in 0..1"),
    ],
)
def test_fine_tuning_refuses_what_cannot_work(change, message):
    with pytest.raises(RecipeError, match=message):
        FinetuneSettings(**change)


def test_a_tokenizer_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RecipeError, match="no tokenizer at"):
        _ = FinetuneSettings(encoder=tmp_path).tokenizer_file
