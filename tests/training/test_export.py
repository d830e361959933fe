"""From a run to a bundle: what serves gives what was trained."""

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from rich.console import Console
from tokenizers import Tokenizer

from nlp.bundle import load_bundle
from nlp.calibrate import softmax
from nlp.ngrams import NgramVocabulary
from nlp.petition import HEADS, Petition
from nlp.router import Router
from nlp.tokenise import PieceTokeniser
from training.classifier import FinetuneSettings, classifier_logits, load_run
from training.export import ServedEncoder, _write_linear, export_bundle, export_encoder, seal
from training.finetune import finetune
from training.linear import LinearBranch
from training.settings import RecipeError

QUIET = Console(quiet=True)
pytestmark = pytest.mark.filterwarnings(
    # torch's exporter and onnxruntime's quantiser use what their own dependencies have marked as old.
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    # Our 110 texts have nearly as many second-level classes.
    "ignore:The number of unique classes is greater than 50%:UserWarning",
)


@pytest.fixture(scope="module")
def settings(tokenizer_file, data_folder) -> FinetuneSettings:
    return FinetuneSettings(
        data=data_folder,
        tokenizer=tokenizer_file,
        window=64,
        max_windows=2,
        width=32,
        n_layers=2,
        n_heads=2,
        epochs=2,
        learning_rate=3e-3,
        head_learning_rate=5e-3,
    )


@pytest.fixture(scope="module")
def dealt(examples):
    return {
        "fit": examples[:110],
        "calibration": examples[110:140],
        "thresholds": examples[140:160],
        "test": examples[160:],
    }


@pytest.fixture(scope="module")
def run(settings, dealt, tmp_path_factory):
    return finetune(settings, run=tmp_path_factory.mktemp("run"), console=QUIET, dealt=dealt)


@pytest.fixture(scope="module")
def model(run, taxonomy):
    return load_run(run, taxonomy).model


@pytest.fixture(scope="module")
def exact(run, settings, dealt, tmp_path_factory):
    """The bundle with fp32 weights."""
    out = tmp_path_factory.mktemp("exact") / "bundle"
    return export_bundle(run, out, data=settings.data, console=QUIET, quantise=False, dealt=dealt)


@pytest.fixture(scope="module")
def small(model, exact, tmp_path_factory):
    """The same bundle with int8 weights."""
    out = tmp_path_factory.mktemp("small")
    for path in exact.iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    export_encoder(model, out / "model.onnx", quantise=True)
    seal(out)
    return out


def torch_logits(model, settings, texts):
    tokeniser = PieceTokeniser(
        Tokenizer.from_file(str(settings.tokenizer_file)), window=settings.window, max_windows=settings.max_windows
    )
    return classifier_logits(model, tokeniser, texts)


