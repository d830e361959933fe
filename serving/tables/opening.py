"""Open a table by its extension."""

from pathlib import Path

from nlp.errors import TableError
from serving.tables.csv_table import CsvTable
from serving.tables.jsonl_table import JsonlTable
from serving.tables.records import Table
from serving.tables.writing import check_extension
from serving.tables.xlsx_table import XlsxTable


def open_table(path: Path, *, sheet: str | None = None) -> Table:
    """Return the table in `path`; `sheet` picks a worksheet of an XLSX file (default: the first).

    Raises TableError if there is no such file, its extension is not known or its content cannot be read.
    """
    extension = check_extension(path)
    if not path.is_file():
        raise TableError(f"没有这个文件：{path}")
    if sheet is not None and extension != ".xlsx":
        raise TableError(f"只有 .xlsx 文件有工作表，{path.name} 不能指定 --sheet")
    try:
        if path.stat().st_size == 0:
            raise TableError(f"{path.name} 是空文件")
        if extension == ".xlsx":
            return XlsxTable(path, sheet=sheet)
        return CsvTable(path) if extension == ".csv" else JsonlTable(path)
    except OSError as error:
        raise TableError(f"读不了 {path}：{error.strerror}") from error
