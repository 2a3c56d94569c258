"""How the workbook looks: heads that stay, text that wraps, lists to choose from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from bot.sop.excel.columns import Column, Kind

TEXT_FORMAT = "@"  # what is typed stays as it was typed: no dates, no fractions of a day
FONT = "Microsoft YaHei"
_INK, _QUIET, _LINE, _GROUND, _ACCENT = "1F2329", "646A73", "E5E6EB", "F5F6F8", "2468F2"
_LIST_CHARS = 255  # that Excel takes in a list of choices, and in a hint
_ERROR_CHARS = 225  # that it takes in what it says of a wrong one
_SPARE_ROWS = 300  # below the last, ready to be filled in
_LIKE_EXCELS_OWN = re.compile(r"_x(?=[0-9A-Fa-f]{4}_)")  # such as _x000D_, its line end
_EDGE = Side(style="thin", color=_LINE)
_BORDER = Border(left=_EDGE, right=_EDGE, top=_EDGE, bottom=_EDGE)
_WRAP = Alignment(wrap_text=True, vertical="top")


_SAID, _ASIDE, _HEAD = "剧本内容", "剧本说明", "剧本表头"


def add_styles(book: Workbook) -> None:
    """Give a workbook the three looks that its cells have."""
    for name, color, bold in ((_SAID, _INK, False), (_ASIDE, _QUIET, False), (_HEAD, _INK, True)):
        style = NamedStyle(name=name, number_format=TEXT_FORMAT)
        style.font = Font(name=FONT, size=10, color=color, bold=bold)
        style.alignment = _WRAP
        style.border = _BORDER
        if name == _HEAD:
            style.fill = PatternFill("solid", fgColor=_GROUND)
            style.border = Border(_EDGE, _EDGE, _EDGE, Side("medium", color=_ACCENT))
        book.add_named_style(style)


def put(cell: Cell, text: str, *, quiet: bool = False) -> None:
    """Write text that stays text, whatever it begins with."""
    _put(cell, text, _ASIDE if quiet else _SAID)


def _put(cell: Cell, text: str, style: str) -> None:
    cell.value = _LIKE_EXCELS_OWN.sub("_x005F_x", text)
    cell.data_type = "s"
    cell.style = style


def put_head(cell: Cell, text: str, note: str = "") -> None:
    """Write the head of a column, with what is said of it when the pointer rests there."""
    _put(cell, text, _HEAD)
    if note:
        cell.comment = Comment(note, "知邻", width=320, height=150)


def explained(column: Column) -> str:
    """Return a key's explanation with its examples, as the files' editors show it."""
    return "\n".join(filter(None, (column.words, examples(column))))


def examples(column: Column) -> str:
    """Return what might stand in a cell of the column."""
    told = "；".join(_example(one) for one in column.examples[:3])
    return f"例：{told}" if told else ""


def _example(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list) and all(not isinstance(one, dict | list) for one in value):
        return "、".join(str(one) for one in value)
    if isinstance(value, list):
        return " ".join(_example(one) for one in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False).replace('"', "")
    return str(value)


def width_of(column: Column) -> float:
    """Return how wide a column is to be read without scrolling, in Excel's characters."""
    if column.long:
        return 58
    if column.kind in (Kind.ITEMS, Kind.KEYS):
        return 40
    if column.kind is Kind.WORDS:
        return 22
    longest = max((len(word) for word in column.choices), default=4)
    return max(2 * max(len(column.path[-1]), min(longest, 10)) + 3, 14 if column.clock else 9)


def head_row(sheet: Worksheet, heads: Sequence[tuple[str, str, float]], frozen: int) -> None:
    """Write the first row and keep it and the first columns in sight."""
    for number, (text, note, width) in enumerate(heads, start=1):
        cell = sheet.cell(1, number)
        assert isinstance(cell, Cell)
        put_head(cell, text, note)
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = width
        sheet.column_dimensions[letter].number_format = TEXT_FORMAT
        sheet.column_dimensions[letter].alignment = _WRAP
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = f"{get_column_letter(frozen + 1)}2"
    sheet.sheet_view.zoomScale = 100
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A3
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def offer(sheet: Worksheet, column: Column, ranges: str) -> None:
    """Let people choose from the words that may stand there."""
    listed = ",".join(column.choices)
    if not column.choices or len(listed) > _LIST_CHARS:
        return
    choice = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True)
    choice.showErrorMessage = column.closed
    choice.errorTitle, choice.error = (
        "不能这样写",
        f"只能写：{'、'.join(column.choices)}"[:_ERROR_CHARS],
    )
    choice.showInputMessage = not column.closed
    if not column.closed:
        choice.promptTitle = column.path[-1]
        choice.prompt = f"{column.words}{examples(column)}"[:_LIST_CHARS]
    sheet.add_data_validation(choice)
    choice.add(ranges)


def offer_below(sheet: Worksheet, column: Column, number: int, rows: int) -> None:
    """Let people choose in a whole column, in the rows there are and in some to come."""
    letter = get_column_letter(number)
    offer(sheet, column, f"{letter}2:{letter}{rows + _SPARE_ROWS}")


def fold(sheet: Worksheet, unused: Iterable[int]) -> None:
    """Fold columns away that nobody uses yet; a click on the plus sign shows them."""
    for number in unused:
        dimension = sheet.column_dimensions[get_column_letter(number)]
        dimension.outlineLevel = 1
        dimension.hidden = True
