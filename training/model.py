"""The encoder and its heads.

One shared BERT-type encoder (Devlin et al. 2019) reads a text in windows; mean and attention pooling turn the pieces
of all windows into one vector, and one linear head per label system reads it. A Hugging Face checkpoint folder can
stand in for our own encoder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, BertConfig, BertModel, PreTrainedModel

from nlp.petition import HEADS, Head


@dataclass(frozen=True, kw_only=True)
class EncoderSettings:
    """Shape of an encoder trained from scratch. Head width 64 keeps the matrix products in good shape."""

    width: int = 256
    n_layers: int = 4
    n_heads: int = 4
    dropout: float = 0.1
    max_pieces: int = 256


def new_encoder(settings: EncoderSettings, *, n_pieces: int) -> BertModel:
    """Return a freshly initialised encoder for a vocabulary of `n_pieces` pieces."""
    return BertModel(
        BertConfig(
            vocab_size=n_pieces,
            hidden_size=settings.width,
            num_hidden_layers=settings.n_layers,
            num_attention_heads=settings.n_heads,
            intermediate_size=4 * settings.width,
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=settings.dropout,
            max_position_embeddings=settings.max_pieces,
            type_vocab_size=1,
        ),
        add_pooling_layer=False,
    )


def load_encoder(folder: Path, *, dropout: float | None = None) -> PreTrainedModel:
    """Load an encoder from a folder in Hugging Face form: one of ours or a published checkpoint."""
    changes = {} if dropout is None else {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    config = AutoConfig.from_pretrained(folder, local_files_only=True, **changes)
    extra = {"add_pooling_layer": False} if config.model_type == "bert" else {}
    model: PreTrainedModel = AutoModel.from_pretrained(folder, config=config, local_files_only=True, **extra)
    return model


class MaskedLanguageModel(nn.Module):
    """Encoder plus the output layer of masked language modelling, tied to the piece embeddings."""

    def __init__(self, encoder: BertModel) -> None:
        """Wrap `encoder`."""
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(encoder.config.vocab_size))

    def forward(self, pieces: Tensor, positions: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy at the masked places.

        `pieces` (batch, length) holds ids; `positions` (n,) are flat indices of masked places; `targets` (n,) the ids
        that stood there. Only masked places pass the output layer, which is most of its cost.
        """
        hidden = self.encoder(input_ids=pieces).last_hidden_state
        chosen = self.transform(hidden.flatten(0, 1)[positions])
        logits = nn.functional.linear(chosen, self.encoder.embeddings.word_embeddings.weight, self.bias)
        return nn.functional.cross_entropy(logits.float(), targets)


@dataclass(frozen=True, kw_only=True)
class WindowBatch:
    """The windows of several texts as rows.

    `pieces` and `mask` have shape (windows, length); `owner` (windows,) says which text a row belongs to.
    """

    pieces: Tensor
    mask: Tensor
    owner: Tensor
    n_texts: int

    @classmethod
    def of(cls, texts: Sequence[Sequence[Sequence[int]]]) -> "WindowBatch":
        """Pad the windows of `texts` (texts, windows, ids) to one length; the padding id is 0."""
        rows = [(index, window) for index, windows in enumerate(texts) for window in windows]
        length = max(len(window) for _, window in rows)
        pieces = torch.zeros((len(rows), length), dtype=torch.long)
        mask = torch.zeros((len(rows), length), dtype=torch.long)
        for row, (_, window) in enumerate(rows):
            pieces[row, : len(window)] = torch.as_tensor(window)
            mask[row, : len(window)] = 1
        owner = torch.as_tensor([index for index, _ in rows])
        return cls(pieces=pieces, mask=mask, owner=owner, n_texts=len(texts))


class PetitionClassifier(nn.Module):
    """Encoder, pooling over all windows of a text, and one linear head per label system."""

    def __init__(
        self,
        encoder: PreTrainedModel,
        n_labels: Mapping[Head, int],
        *,
        n_public: int,
        n_flags: int,
        dropout: float = 0.1,
    ) -> None:
        """Put heads of `n_labels[head]` outputs on `encoder`, `n_flags` yes-or-no outputs, and an auxiliary head."""
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.attention = nn.Linear(width, 1)
        self.dropout = nn.Dropout(dropout)
        # Mean and attention pooling side by side: what it is all about, and the place that says it.
        sizes: dict[str, int] = {**{head: n_labels[head] for head in HEADS}, "public": n_public, "flags": n_flags}
        self.heads = nn.ModuleDict({name: nn.Linear(2 * width, size) for name, size in sizes.items()})

    def read(self, pieces: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return piece vectors (windows, length, width) and attention scores (windows, length) before the softmax."""
        hidden = self.encoder(input_ids=pieces, attention_mask=mask).last_hidden_state
        return hidden, self.attention(hidden).squeeze(-1)

    def embed(self, batch: WindowBatch) -> Tensor:
        """Return one vector (texts, 2 * width) per text: mean and attention-weighted mean over all its pieces."""
        hidden, scores = self.read(batch.pieces, batch.mask)
        keep = batch.mask.to(hidden.dtype)
        # Each text's own highest score keeps exp() in range and cancels in its sum.
        highest = scores.masked_fill(batch.mask == 0, -torch.inf).amax(1).detach()
        shift = highest.new_full((batch.n_texts,), -torch.inf).scatter_reduce(0, batch.owner, highest, "amax")
        weight = (scores - shift[batch.owner, None]).masked_fill(batch.mask == 0, -torch.inf).exp()
        sums = hidden.new_zeros((batch.n_texts, 2 * hidden.shape[-1]))
        both = torch.cat([(hidden * keep.unsqueeze(-1)).sum(1), (hidden * weight.unsqueeze(-1)).sum(1)], dim=-1)
        sums = sums.index_add(0, batch.owner, both)
        counts = hidden.new_zeros(batch.n_texts).index_add(0, batch.owner, keep.sum(1))
        totals = hidden.new_zeros(batch.n_texts).index_add(0, batch.owner, weight.sum(1))
        width = hidden.shape[-1]
        return torch.cat([sums[:, :width] / counts[:, None], sums[:, width:] / totals[:, None]], dim=-1)

    def forward(self, batch: WindowBatch) -> dict[str, Tensor]:
        """Return the logits (texts, labels) of every head."""
        vector = self.dropout(self.embed(batch))
        return {name: head(vector) for name, head in self.heads.items()}
