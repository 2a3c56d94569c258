"""CSV and XLSX files to rows of text, with merged cells filled and every row numbered."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, NamedTuple
from zipfile import BadZipFile

from bot.errors import Problem
from bot.knowledge.limits import check_office, refused

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_MOST_ROWS, _MOST_COLUMNS = 20_000, 100
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DELIMITERS = ",\t;，"
_ERROR_VALUES = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!")


class Row(NamedTuple):
    """One row that says something: its number on the sheet, its line in the file, its cells."""

    number: int
    line: int
    cells: tuple[str, ...]


class Grid(NamedTuple):
    """One sheet; ``name`` is empty where the file has no sheets of its own."""

    name: str
    rows: tuple[Row, ...]


def csv_grids(data: bytes, file: str) -> list[Grid]:
    """Read a CSV file in UTF-8, UTF-16 or GB18030; raises ``ContentError``."""
    text = _decoded(data, file)
    first = text[: text.find("\n") + 1] or text
    reader = csv.reader(StringIO(text), delimiter=max(_DELIMITERS, key=first.count), strict=True)
    rows: list[Row] = []
    try:
        line = 1
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                rows.append(Row(number, line, tuple(cell.strip() for cell in cells)))
            line = reader.line_num + 1
            _not_too_many(len(rows), len(cells), file)
    except csv.Error as error:
        what = f"第 {reader.line_num} 行读不下去"
        mend = "多半是引号没有配成对；在表格软件里打开，另存为 CSV UTF-8"
        raise refused(file, what, mend, line=reader.line_num) from error
    return [Grid("", tuple(rows))]


def _decoded(data: bytes, file: str) -> str:
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    for name in (marked,) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    mend = "用表格软件打开，另存为「CSV UTF-8(逗号分隔)」"
    raise refused(file, "文字的编码认不出来，既不是 UTF-8 也不是 GBK", mend)


def xlsx_grids(data: bytes, file: str) -> list[Grid]:
    """Read the sheets in sight of a workbook; raises ``ContentError``."""
    check_office(data, file, "Excel")
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(BytesIO(data), data_only=True)
    except (
        BadZipFile,
        InvalidFileException,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        OSError,
        SyntaxError,  # what the XML parser raises
        zlib.error,
    ) as error:
        raise refused(file, "文件坏了，打不开", "用 Excel 打开看看，再另存一遍") from error
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    return [Grid(sheet.title.strip(), tuple(_rows(sheet, file))) for sheet in sheets]


def _rows(sheet: Worksheet, file: str) -> Iterator[Row]:
    merged = {
        (row, column): (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, area.max_row + 1)
        for column in range(area.min_col, area.max_col + 1)
        if area.size["rows"] * area.size["columns"] <= _MOST_ROWS
    }
    said = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = [as_text(value) for value in values]
        if not any(cells):
            continue  # also the thousands of rows that somebody only coloured
        for column in range(1, len(cells) + 1):
            top = merged.get((number, column))
            # A title over the whole width is not the value of every column.
            if top is not None and top[1] == column and top != (number, column):
                cells[column - 1] = as_text(sheet.cell(*top).value)
        while not cells[-1]:
            cells.pop()
        said += 1
        _not_too_many(said, len(cells), file)
        yield Row(number, number, tuple(cells))


def _not_too_many(rows: int, columns: int, file: str) -> None:
    if rows > _MOST_ROWS or columns > _MOST_COLUMNS:
        what = f"表太大，最多 {_MOST_ROWS} 行、{_MOST_COLUMNS} 列"
        raise refused(file, what, "拆成几个文件")


def as_text(value: object) -> str:
    """Write a cell as one would have typed it: Excel makes days of dates and 65.0 of 65."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # Excel writes a line break inside a cell with the other kind as well.
    return str(value).replace("_x000D_", "").replace("\r\n", "\n").strip()


def column_letter(number: int) -> str:
    """Return the letters over a column, counted from 0: A, Z, AA."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def error_values(row: Row, file: str, place: str) -> list[Problem]:
    """Name the cells that hold a formula's failure instead of a value."""
    return [
        Problem(file, row.line, f"{place}{column_letter(n)}{row.number}", f"这一格是 {cell}", mend)
        for n, cell in enumerate(row.cells)
        if cell in _ERROR_VALUES
        for mend in ("修好公式，或直接写上内容",)
    ]
