"""Reads tables row by row, never all of them at once: CSV in UTF-8 or GBK, the first XLSX sheet.

Writes them, too, for people to open in Excel.
"""

from __future__ import annotations

import csv
from codecs import getincrementaldecoder
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

from bot.errors import ConfigError

_PIECE = 1 << 20
_ENCODINGS = ("utf-8-sig", "gb18030")


class Cells(NamedTuple):
    """A row of a table: its number as people count them, and its cells as text."""

    line: int
    cells: list[str]


def open_table(path: Path) -> tuple[list[str], Generator[Cells]]:
    """Return a table's head and its rows, empty ones left out; close what gives the rows.

    Raise ``ConfigError`` where the file is no table that can be read.
    """
    if not path.is_file():
        raise ConfigError(f"没有 {path} 这个文件。请检查路径。")
    rows = _xlsx(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _csv(path)
    head = next(rows, None)
    if head is None:
        raise ConfigError(f"{path.name} 是空的。第一行写表头，例如 客户,年龄。")
    return head.cells, rows


def _csv(path: Path) -> Generator[Cells]:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline()
        file.seek(0)
        delimiter = max(",\t;，", key=first.count)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            for row in reader:
                cells = [cell.strip().removeprefix("\ufeff") for cell in row]
                if any(cells):
                    yield Cells(reader.line_num, cells)
        except csv.Error as error:
            raise ConfigError(
                f"{path.name} 第 {reader.line_num} 行读不下去({error})：多半是引号没有配成对。"
            ) from error


def _encoding(path: Path) -> str:
    """Return the first encoding that the whole file can be read in."""
    for name in _ENCODINGS:
        decoder = getincrementaldecoder(name)()
        try:
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    if b"\x00" in piece:
                        raise ConfigError(f"{path.name} 不是文本：请另存为 CSV(UTF-8)。")
                    decoder.decode(piece)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        except OSError as error:
            raise ConfigError(f"读不了 {path.name}：请检查文件权限。") from error
        return name
    raise ConfigError(f"{path.name} 既不是 UTF-8 也不是 GBK：请另存为 CSV(UTF-8)。")


def _xlsx(path: Path) -> Generator[Cells]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError, ValueError) as error:
        raise ConfigError(f"{path.name} 不是能打开的 XLSX：请用表格软件另存一遍。") from error
    try:
        for number, row in enumerate(_values(book.worksheets[0].iter_rows(values_only=True)), 1):
            if any(row):
                yield Cells(number, row)
    finally:
        book.close()


def _values(rows: Iterator[tuple[object, ...]]) -> Iterator[list[str]]:
    for row in rows:
        cells = [_as_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        yield cells


def _as_text(value: object) -> str:
    """Write a cell as one would have typed it: Excel makes days of dates and 65.0 of 65."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value).strip()


def write_table(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table as .xlsx, or as .csv in UTF-8 with the mark by which Excel knows it.

    Every cell is text: what a customer wrote is never taken for a formula.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".xlsx":
        _write_xlsx(path, head, rows)
        return
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([_harmless(cell) for cell in row] for row in rows)


def _write_xlsx(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("线索")
    sheet.freeze_panes = "A2"
    sheet.append(list(head))
    for row in rows:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    book.save(path)


def _harmless(cell: str) -> str:
    """Return a cell that a spreadsheet shows as it is: a formula's first mark is quoted."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
