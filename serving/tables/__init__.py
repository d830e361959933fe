"""Tables of petitions: read and written as CSV, XLSX or JSONL, chosen by the file name's extension."""

from serving.tables.columns import Columns, find_columns, output_names
from serving.tables.opening import open_table
from serving.tables.records import Row, Table, cell_text
from serving.tables.writing import check_extension, check_writable, write_table

__all__ = [
    "Columns",
    "Row",
    "Table",
    "cell_text",
    "check_extension",
    "check_writable",
    "find_columns",
    "open_table",
    "output_names",
    "write_table",
]
