"""What the tests of the product's core share."""

import json
from pathlib import Path

import pytest

from nlp.petition import Petition

SAMPLES = Path(__file__).parents[2] / "datasets/samples/petitions.jsonl"


@pytest.fixture(scope="session")
def samples() -> list[Petition]:
    """Petitions written by us."""
    rows = map(json.loads, SAMPLES.read_text(encoding="utf-8").splitlines())
    return [Petition(id=row["id"], title=row["title"], text=row["text"]) for row in rows]
