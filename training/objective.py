"""What fine-tuning minimises: the heads' losses over the rows that carry a label, and ways to make the task harder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nlp.petition import HEADS
from training.classifier import FinetuneSettings
from training.data import MISSING
from training.model import PetitionClassifier, WindowBatch
from training.vocabulary import SPECIAL_PIECES


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is known of some texts: label indices (texts,) per head, flags (texts, flags), MISSING where unknown."""

    labels: Mapping[str, Tensor]
    flags: Tensor

    def of(self, rows: NDArray[np.int64]) -> "Truth":
        """Return the truth of some rows."""
        return Truth(labels={head: labels[rows] for head, labels in self.labels.items()}, flags=self.flags[rows])


class Objective:
    """The loss of a recipe for one model; class weights come from the labels it is to learn."""

    def __init__(self, model: PetitionClassifier, settings: FinetuneSettings, truth: Truth) -> None:
        """Weigh the classes of `truth` as `settings` say."""
        self._model = model
        self._settings = settings
        power = settings.class_balance
        self._weights = {head: class_weights(labels.numpy(), power=power) for head, labels in truth.labels.items()}

    def backward(self, batch: WindowBatch, truth: Truth) -> float:
        """Add the gradients of one batch to the model's and return its loss."""
        if self._settings.piece_dropout:
            batch = hide(batch, self._settings.piece_dropout)
        loss = self._loss(batch, truth)
        torch.autograd.backward(loss)
        if self._settings.adversarial:
            attack(self._model, lambda: self._loss(batch, truth), size=self._settings.adversarial)
        return float(loss.detach())

    def _loss(self, batch: WindowBatch, truth: Truth) -> Tensor:
        """Return the loss of one batch; with R-Drop of two passes and their disagreement."""
        settings = self._settings
        passes = [self._model(batch) for _ in range(2 if settings.r_drop else 1)]
        losses = [
            label_loss(logits, truth.labels, self._weights, settings)
            + settings.flag_weight * flag_loss(logits["flags"], truth.flags)
            for logits in passes
        ]
        if not settings.r_drop:
            return losses[0]
        return (losses[0] + losses[1]) / 2 + settings.r_drop * disagreement(*passes)


def class_weights(labels: NDArray[np.int64], *, power: float) -> dict[int, float]:
    """Return loss weights per class, frequency to the minus `power`, averaging 1 over the labelled rows."""
    known = labels[labels != MISSING]
    classes, counts = np.unique(known, return_counts=True)
    raw = (counts / max(1, len(known))) ** -power
    mean = float((raw * counts).sum() / max(1, len(known))) or 1.0
    return {int(c): float(w / mean) for c, w in zip(classes, raw, strict=True)}


def label_loss(
    logits: Mapping[str, Tensor],
    truth: Mapping[str, Tensor],
    weights: Mapping[str, Mapping[int, float]],
    settings: FinetuneSettings,
) -> Tensor:
    """Sum the heads' losses over the rows that carry their label; class weights as given by `class_weights`."""
    parts = []
    for head, target in truth.items():
        known = target != MISSING
        if not known.any():
            continue
        weight = torch.tensor([weights[head][int(t)] for t in target[known]])
        losses = torch.nn.functional.cross_entropy(
            logits[head][known], target[known], label_smoothing=settings.label_smoothing, reduction="none"
        )
        share = settings.public_weight if head == "public" else 1.0
        parts.append(share * (losses * weight).mean())
    # A batch of texts that teach flags alone has no part.
    return torch.stack(parts).sum() if parts else logits["flags"].sum() * 0.0


def flag_loss(logits: Tensor, flags: Tensor) -> Tensor:
    """Return the mean binary cross-entropy over the flags that were looked for; 0 where there are none."""
    known = flags != MISSING
    if not known.any():
        return logits.sum() * 0.0
    return torch.nn.functional.binary_cross_entropy_with_logits(logits[known], flags[known].float())


def disagreement(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> Tensor:
    """Return the symmetric Kullback-Leibler divergence of two passes, summed over the served heads."""
    parts = []
    for head in HEADS:
        p, q = first[head].log_softmax(-1), second[head].log_softmax(-1)
        parts.append(((p.exp() - q.exp()) * (p - q)).sum(-1).mean() / 2)
    return torch.stack(parts).sum()


def hide(batch: WindowBatch, share: float) -> WindowBatch:
    """Return the batch with a random `share` of its pieces, never the special ones, behind [MASK]."""
    hidden = (torch.rand(batch.pieces.shape) < share) & (batch.pieces >= len(SPECIAL_PIECES))
    return replace(batch, pieces=batch.pieces.masked_fill(hidden, SPECIAL_PIECES.index("[MASK]")))


def attack(model: PetitionClassifier, objective: Callable[[], Tensor], *, size: float) -> None:
    """Add the gradients of a pass in which the piece embeddings stand one step of `size` up the loss."""
    embeddings = cast(nn.Embedding, model.encoder.get_input_embeddings()).weight
    gradient = embeddings.grad
    if gradient is None or not (norm := float(gradient.norm())):
        return
    step = size * gradient / norm
    with torch.no_grad():
        embeddings.add_(step)
    torch.autograd.backward(objective())
    with torch.no_grad():
        embeddings.sub_(step)
