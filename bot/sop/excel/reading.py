"""Sheets → rows: columns found by their heads, every cell with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.worksheet.worksheet import Worksheet

from bot.errors import Problem
from bot.sop.excel.cells import EMPTY, Said, Unreadable, read_cell
from bot.sop.excel.columns import Column, Kind
from bot.sop.excel.habits import text_of
from bot.yamlfile import Mapping, Node, Scalar, nearest
from bot.yamlfile.nodes import Entry

_MOST_ROWS, _MOST_COLUMNS = 5000, 300
Part = tuple[tuple[str, ...], Node | None]


@dataclass
class Places:
    """The cells that were read, numbered so that a value's line leads back to its cell."""

    file: str
    cells: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def mark(self, sheet: str, coordinate: str) -> int:
        """Return the number by which a cell is found again."""
        self.cells.append(f"{sheet}!{coordinate}")
        return len(self.cells)

    def refuse(self, place: int, key: str, said: Said) -> None:
        """Note what is wrong in a cell."""
        self.problems.append(self.problem(place, key, said))

    def problem(self, place: int, key: str, said: Said) -> Problem:
        """Make a problem that stands in a cell; place 0 is the whole file."""
        where = f"{self.file} {self.cells[place - 1]}" if place else self.file
        return Problem(where, 0, key, *said)


@dataclass(frozen=True)
class Head:
    """One column of a sheet: its place, and the key it stands for unless it leads the row."""

    name: str
    number: int
    column: Column | None


@dataclass(frozen=True)
class Row:
    """One row that says something: its leading cells and what it says by key."""

    place: int
    leading: dict[str, tuple[str, int]]
    node: Mapping
    places: dict[str, int]


def read_heads(
    sheet: Worksheet, columns: Sequence[Column], leading: Sequence[str], places: Places
) -> list[Head]:
    """Find the columns by the words of the first row; what nobody knows is refused."""
    by_name = {column.name: column for column in columns}
    heads: list[Head] = []
    seen: set[str] = set()
    for number, cell in enumerate(sheet[1], start=1):
        name = str(cell.value).strip() if cell.value is not None else ""
        place = places.mark(sheet.title, cell.coordinate)
        if not name:
            if _anything_under(sheet, number):
                places.refuse(place, "", ("这一列有内容，但没有表头", "补上表头，或清空这一列"))
            continue
        if name in seen:
            places.refuse(place, "", (f"表头「{name}」写了两次", "把两列并成一列"))
        elif name in by_name or name in leading:
            seen.add(name)
            heads.append(Head(name, number, by_name.get(name)))
        else:
            mend = nearest(name, [*leading, *by_name])
            places.refuse(place, "", (f"不认识的表头「{name}」", mend))
    return heads


def _anything_under(sheet: Worksheet, column: int) -> bool:
    cells = (row[0] for row in sheet.iter_rows(min_row=2, min_col=column, max_col=column))
    return any(cell.value not in (None, "") for cell in cells)


def refuse_merged(sheet: Worksheet, places: Places) -> None:
    """Refuse merged cells: nobody knows for which rows they speak."""
    for merged in sheet.merged_cells.ranges:
        place = places.mark(sheet.title, str(merged.coord))
        places.refuse(place, "", ("这几格合并了", "取消合并，每一格各写各的"))


def refuse_huge(sheet: Worksheet, places: Places) -> None:
    """Refuse a sheet that no plan fills: somebody coloured it down to its last row."""
    if sheet.max_row > _MOST_ROWS or sheet.max_column > _MOST_COLUMNS:
        place = places.mark(sheet.title, sheet.dimensions)
        what = f"这张表有 {sheet.max_row} 行 {sheet.max_column} 列"
        places.refuse(place, "", (what, "选中下面和右边的空行、空列，整行整列删掉再存"))


def read_rows(sheet: Worksheet, heads: Sequence[Head], places: Places) -> Iterator[Row]:
    """Read every row that says something."""
    for cells in sheet.iter_rows(min_row=2):
        if all(cell.value is None or not str(cell.value).strip() for cell in cells):
            continue
        yield _row(sheet, cells, heads, places)


def _row(
    sheet: Worksheet,
    cells: Sequence[Cell | MergedCell],
    heads: Sequence[Head],
    places: Places,
) -> Row:
    leading: dict[str, tuple[str, int]] = {}
    parts: list[Part] = []
    at: dict[str, int] = {}
    first = 0
    for head in heads:
        cell = cells[head.number - 1]
        place = places.mark(sheet.title, cell.coordinate)
        at[head.name] = place
        first = first or place
        if head.column is None:
            text, _ = read_value(cell, None, place, places)
            if text.strip():
                leading[head.name] = (text.strip(), place)
            continue
        text, node = read_value(cell, head.column, place, places)
        if text.strip():
            parts.append(part_of(head.column, text, node))
    place = at.get("编号", first)
    return Row(place, leading, nested(parts, place), at)


def part_of(column: Column, text: str, node: Node | None) -> Part:
    """Say what a cell says; 「{}」 says that the key before the dot has nothing in it."""
    if _says_empty(column, text):
        return column.path[:-1], node
    return column.path, node


def _says_empty(column: Column, text: str) -> bool:
    return text.strip() == EMPTY and len(column.path) > 1 and column.kind is not Kind.KEYS


def read_value(
    cell: Cell | MergedCell, column: Column | None, place: int, places: Places
) -> tuple[str, Node | None]:
    """Return a cell's text and its value; a cell that cannot be read is noted and empty."""
    try:
        text = text_of(cell, column)
        if column is None or not text.strip():
            return text, None
        if _says_empty(column, text):
            return text, Mapping((), place, flow=True)
        return text, read_cell(text, column.kind, place)
    except Unreadable as error:
        places.refuse(place, column.name if column else "", error.said)
        return "", None


def nested(parts: Sequence[Part], place: int) -> Mapping:
    """Put values at their paths; a key before a dot gets the place of its first value."""
    entries: list[Entry] = []
    for key in dict.fromkeys(path[0] for path, _ in parts):
        mine = [(path[1:], node) for path, node in parts if path[0] == key]
        whole = next((node for path, node in mine if not path and node is not None), None)
        if whole is not None:
            entries.append(Entry(key, whole.line, whole))
            continue
        deeper = [(path, node) for path, node in mine if path]
        first = next((node.line for _, node in deeper if node is not None), place)
        entries.append(Entry(key, first, nested(deeper, first)))
    return Mapping(tuple(entries), place)


def text_at(node: Mapping, key: str) -> str:
    """Return the text of a key, or nothing."""
    entry = node.entry(key)
    return entry.value.text if entry and isinstance(entry.value, Scalar) else ""
