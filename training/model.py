"""The encoder and its heads.

One shared BERT-type encoder (Devlin et al. 2019) reads a text in windows; attention pooling turns the pieces of all
windows into one vector, and one linear head per label system reads it. A Hugging Face checkpoint folder can stand in
for our own encoder.
"""

from collections.abc import Mapping
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


class PetitionClassifier(nn.Module):
    """Encoder, attention pooling and one linear head per label system."""

    def __init__(self, encoder: PreTrainedModel, n_labels: Mapping[Head, int], *, dropout: float = 0.1) -> None:
        """Put heads of `n_labels[head]` outputs on `encoder`."""
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.attention = nn.Linear(width, 1)
        self.dropout = nn.Dropout(dropout)
        # Concatenating mean and attention pooling costs nothing and keeps both "what is it all about" and "the key place".
        self.heads = nn.ModuleDict({head: nn.Linear(2 * width, n_labels[head]) for head in HEADS})

    def embed(self, pieces: Tensor, mask: Tensor) -> Tensor:
        """Return one vector (batch, 2 * width) per row of `pieces` (batch, length); `mask` is 1 on real pieces."""
        hidden = self.encoder(input_ids=pieces, attention_mask=mask).last_hidden_state
        keep = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * keep).sum(1) / keep.sum(1)
        scores = self.attention(hidden).masked_fill(keep == 0, torch.finfo(hidden.dtype).min)
        return torch.cat([mean, (scores.softmax(1) * hidden).sum(1)], dim=-1)

    def forward(self, pieces: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of every head in the order of `HEADS`, each (batch, labels)."""
        vector = self.dropout(self.embed(pieces, mask))
        return tuple(self.heads[head](vector) for head in HEADS)
