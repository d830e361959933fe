"""The classifier: pooling against a naive computation, texts that do not feel their neighbours, checkpoints."""

import numpy as np
import pytest
import torch

from nlp.petition import HEADS
from nlp.tokenise import PieceTokeniser
from training.model import (
    EncoderSettings,
    MaskedLanguageModel,
    PetitionClassifier,
    WindowBatch,
    load_encoder,
    new_encoder,
)

SHAPE = EncoderSettings(width=16, n_layers=2, n_heads=2, max_pieces=32)
N_LABELS = {head: 3 + i for i, head in enumerate(HEADS)}


@pytest.fixture(scope="module")
def model(tokenizer) -> PetitionClassifier:
    torch.manual_seed(0)
    encoder = new_encoder(SHAPE, n_pieces=tokenizer.get_vocab_size())
    return PetitionClassifier(encoder, N_LABELS, n_public=7, n_flags=2).eval()


@pytest.fixture(scope="module")
def windows(texts, tokenizer):
    tokeniser = PieceTokeniser(tokenizer, window=24, max_windows=3)
    return [tokeniser.windows(text).ids for text in [texts[0], "停电", *texts[1:6], ""]]


@torch.inference_mode()
def naive_vector(model: PetitionClassifier, text) -> np.ndarray:
    """Pool one text window by window, in float64, without padding or batches."""
    hidden, scores = [], []
    for window in text:
        output = model.encoder(input_ids=torch.tensor([window])).last_hidden_state[0]
        hidden.append(output.double().numpy())
        scores.append(model.attention(output).squeeze(-1).double().numpy())
    pieces, score = np.concatenate(hidden), np.concatenate(scores)
    weight = np.exp(score) / np.exp(score).sum()
    return np.concatenate([pieces.mean(0), weight @ pieces])


@torch.inference_mode()
def test_pooling_over_windows_equals_a_naive_computation(model, windows):
    assert max(map(len, windows)) == 3
    vectors = model.embed(WindowBatch.of(windows)).numpy()
    for row, text in enumerate(windows):
        assert vectors[row] == pytest.approx(naive_vector(model, text), abs=2e-5)


@torch.inference_mode()
def test_logits_do_not_depend_on_the_neighbours_in_a_batch(model, windows):
    together = model(WindowBatch.of(windows))
    backwards = model(WindowBatch.of(windows[::-1]))
    for row, text in enumerate(windows):
        alone = model(WindowBatch.of([text]))
        for head, logits in alone.items():
            assert together[head][row].numpy() == pytest.approx(logits[0].numpy(), abs=2e-5)
            assert backwards[head][-1 - row].numpy() == pytest.approx(logits[0].numpy(), abs=2e-5)


@torch.inference_mode()
def test_a_neighbour_with_huge_attention_scores_does_no_harm(model, windows):
    strong = PetitionClassifier(model.encoder, N_LABELS, n_public=7, n_flags=2).eval()
    strong.attention.weight.mul_(500)
    logits = strong(WindowBatch.of(windows))
    assert all(torch.isfinite(values).all() for values in logits.values())


def test_every_head_has_its_number_of_outputs(model, windows):
    sizes = {name: tuple(logits.shape) for name, logits in model(WindowBatch.of(windows[:2])).items()}
    assert sizes == {**{head: (2, n) for head, n in N_LABELS.items()}, "public": (2, 7), "flags": (2, 2)}


def test_a_batch_keeps_every_window_and_whose_it_is():
    batch = WindowBatch.of([[[2, 7, 3]], [[2, 8, 9, 3], [2, 3]]])
    assert batch.pieces.tolist() == [[2, 7, 3, 0], [2, 8, 9, 3], [2, 3, 0, 0]]
    assert batch.mask.tolist() == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 0]]
    assert (batch.owner.tolist(), batch.n_texts) == ([0, 1, 1], 2)


@torch.inference_mode()
def test_the_masked_language_model_reads_only_the_masked_places():
    torch.manual_seed(1)
    model = MaskedLanguageModel(new_encoder(SHAPE, n_pieces=50)).eval()
    pieces = torch.randint(5, 50, (2, 9))
    positions, targets = torch.tensor([3, 12]), torch.tensor([7, 8])
    hidden = model.encoder(input_ids=pieces).last_hidden_state
    embeddings = model.encoder.embeddings.word_embeddings.weight
    logits = model.transform(hidden) @ embeddings.T + model.bias
    expected = torch.nn.functional.cross_entropy(torch.stack([logits[0, 3], logits[1, 3]]), targets)
    assert float(model(pieces, positions, targets)) == pytest.approx(float(expected), abs=1e-5)


def test_an_encoder_is_saved_and_loaded_with_the_same_answers(model, windows, tmp_path):
    model.encoder.save_pretrained(tmp_path)
    loaded = load_encoder(tmp_path, dropout=0.3).eval()
    pieces = torch.tensor([windows[0][0]])
    with torch.inference_mode():
        assert torch.equal(
            loaded(input_ids=pieces).last_hidden_state, model.encoder(input_ids=pieces).last_hidden_state
        )
    assert loaded.config.hidden_dropout_prob == 0.3
