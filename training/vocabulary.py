"""Build the encoder's vocabulary: characters and frequent jieba words, read by a unigram language model.

Multi-character pieces shorten a Chinese text by about a third, which a small encoder on two CPU cores needs more
than it needs a character-level input; docs/decisions/0003-vocabulary.md has the figures. The pieces' probabilities
are plain corpus frequencies, so a text is cut into its most probable words (Kudo 2018, without the EM steps, which
took more than eight minutes here and change little once jieba has found the words).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

from nlp.privacy import KINDS
from nlp.tokenise import words

SPECIAL_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"[{kind}]" for kind in KINDS))
_ASCII_WORD = re.compile(r"[A-Za-z]+")


def train_vocabulary(
    texts: Iterable[str], *, n_pieces: int, min_character_count: int = 3, max_piece_length: int = 4
) -> Tokenizer:
    """Return a tokenizer of at most `n_pieces` pieces made from normalised `texts`.

    Every character seen `min_character_count` times is a piece while there is room, so hardly anything is unknown; the
    remaining places go to the most frequent words. Digits and punctuation are single pieces and no piece crosses them.
    """
    character_counts: Counter[str] = Counter()
    word_counts: Counter[str] = Counter()
    for text in texts:
        character_counts.update(text.replace("\n", ""))
        word_counts.update(
            word
            for word in words(text)
            if 1 < len(word) <= max_piece_length or (_ASCII_WORD.fullmatch(word) and 1 < len(word) <= 12)
        )
    fixed = list(SPECIAL_PIECES)
    characters = [c for c, n in character_counts.most_common() if n >= min_character_count and not c.isspace()]
    characters = characters[: max(0, n_pieces - len(fixed))]
    usable = [(w, n) for w, n in word_counts.most_common() if not any(c.isdigit() for c in w)]
    chosen = usable[: max(0, n_pieces - len(fixed) - len(characters))]
    total = sum(word_counts.values()) + sum(character_counts.values())
    scored = [(piece, 0.0) for piece in fixed]
    # A character inside a word is also counted on its own, so words win by their own frequency alone.
    scored += [(piece, math.log(character_counts[piece] / total)) for piece in characters]
    scored += [(piece, math.log(n / total)) for piece, n in chosen]
    return _tokenizer(scored)


def _tokenizer(scored: list[tuple[str, float]]) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=SPECIAL_PIECES.index("[UNK]"), byte_fallback=False))
    tokenizer.add_special_tokens(list(SPECIAL_PIECES))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\s+"), "removed"),
            pre_tokenizers.Split(Regex(r"[\u4e00-\u9fff]+|[A-Za-z]+"), "isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Punctuation("isolated"),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(piece, tokenizer.token_to_id(piece)) for piece in ("[CLS]", "[SEP]")],
    )
    return tokenizer
