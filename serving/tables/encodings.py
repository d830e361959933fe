"""Which encoding a text file is in: decided by decoding all of it strictly, never by guessing from a sample."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nlp.errors import TableError

_CHUNK = 1 << 20
_TOLERABLE_DAMAGE = 0.1
"""Share of broken characters up to which a file is damaged UTF-8; of GB18030 read as UTF-8, most are broken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoding:
    """How to decode a file; in a `damaged` one, broken bytes become U+FFFD."""

    codec: str
    damaged: bool = False

    @property
    def errors(self) -> str:
        """The error handler that goes with the codec."""
        return "replace" if self.damaged else "strict"


def detect_encoding(path: Path) -> Encoding:
    """Return the encoding of a text file: UTF-8, UTF-16 with its mark, or GB18030.

    A UTF-8 file with a few broken bytes is told from GB18030, which would decode it to nonsense. Raises TableError
    for a file that is not text or in none of these.
    """
    with path.open("rb") as file:
        start = file.read(_CHUNK)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        codec = "utf-16"
    elif b"\0" in start:
        raise TableError(f"{path.name} 不是文本文件，扩展名与内容不符；可用：.csv .xlsx .jsonl")
    else:
        codec = "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else "utf-8"
    if _decodes(path, codec):
        return Encoding(codec=codec)
    if codec != "utf-16" and _share_of_damage(path, codec) <= _TOLERABLE_DAMAGE:
        return Encoding(codec=codec, damaged=True)
    if codec == "utf-8" and _decodes(path, "gb18030"):
        return Encoding(codec="gb18030")
    raise TableError(f"{path.name} 的编码无法识别；请另存为 UTF-8 或 GB18030（GBK）")


def decode(data: bytes, *, name: str) -> str:
    """Return a short text file's content, UTF-8 or GB18030; raises TableError, naming it `name`, if it is neither."""
    for codec in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    raise TableError(f"{name} 的编码无法识别；请用 UTF-8 或 GB18030（GBK）")


def _chunks(path: Path, codec: str, errors: str) -> Iterator[str]:
    with path.open(encoding=codec, errors=errors, newline="") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _decodes(path: Path, codec: str) -> bool:
    try:
        for _ in _chunks(path, codec, "strict"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _share_of_damage(path: Path, codec: str) -> float:
    n_broken = n_foreign = 0
    for chunk in _chunks(path, codec, "replace"):
        n_broken += chunk.count("\ufffd")
        n_foreign += sum(not character.isascii() for character in chunk)
    return n_broken / n_foreign
