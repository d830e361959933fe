"""The notebooks run from top to bottom on small data, and are committed without outputs."""

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="notebooks need the dev extra")
nbclient = pytest.importorskip("nbclient", reason="notebooks need the dev extra")

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


def test_there_are_five():
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(path):
    for cell in read(path).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.slow
@pytest.mark.timeout(1200)
# Jupyter's own libraries warn of each other; nothing of it is ours to mend.
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_on_small_data(path, tiny_data, tiny_run, tiny_bundle, tmp_path):
    book = read(path)
    client = nbclient.NotebookClient(
        book, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute(
        env={
            **os.environ,
            "PETITION_DATA": str(tiny_data),
            "PETITION_RUN": str(tiny_run),
            "PETITION_BUNDLE": str(tiny_bundle),
            "PETITION_PRETRAIN": str(tmp_path),
            "PETITION_STEPS": "8",
            "PETITION_DRAWS": "20",
            "OMP_NUM_THREADS": "1",
        }
    )
    shown = "".join(str(output) for cell in book.cells if cell.cell_type == "code" for output in cell.outputs)
    assert "Traceback" not in shown
    assert any(kind in shown for kind in ("text/html", "image/svg+xml"))