@pytest.mark.parametrize("length", [2, 3, 17, 64])
def test_the_exported_encoder_gives_torchs_hidden_states(model, exact, length):
    pieces = torch.randint(5, 300, (1, length))
    with torch.inference_mode():
        expected = ServedEncoder(model)(pieces)
    session = onnxruntime.InferenceSession(str(exact / "model.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(None, {"pieces": pieces.numpy()})
    for ours, torchs in zip(found, expected, strict=True):
        assert ours.shape == tuple(torchs.shape)
        assert np.abs(ours - torchs.numpy()).max() < 1e-5


def test_the_runtime_reads_the_torch_classifiers_logits(model, settings, exact, texts, taxonomy):
    runtime = load_bundle(exact, taxonomy).runtime(n_threads=1)
    sample = [*texts[:40], texts[0] * 3, "停"]
    expected = torch_logits(model, settings, sample)
    for row, text in enumerate(sample):
        found = runtime.read(text).encoder
        for head in HEADS:
            assert found[head] == pytest.approx(expected[head][row], abs=1e-4)
            assert softmax(found[head]) == pytest.approx(softmax(expected[head][row]), abs=1e-3)


def test_a_run_made_for_other_flags_and_a_folder_that_is_no_run_are_refused(run, taxonomy, tmp_path, monkeypatch):
    with pytest.raises(RecipeError, match="is no fine-tuning run"):
        load_run(tmp_path, taxonomy)
    monkeypatch.setattr("training.classifier.LEARNED", ("self_harm",))
    with pytest.raises(RecipeError, match="was made for the flags"):
        load_run(run, taxonomy)


def test_the_runtimes_linear_branch_is_the_fitted_one_up_to_int8_steps(exact, texts, taxonomy, dealt):
    from training.linear import feature_matrix, fit_linear_branch

    branch = fit_linear_branch(dealt["fit"], taxonomy)
    runtime = load_bundle(exact, taxonomy).runtime(n_threads=1)
    expected = branch.scores(feature_matrix(texts[:20], branch.vocabulary))
    for row, text in enumerate(texts[:20]):
        for head, scores in runtime.read(text).linear.items():
            assert scores == pytest.approx(expected[head][row], abs=0.02)


def test_int8_weights_load_are_smaller_and_stay_close(small, exact, texts, taxonomy):
    assert (small / "model.onnx").stat().st_size < 0.5 * (exact / "model.onnx").stat().st_size
    int8, fp32 = (load_bundle(folder, taxonomy).runtime(n_threads=1) for folder in (small, exact))
    for text in texts[:30]:
        ours, reference = int8.read(text).encoder, fp32.read(text).encoder
        for head in HEADS:
            assert np.corrcoef(ours[head], reference[head])[0, 1] > 0.95


def test_a_bundle_made_here_routes_and_a_split_too_small_lets_nothing_pass(exact, rows):
    router = Router.load(exact, n_threads=1)
    assert router.thresholds.joint is None
    for row in rows[:10]:
        suggestion = router.suggest(Petition(title=row["title"], text=row["text"]))
        assert suggestion.decision.action == "review"
        assert suggestion.bundle_id == router.bundle.id


def test_a_bundle_says_how_it_was_made(exact, settings, taxonomy):
    bundle = load_bundle(exact, taxonomy)
    assert bundle.settings["settings"]["width"] == settings.width
    window = json.loads((exact / "labels.json").read_text())["window"]
    assert window == {"pieces": settings.window, "max_windows": settings.max_windows}


def test_a_fresh_bundle_has_no_figures_and_its_card_says_so(exact, taxonomy):
    bundle = load_bundle(exact, taxonomy)
    assert bundle.metrics == {}
    assert "还没有测过" in bundle.card
    assert "用途与禁用" in bundle.card


def test_an_export_never_writes_into_what_is_there(run, settings, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    (old / "metrics.json").write_text('{"heads": "of another model"}')
    with pytest.raises(RecipeError, match="old is there already"):
        export_bundle(run, old, data=settings.data, console=QUIET)
    assert [path.name for path in tmp_path.rglob("*")] == ["old", "metrics.json"]


def test_an_export_that_fails_leaves_nothing(run, settings, dealt, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("training.export.fit_linear_branch", fail)
    with pytest.raises(MemoryError):
        export_bundle(run, tmp_path / "new", data=settings.data, console=QUIET, quantise=False, dealt=dealt)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_a_missing_part_is_not_sealed(exact, tmp_path):
    (tmp_path / "model.onnx").write_bytes((exact / "model.onnx").read_bytes())
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json.* missing"):
        seal(tmp_path)
    assert not (tmp_path / "SHA256SUMS").exists()


def test_a_label_without_any_weight_survives_the_int8_steps(tmp_path, taxonomy):
    vocabulary = NgramVocabulary(hashes=np.asarray([1, 2], dtype=np.uint32), idf=np.ones(2, dtype=np.float32))
    weights = {head: np.zeros((2, len(taxonomy.labels[head])), dtype=np.float32) for head in HEADS}
    weights["nature"][:, 0] = (0.5, -1.0)
    intercepts = {head: np.zeros(len(taxonomy.labels[head]), dtype=np.float32) for head in HEADS}
    _write_linear(LinearBranch(vocabulary=vocabulary, weights=weights, intercepts=intercepts), tmp_path / "l.npz")
    with np.load(tmp_path / "l.npz") as arrays:
        assert (arrays["nature_weight"][:, 0].tolist(), arrays["nature_weight"][:, 1].tolist()) == ([64, -127], [0, 0])
        assert arrays["nature_scale"][0] == pytest.approx(1 / 127)


def test_settings_of_a_run_are_those_that_were_used(run, settings):
    from training.settings import build

    values = json.loads((run / "settings.json").read_text())
    assert build(FinetuneSettings, values, source="run") == replace(settings)
