"""Read JSON Lines: one object per line; values keep their JSON types."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nlp.errors import TableError
from serving.tables.encodings import detect_encoding
from serving.tables.records import Row


class JsonlTable:
    """A JSON Lines file; its columns are all keys that occur, in the order of their first occurrence."""

    for_excel = False

    def __init__(self, path: Path) -> None:
        """Collect the columns and count the rows; raises TableError if no line is a JSON object."""
        self._path = path
        self._encoding = detect_encoding(path)
        self.notice = "文件中有损坏的字符，所在行不研判" if self._encoding.damaged else ""
        columns: dict[str, None] = {}
        self.n_rows = 0
        for row in self.rows():
            self.n_rows += 1
            columns.update(dict.fromkeys(row.cells))
        self.columns = tuple(columns)
        if not columns:
            raise TableError(f'{path.name} 没有一行是 JSON 对象（每行应形如 {{"id": …, "text": …}}）')

    def rows(self) -> Iterator[Row]:
        """Yield the rows; a line that is no JSON object is a `broken_json` with the line in `raw`."""
        with self._path.open(encoding=self._encoding.codec, errors=self._encoding.errors) as file:
            for line in file:
                if line.strip():
                    yield self._row(line.rstrip("\n"))

    def _row(self, line: str) -> Row:
        try:
            value = json.loads(line, parse_constant=_refuse)
        except json.JSONDecodeError as error:
            return Row(raw=line, fault=f"broken_json:第{error.colno}个字符处不是合法的 JSON")
        except (ValueError, RecursionError):
            return Row(raw=line, fault="broken_json:有不能读取的数值或嵌套过深")
        if not isinstance(value, dict):
            return Row(raw=line, fault="broken_json:这一行不是 JSON 对象")
        damaged = self._encoding.damaged and "\ufffd" in line
        return Row(cells=_whole_characters(value), fault="bad_row:有损坏的字符" if damaged else "")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _whole_characters(value: dict[str, Any]) -> dict[str, Any]:
    """Replace lone halves of surrogate pairs, which JSON can escape, by `?`: no encoding can write them."""
    text = json.dumps(value, ensure_ascii=False)
    whole: dict[str, Any] = json.loads(text.encode("utf-8", errors="replace"))
    return whole
