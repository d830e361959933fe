"""The documents of pre-training.

Reads the general corpora of `../shared/corpus` and the citizen messages of `../shared/data`, cleans them with the
same `normalise` that serving uses, drops duplicates and mixes them by weight.
"""

import csv
import hashlib
import io
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard

from nlp.normalise import normalise
from nlp.petition import Petition
from nlp.prepare import prepare
from training.settings import RecipeError
from training.split import read_splits

MESSAGES = ("messages_labelled.csv", "messages_unlabelled.csv")

_MIN_CHARACTERS = 8
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, kw_only=True)
class CorpusSettings:
    """What goes into the stream.

    In-domain text is taken whole, `in_domain_weight` times (a whole number). What is left of `max_characters` is shared
    among the general corpora in proportion to `weights`, which maps file names (without .txt.zst) to weights. Each is
    read from its first line until its share is used: another run that names it meets the same documents again.
    """

    corpus: Path
    data: Path
    weights: dict[str, float]
    in_domain_weight: float = 4.0
    max_characters: int = 40_000_000
    seed: int = 0


def in_domain_documents(data: Path) -> Iterator[str]:
    """Yield every citizen message and, as a document of its own, every official reply; normalised.

    Messages that calibrate, set thresholds or test stay unseen here too, replies included: what is measured on them
    then holds for the texts of tomorrow.
    """
    splits = read_splits()
    for name in MESSAGES:
        with (data / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if splits.get(row["id"], "fit") != "fit":
                    continue
                yield prepare(Petition(title=row["title"], text=row["text"])).text
                if reply := row.get("official_reply"):
                    yield prepare(Petition(text=reply)).text


def general_documents(corpus: Path, name: str) -> Iterator[str]:
    """Yield the documents of one corpus file, normalised."""
    with (corpus / f"{name}.txt.zst").open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file)
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            yield normalise(line).text


def documents(settings: CorpusSettings) -> Iterator[str]:
    """Yield clean, distinct documents of all sources in a seeded order; in-domain ones come several times.

    Raises RecipeError if a file is missing.
    """
    _check_files(settings)
    rng = random.Random(settings.seed)  # noqa: S311
    pool: list[str] = []
    seen: set[bytes] = set()
    for document in in_domain_documents(settings.data):
        if _is_new(document, seen):
            pool.extend([document] * int(settings.in_domain_weight))
    n_characters = sum(map(len, pool))
    budget = settings.max_characters - n_characters
    total = sum(settings.weights.values())
    for name, weight in settings.weights.items():
        share = budget * weight / total
        for document in general_documents(settings.corpus, name):
            if share <= 0:
                break
            if _is_new(document, seen):
                pool.append(document)
                share -= len(document)
    rng.shuffle(pool)
    yield from pool


def _check_files(settings: CorpusSettings) -> None:
    wanted = [settings.data / name for name in MESSAGES]
    wanted += [settings.corpus / f"{name}.txt.zst" for name in settings.weights]
    if missing := [str(path) for path in wanted if not path.is_file()]:
        raise RecipeError(f"no such corpus file(s): {', '.join(missing)}")


def _is_new(document: str, seen: set[bytes]) -> bool:
    """Tell whether `document` is Chinese enough and was not met before; remember it."""
    if len(document) < _MIN_CHARACTERS or 3 * len(_CHINESE.findall(document)) < len(document):
        return False
    digest = hashlib.blake2b(document.encode(), digest_size=8).digest()
    if digest in seen:
        return False
    seen.add(digest)
    return True


def fingerprint(settings: CorpusSettings) -> str:
    """Return a short hash of the settings that decide what the stream holds."""
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:12]
