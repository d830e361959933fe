"""What the tests of training share: texts written by us in the folder layouts of the real ones, and tiny models."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import zstandard
from tokenizers import Tokenizer

from nlp.petition import Petition
from nlp.prepare import prepare
from nlp.taxonomy import load_taxonomy
from nlp.taxonomy.records import SEPARATOR
from training.data import Example
from training.vocabulary import train_vocabulary

SAMPLES = Path(__file__).parents[2] / "datasets/samples/petitions.jsonl"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Keep tiny models on one thread: several waste their time waiting for each other on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def rows() -> list[dict[str, Any]]:
    """Petitions written by us, with labels of all heads."""
    return [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def examples(rows) -> list[Example]:
    """The same as training sees them."""
    return [
        Example(
            id=row["id"],
            petition=Petition(id=row["id"], title=row["title"], text=row["text"]),
            group=row["id"],
            source="written",
            labels={
                "category_l1": row["category_l1"],
                "category_l2": f"{row['category_l1']}{SEPARATOR}{row['category_l2']}",
                "nature": row["nature"],
                "channel": row["channel"],
                "department": row["department"],
            },
        )
        for row in rows
    ]


@pytest.fixture(scope="session")
def taxonomy():
    return load_taxonomy()


@pytest.fixture(scope="session")
def texts(rows) -> list[str]:
    return [prepare(Petition(title=row["title"], text=row["text"])).text for row in rows]


@pytest.fixture(scope="session")
def tokenizer(texts) -> Tokenizer:
    return train_vocabulary(texts, n_pieces=3000, min_character_count=2)


@pytest.fixture(scope="session")
def tokenizer_file(tokenizer, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("vocabulary") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture(scope="session")
def data_folder(rows, tmp_path_factory) -> Path:
    """A folder like shared/data: 100 labelled and the other messages unlabelled, some with a reply."""
    folder = tmp_path_factory.mktemp("data")
    labelled, unlabelled = rows[:100], rows[100:]
    _write_csv(
        folder / "messages_labelled.csv",
        [
            {key: row[key] for key in ("id", "title", "text", "category_l1")} | {"group": f"g{row['id']}"}
            for row in labelled
        ],
    )
    _write_csv(
        folder / "messages_unlabelled.csv",
        [
            {key: row[key] for key in ("id", "title", "text")}
            | {"official_reply": f"您反映的{row['title']}已转有关单位办理。" if i % 2 else "", "group": f"g{row['id']}"}
            for i, row in enumerate(unlabelled)
        ],
    )
    _write_csv(folder / "annotations.csv", [_annotation(row) for row in rows[60:140]])
    return folder


@pytest.fixture(scope="session")
def corpus_folder(rows, tmp_path_factory) -> Path:
    """A folder like shared/corpus: one compressed file, one document per line."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = "".join(f"第{i}号通报：{row['title']}，请有关单位核实办理。\n" for i, row in enumerate(rows))
    (folder / "notices.txt.zst").write_bytes(zstandard.ZstdCompressor().compress(lines.encode()))
    return folder


def _annotation(row: dict[str, Any]) -> dict[str, Any]:
    lists = {key: ";".join(row[key]) for key in ("channel_alternatives", "department_co", "review_flags")}
    kept = ("id", "category_l1", "category_l2", "nature", "channel", "department", "appeals")
    return {key: row[key] for key in kept} | lists


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
