"""Write tables: whole or not at all, and without anything a spreadsheet program would run."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from nlp.errors import TableError
from serving.tables.formulas import neutralise
from serving.tables.records import cell_text

Rows = Iterable[Mapping[str, Any]]

EXTENSIONS = (".csv", ".xlsx", ".jsonl")
_MAX_SHEET_ROWS = 1_048_576
_MAX_SHEET_COLUMNS = 16_384
_MAX_SHEET_CELL = 32_767
"""What Excel can hold; a cell is counted in UTF-16 units."""


def check_extension(path: Path) -> str:
    """Return the extension of `path` in lower case; raises TableError if it is not one of ours."""
    extension = path.suffix.lower()
    if extension not in EXTENSIONS:
        raise TableError(f"不认识扩展名“{path.suffix}”（{path.name}）；可用：{' '.join(EXTENSIONS)}")
    return extension


def check_writable(path: Path, *, n_rows: int, n_columns: int) -> None:
    """Raise TableError if a table of this size cannot be written to `path`."""
    if check_extension(path) == ".xlsx" and (n_rows >= _MAX_SHEET_ROWS or n_columns > _MAX_SHEET_COLUMNS):
        raise TableError(f"{n_rows}行{n_columns}列放不进一个工作表，请用 .csv 或 .jsonl")


def write_table(path: Path, columns: Sequence[str], rows: Rows, *, for_excel: bool, notes: str) -> None:
    """Write `rows` to `path`, in the format of its extension; it appears only when it is complete.

    A CSV `for_excel` begins with a byte order mark. What is cut because Excel cannot hold it is said in the
    column `notes`.
    """
    unfinished = path.with_name(f"{path.name}.tmp")
    try:
        match check_extension(path):
            case ".csv":
                _write_csv(unfinished, columns, rows, encoding="utf-8-sig" if for_excel else "utf-8")
            case ".xlsx":
                _write_xlsx(unfinished, columns, rows, notes=notes)
            case _:
                _write_jsonl(unfinished, rows)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_csv(path: Path, columns: Sequence[str], rows: Rows, *, encoding: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow([neutralise(column) for column in columns])
        for row in rows:
            writer.writerow([neutralise(cell_text(row.get(column))) for column in columns])


def _write_jsonl(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _write_xlsx(path: Path, columns: Sequence[str], rows: Rows, *, notes: str) -> None:
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "tmpdir": str(path.parent),  # rows wait there: petition text has no business in /tmp
    }
    with xlsxwriter.Workbook(str(path), options) as workbook:
        sheet = workbook.add_worksheet("研判结果")
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, columns)
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(_fitted(row, columns, notes=notes)):
                if isinstance(value, str):
                    sheet.write_string(number, place, value)
                else:
                    sheet.write_number(number, place, value)


def _fitted(row: Mapping[str, Any], columns: Sequence[str], *, notes: str) -> list[str | float]:
    """Return the cells of a worksheet's row, each no longer than Excel allows."""
    cells = {column: _sheet_value(row.get(column)) for column in columns}
    limit = 2 * _MAX_SHEET_CELL
    cut = {
        column: units[:limit].decode("utf-16-le", errors="ignore")
        for column, value in cells.items()
        if isinstance(value, str) and len(units := value.encode("utf-16-le")) > limit
    }
    if cut:
        said = [cell_text(row.get(notes)), f"cell_cut:{'、'.join(cut)}超出 Excel 单格上限，全文见输入文件"]
        cells |= {**cut, notes: "；".join(filter(None, said))}
    return list(cells.values())


def _sheet_value(value: Any) -> str | float:
    return value if isinstance(value, float) else cell_text(value)
