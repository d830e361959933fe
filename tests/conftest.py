"""A tiny but real chain for tests: data folder, fine-tuning run and bundle made from the petitions written by us.

The petitions stand under ids of the frozen splits, so every step finds its rows as it does with the real messages.
What trains is imported only where it is needed: most tests run without it.
"""

import csv
import json
from pathlib import Path

import pytest

DATASETS = Path(__file__).parents[1] / "datasets"
QUOTAS = {"fit": 95, "calibration": 25, "thresholds": 15, "test": 40}
HEADS = ("category_l1", "category_l2", "nature", "channel", "department")
LISTS = ("channel_alternatives", "department_co", "review_flags")


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory) -> Path:
    """A folder laid out like ../shared/data; every petition to fit stands in it twice."""
    from training.classifier import PUBLIC_CATEGORIES

    folder = tmp_path_factory.mktemp("data")
    petitions = _petitions()
    assert len(petitions) == sum(QUOTAS.values())
    ids = {name: iter(_free_ids(name)) for name in QUOTAS}
    rows = []
    for k, name in enumerate(name for name, quota in QUOTAS.items() for _ in range(quota)):
        # The file is sorted by class; stepping through it by a prime deals every class into every split.
        petition = petitions[k * 37 % len(petitions)]
        cells = {column: ";".join(petition[column]) for column in LISTS}
        for _ in range(2 if name == "fit" else 1):
            rows.append({**petition, **cells, "id": next(ids[name]), "group": f"g{k}", "official_reply": ""})
    public = [row for row in rows if row["category_l1"] in PUBLIC_CATEGORIES]
    others = [row for row in rows if row["category_l1"] not in PUBLIC_CATEGORIES]
    _write(folder / "messages_labelled.csv", ["id", "title", "text", "category_l1", "group"], public)
    _write(folder / "messages_unlabelled.csv", ["id", "title", "text", "official_reply", "group"], others)
    _write(folder / "annotations.csv", ["id", *HEADS, *LISTS, "appeals"], rows)
    return folder


@pytest.fixture(scope="session")
def tiny_run(tiny_data, tmp_path_factory) -> Path:
    """A finished fine-tuning run of an encoder of two narrow layers, from scratch."""
    from rich.console import Console

    from nlp.petition import Petition
    from nlp.prepare import prepare
    from training.classifier import FinetuneSettings
    from training.finetune import finetune
    from training.vocabulary import train_vocabulary

    folder = tmp_path_factory.mktemp("run")
    texts = [prepare(Petition(title=p["title"], text=p["text"])).text for p in _petitions()]
    train_vocabulary(texts, n_pieces=2500, min_character_count=1).save(str(folder / "pieces.json"))
    settings = FinetuneSettings(
        data=tiny_data,
        tokenizer=folder / "pieces.json",
        written=False,
        window=64,
        max_windows=2,
        train_windows=1,
        width=32,
        n_layers=2,
        n_heads=1,
        epochs=4,
        learning_rate=2e-3,
        head_learning_rate=5e-3,
    )
    return finetune(settings, run=folder / "run", console=Console(quiet=True))


@pytest.fixture(scope="session")
def tiny_bundle(tiny_data, tiny_run, tmp_path_factory) -> Path:
    """The bundle of `tiny_run`, as a maintainer would export it."""
    from rich.console import Console

    from training.export import export_bundle

    out = tmp_path_factory.mktemp("bundle") / "tiny"
    return export_bundle(tiny_run, out, data=tiny_data, console=Console(quiet=True))


def _petitions() -> list[dict]:
    path = DATASETS / "samples" / "petitions.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _free_ids(split: str) -> list[str]:
    """Return ids of `split` that have no label in the repository, so ours are the only ones."""
    with (DATASETS / "annotations" / "first_reading.csv").open(encoding="utf-8", newline="") as file:
        taken = {row["id"] for row in csv.DictReader(file)}
    with (DATASETS / "annotations" / "splits.csv").open(encoding="utf-8", newline="") as file:
        return sorted(row["id"] for row in csv.DictReader(file) if row["split"] == split and row["id"] not in taken)


def _write(path: Path, columns: list[str], rows: list[dict]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
