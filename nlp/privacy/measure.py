"""Measure masking on sentences with marked personal data: `python -m nlp.privacy.measure FILE` prints a table.

In the file each line is a sentence, personal data stands as `{{kind:value}}`, lines that begin with "#" are
comments. A value counts as hidden when redactions cover all of it, whatever their kind; a redaction counts
as right when it touches a marked value, as false otherwise.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nlp.normalise import normalise
from nlp.petition import Redaction
from nlp.privacy import mask
from nlp.privacy.spans import KINDS

_MARKED = re.compile(r"\{\{(?P<kind>[^:{}]+):(?P<value>[^{}]+)\}\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """A sentence without its marks, and what was marked in it, as redactions that should be made."""

    text: str
    expected: tuple[Redaction, ...]


def read_marked(lines: Iterable[str]) -> list[Marked]:
    """Read sentences with marks; raise `ValueError` for a mark whose kind is unknown."""
    return [_read_line(line.rstrip("\n")) for line in lines if line.strip() and not line.startswith("#")]


def _read_line(line: str) -> Marked:
    text = ""
    expected = []
    done = 0
    for match in _MARKED.finditer(line):
        if match["kind"] not in KINDS:
            raise ValueError(f"unknown kind of personal data {match['kind']!r}; allowed: {', '.join(KINDS)}")
        text += line[done : match.start()]
        expected.append(Redaction(kind=match["kind"], start=len(text), end=len(text) + len(match["value"])))
        text += match["value"]
        done = match.end()
    return Marked(text=text + line[done:], expected=tuple(expected))


def covers(made: Iterable[Redaction], wanted: Redaction, *, text: str) -> bool:
    """Tell whether `made` hide every letter and digit of `wanted`; separators may stay."""
    hidden = {place for redaction in made for place in range(redaction.start, redaction.end)}
    return all(place in hidden for place in range(wanted.start, wanted.end) if text[place].isalnum())


def _table(sentences: list[Marked]) -> str:
    """Return a Markdown table: per kind how many values there are, how many are hidden, how many masks are false."""
    wanted: Counter[str] = Counter()
    hidden: Counter[str] = Counter()
    made: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for sentence in sentences:
        redactions = mask(normalise(sentence.text)).redactions
        for value in sentence.expected:
            wanted[value.kind] += 1
            hidden[value.kind] += covers(redactions, value, text=sentence.text)
        for redaction in redactions:
            made[redaction.kind] += 1
            right[redaction.kind] += any(
                redaction.start < value.end and value.start < redaction.end for value in sentence.expected
            )
    rows = ["| 种类 | 应遮 | 遮住 | 召回率 | 实际遮盖 | 误遮 | 准确率 |", "|---|---:|---:|---:|---:|---:|---:|"]
    rows += [_row(kind, wanted[kind], hidden[kind], made[kind], right[kind]) for kind in KINDS]
    rows.append(_row("合计", wanted.total(), hidden.total(), made.total(), right.total()))
    return "\n".join(rows)


def _row(name: str, wanted: int, hidden: int, made: int, right: int) -> str:
    recall = f"{hidden / wanted:.1%}" if wanted else "–"
    precision = f"{right / made:.1%}" if made else "–"
    return f"| {name} | {wanted} | {hidden} | {recall} | {made} | {made - right} | {precision} |"


def report(path: Path) -> str:
    """Return the counts of sentences and the table for the marked sentences in `path`."""
    sentences = read_marked(path.read_text(encoding="utf-8").splitlines())
    with_data = sum(bool(sentence.expected) for sentence in sentences)
    head = f"{with_data} 句含个人信息，{len(sentences) - with_data} 句不含。"
    return f"{head}\n\n{_table(sentences)}\n"


if __name__ == "__main__":
    sys.stdout.write(report(Path(sys.argv[1])))
