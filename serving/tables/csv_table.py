"""Read CSV: comma, semicolon or tab; quoted newlines; rows that are broken are reported, the rest is read."""

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from nlp.errors import TableError
from serving.tables.encodings import detect_encoding
from serving.tables.records import Row, unique_names

_SEPARATORS = ",;\t"
_MAX_CELL = 1_000_000
"""Characters; a longer cell is an opening quote without its end, which would swallow the rest of the file."""


class _Lines:
    """The lines of a file, which can be put back when the record they seemed to make up is broken."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._waiting: deque[str] = deque()
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._source)
        self._taken.append(line)
        return line

    def begin_record(self) -> None:
        """Forget the lines of the record before."""
        self._taken.clear()

    def reread_after_first(self) -> str:
        """Put back all lines of this record but the first; return that one."""
        self._waiting.extendleft(reversed(self._taken[1:]))
        return self._taken[0].rstrip("\r\n")


class CsvTable:
    """A CSV file; cells are text exactly as they stand in the file."""

    def __init__(self, path: Path) -> None:
        """Detect encoding and separator, read the header and count the rows; raises TableError."""
        self._path = path
        self._encoding = detect_encoding(path)
        self._separator = max(_SEPARATORS, key=lambda separator: len(self._header(separator)))
        header = self._header(self._separator)
        if not any(name.strip() for name in header):
            raise TableError(f"{path.name} 的第一行不是表头（空白，或引号不成对）")
        self.columns = unique_names(header)
        self.for_excel = self._encoding.codec != "utf-8"
        self.notice = "文件中有损坏的字符，所在行不研判" if self._encoding.damaged else ""
        self.n_rows = sum(1 for _ in self.rows())

    def rows(self) -> Iterator[Row]:
        """Yield the rows; a line that is no CSV, or has more or fewer cells than the header, is a `bad_row`."""
        records = self._records(self._separator)
        next(records)
        for record in records:
            yield record if isinstance(record, Row) else self._row(record)

    def _row(self, record: list[str]) -> Row:
        n_columns, n_cells = len(self.columns), len(record)
        fault = "" if n_cells == n_columns else f"bad_row:有{n_cells}格，表头有{n_columns}列"
        if self._encoding.damaged and any("\ufffd" in cell for cell in record):
            fault = fault or "bad_row:有损坏的字符"
        fitted = [*record[: n_columns - 1], self._separator.join(record[n_columns - 1 :])]
        fitted += [""] * (n_columns - len(fitted))
        return Row(cells=dict(zip(self.columns, fitted, strict=True)), fault=fault)

    def _header(self, separator: str) -> list[str]:
        header = next(self._records(separator), None)
        return header if isinstance(header, list) else []

    def _records(self, separator: str) -> Iterator[list[str] | Row]:
        """Yield the cells of every line that is not blank, header included; a Row with a fault for a broken one."""
        csv.field_size_limit(_MAX_CELL)
        with self._path.open(encoding=self._encoding.codec, errors=self._encoding.errors, newline="") as file:
            lines = _Lines(file)
            reader = csv.reader(lines, delimiter=separator, strict=True)
            while True:
                lines.begin_record()
                try:
                    record = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    # Only its first line is broken for sure: the others are read again as records of their own.
                    yield Row(raw=lines.reread_after_first(), fault="bad_row:引号不成对，或单格过长")
                else:
                    if record:
                        yield record
