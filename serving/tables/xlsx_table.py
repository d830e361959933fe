"""Read XLSX worksheets; formulas count by the value Excel last computed for them."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from nlp.errors import TableError
from serving.tables.records import Row, unique_names


class XlsxTable:
    """One worksheet; every cell is text, so that numbers such as telephone numbers stay as they are written."""

    for_excel = True

    def __init__(self, path: Path, *, sheet: str | None = None) -> None:
        """Load the worksheet `sheet` (default: the first visible one); raises TableError."""
        try:
            workbook = CalamineWorkbook.from_path(path)
            self._sheet = _pick_sheet(workbook, path, sheet)
        except CalamineError as error:
            raise TableError(f"{path.name} 不是可读的 XLSX 文件（{type(error).__name__}）") from error
        others = [name for name in workbook.sheet_names if name != self._sheet.name]
        self.notice = f"只读工作表“{self._sheet.name}”；另有{len(others)}个未读" if others else ""
        header = next(self._filled_rows(), None)
        if header is None:
            raise TableError(f"{path.name} 的工作表“{self._sheet.name}”是空的")
        self.columns = unique_names(header)
        self.n_rows = sum(1 for _ in self.rows())

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header, without the blank ones at the end of the sheet."""
        rows = self._filled_rows()
        next(rows)
        for cells in rows:
            yield Row(cells=dict(zip(self.columns, cells, strict=True)))

    def _filled_rows(self) -> Iterator[list[str]]:
        """Yield the rows as text from the first to the last that is not blank."""
        n_blank = 0
        begun = False
        for values in self._sheet.iter_rows():
            cells = [_text(value) for value in values]
            if not any(cells):
                n_blank += begun
                continue
            for _ in range(n_blank):
                yield [""] * len(cells)
            begun, n_blank = True, 0
            yield cells


def _pick_sheet(workbook: CalamineWorkbook, path: Path, name: str | None) -> CalamineSheet:
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    name = name if name is not None else next(iter(visible), None)
    if name not in [sheet.name for sheet in sheets]:
        raise TableError(f"{path.name} 没有工作表“{name or ''}”；有：{'、'.join(sheet.name for sheet in sheets)}")
    return workbook.get_sheet_by_name(name)


def _text(value: Any) -> str:
    """Return a cell's value as text: whole numbers without `.0`, dates as 2024-03-01, truth as TRUE or FALSE."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    return str(value)
