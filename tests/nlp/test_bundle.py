"""A bundle is loaded whole or refused with a clear reason."""

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlp.bundle import DEFAULT, FILES, SUMS, load_bundle, sha256, write_sums
from nlp.errors import BundleError
from nlp.petition import HEADS
from nlp.taxonomy import Taxonomy, load_taxonomy


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy of the bundled default, to be damaged."""
    return Path(shutil.copytree(DEFAULT, tmp_path / "copy"))


def refused(folder: Path, taxonomy: Taxonomy, match: str, *, open_it: bool = False) -> None:
    with pytest.raises(BundleError, match=match):
        load_bundle(folder, taxonomy).runtime(n_threads=1) if open_it else load_bundle(folder, taxonomy)


def change_json(folder: Path, name: str, change) -> None:
    """Alter one JSON file and seal the folder again, as a careless person would."""
    path = folder / name
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    write_sums(folder)


def change_arrays(folder: Path, name: str, **changed) -> None:
    with np.load(folder / name) as arrays:
        content = {key: arrays[key] for key in arrays.files}
    np.savez(folder / name, **{key: value for key, value in {**content, **changed}.items() if value is not None})
    write_sums(folder)


def test_the_bundled_default_loads_and_describes_itself(taxonomy):
    bundle = load_bundle(None, taxonomy)
    assert bundle.folder == DEFAULT
    assert bundle.id == f"default-{sha256(DEFAULT / SUMS)[:10]}"
    assert "许可" in bundle.card or "licence" in bundle.card.lower() or "license" in bundle.card.lower()
    assert bundle.metrics
    assert bundle.settings
    assert bundle.calibration().labels == taxonomy.labels
    assert bundle.decision_thresholds().budget == bundle.thresholds["budget"]


def test_the_bundled_default_is_small():
    assert sum(path.stat().st_size for path in DEFAULT.iterdir()) <= 25 * 2**20


def test_the_id_changes_with_the_content(folder, taxonomy):
    before = load_bundle(folder, taxonomy).id
    (folder / "card.md").write_text("另一张卡", encoding="utf-8")
    write_sums(folder)
    after = load_bundle(folder, taxonomy).id
    assert before != after
    assert before.startswith("copy-")


def test_a_folder_that_is_not_there_is_refused(tmp_path, taxonomy):
    refused(tmp_path / "none", taxonomy, "no bundle at .*none: a folder with model.onnx")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder, taxonomy, name):
    (folder / name).unlink()
    refused(folder, taxonomy, f"{name} is missing")


def test_without_checksums_nothing_is_trusted(folder, taxonomy):
    (folder / SUMS).unlink()
    refused(folder, taxonomy, "SHA256SUMS is missing, the bundle cannot be verified")


@pytest.mark.parametrize("name", FILES)
def test_one_altered_byte_is_noticed(folder, taxonomy, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    refused(folder, taxonomy, f"{name} does not match its checksum")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"no sums here\n"])
def test_broken_checksums_are_noticed(folder, taxonomy, content):
    (folder / SUMS).write_bytes(content)
    refused(folder, taxonomy, "model.onnx does not match its checksum")


def test_another_taxonomy_is_refused_with_both_versions(folder, taxonomy):
    other = replace(taxonomy, content_hash="000000000000")
    refused(folder, other, rf"was made for taxonomy {taxonomy.version.replace('+', '.')}, this program has 1.0.0{{12}}")


@pytest.mark.parametrize("head", HEADS)
def test_labels_in_another_order_are_refused(folder, taxonomy, head):
    def swap(content):
        first, second, *others = content["labels"][head]
        content["labels"][head] = [second, first, *others]
        return content

    change_json(folder, "labels.json", swap)
    refused(folder, taxonomy, f"the labels of head {head} are not the taxonomy's")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("labels.json", lambda content: {"labels": content["labels"]}),
        ("labels.json", lambda _: []),
        ("labels.json", lambda content: content | {"labels": {}}),
        ("calibration.json", lambda _: {}),
        ("calibration.json", lambda content: content | {"nature": {"encoder": 1.0}}),
        ("calibration.json", lambda content: content | {"nature": {"encoder": -1.0, "linear": 1.0}}),
        ("calibration.json", lambda content: content | {"nature": {"encoder": "1", "linear": 1.0}}),
        ("thresholds.json", lambda _: {}),
        ("thresholds.json", lambda content: content | {"joint": -1}),
        ("thresholds.json", lambda content: content | {"joint": 0}),
        ("thresholds.json", lambda content: content | {"joint": "0.9"}),
        ("thresholds.json", lambda content: content | {"other_budgets": {"0.05": 0}}),
        ("thresholds.json", lambda content: content | {"other_budgets": {"0.05": 2}}),
        ("thresholds.json", lambda content: content | {"other_budgets": {"five": 0.9}}),
        ("thresholds.json", lambda content: content | {"budget": 0.05, "other_budgets": {"0.050": 0.9}}),
        ("thresholds.json", lambda content: content | {"needed": []}),
        ("thresholds.json", lambda content: content | {"needed": ["mood"]}),
        ("thresholds.json", lambda content: content | {"budget": 5}),
        ("thresholds.json", lambda content: content | {"surprise": 1}),
    ],
)
def test_content_that_makes_no_sense_is_refused_even_with_good_sums(folder, taxonomy, name, change):
    change_json(folder, name, change)
    refused(folder, taxonomy, f"{name} does not fit this program")


@pytest.mark.parametrize("name", ["labels.json", "calibration.json", "thresholds.json"])
def test_a_file_that_is_no_json_is_refused(folder, taxonomy, name):
    (folder / name).write_text("{", encoding="utf-8")
    write_sums(folder)
    refused(folder, taxonomy, f"{name} does not fit this program")


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "heads.npz", "linear.npz"])
def test_a_part_that_is_something_else_is_refused_when_it_is_opened(folder, taxonomy, name):
    (folder / name).write_text("nonsense", encoding="utf-8")
    write_sums(folder)
    refused(folder, taxonomy, name, open_it=True)


@pytest.mark.parametrize("window", [{}, {"pieces": 2, "max_windows": 1}, {"pieces": 64, "max_windows": 0}])
def test_windows_that_make_no_sense_are_refused(folder, taxonomy, window):
    change_json(folder, "labels.json", lambda content: content | {"window": window})
    refused(folder, taxonomy, r"does not fit this program", open_it=True)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("heads.npz", {"nature_bias": np.zeros(3, dtype=np.float32)}),
        ("heads.npz", {"nature_bias": None}),
        ("linear.npz", {"idf": np.zeros(3, dtype=np.float32)}),
        ("linear.npz", {"channel_scale": np.zeros(2, dtype=np.float32)}),
    ],
)
def test_weights_that_do_not_fit_the_labels_are_refused(folder, taxonomy, name, change):
    change_arrays(folder, name, **change)
    refused(folder, taxonomy, f"{name} does not fit this program", open_it=True)


def test_heads_of_another_width_than_the_encoder_are_refused(folder, taxonomy):
    n_labels = len(taxonomy.labels["nature"])
    change_arrays(folder, "heads.npz", nature_weight=np.zeros((6, n_labels), dtype=np.float32))
    refused(folder, taxonomy, r"model\.onnx gives vectors of width \d+, the weights of nature need", open_it=True)


class Planted:
    """Runs code when it is unpickled."""

    done = False

    def __reduce__(self):
        return (setattr, (Planted, "done", True))


@pytest.mark.parametrize("name", ["heads.npz", "linear.npz"])
def test_no_pickle_is_ever_loaded(folder, taxonomy, name):
    planted = np.empty(1, dtype=object)
    planted[0] = Planted()
    with np.load(folder / name) as arrays:
        content = {key: arrays[key] for key in arrays.files}
    np.savez(folder / name, **content | {"nature_bias": planted})
    write_sums(folder)
    refused(folder, taxonomy, f"{name} does not fit this program.*allow_pickle", open_it=True)
    (folder / name).write_bytes(pickle.dumps(Planted()))
    write_sums(folder)
    refused(folder, taxonomy, f"{name} does not fit this program", open_it=True)
    assert not Planted.done
