"""Scripts → workbook: a sheet for the script's keys, one row a step, lists to choose from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from bot.domain.script import SopScript
from bot.errors import ContentError, Problem
from bot.sop.excel import looks
from bot.sop.excel.cells import EMPTY, LONGEST, write_cell
from bot.sop.excel.columns import (
    LISTENS,
    STEPS,
    TABLES,
    Column,
    script_columns,
    table_columns,
)
from bot.sop.excel.yaml_text import Doc, document

HEAD, NOTES = "剧本", "说明"
KEY, VALUE, WORDS, SAMPLE, DEFAULT = "键", "内容", "说明", "例子", "不写就是"
SCRIPT, OF_STEP = "剧本", "步骤编号"
_ALWAYS = frozenset({"编号", "第几天", "时间", "类型", "发送方式", "产品", "正文", "日期", "事件"})
_HELP = (
    "这份工作簿就是剧本本身，改好以后用「zhilin sop import 文件.xlsx」变回剧本文件。",
    "「剧本」每行一个键，只改「内容」这一列；空着就是不写，用「不写就是」那一列的值。",
    "「步骤」一行一步，从上到下就是先后。用不到的列收起来了，点表头上方的 + 号展开。",
    "「听到就办」一行一条：写了步骤编号就只在那一步听，空着就是整个剧本都听。",
    "「日历叠加」一行一个日子，「出口」一行一件事。把鼠标停在表头上，看这一列怎么写、有什么例子。",
    "一格里写几个词，用顿号隔开：退订、别发了。写几件事，一行一件：{建线索: 活动, 时限分钟: 240}。",
    "一格里写几个「键: 值」，一行一个，英文冒号后空一格：问候: 50。",
    "正文里换行按 Alt+Enter。时间写成 09:30-10:30，日期写成 2026-10-12。",
    "整格用英文双引号括起来的，照引号里的原样读。",
    "不要合并单元格，不要写公式，不要改表头和工作表的名字。草稿放在别的工作表里，把那张表隐藏起来就不读它。",
    "剧本文件里 # 后面的备注不会带进来，导入时会没有；要留的备注写在隐藏的工作表里。",
)


def export_scripts(scripts: Sequence[SopScript]) -> bytes:
    """Return the workbook's file; raises ``ContentError`` where a text is too long for a cell."""
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    first.title = HEAD
    looks.add_styles(book)
    docs = [document(script) for script in scripts]
    _head(first, docs)
    for table in TABLES:
        _table(book.create_sheet(table), table, docs)
    _notes(book.create_sheet(NOTES))
    _refuse_long(book)
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _head(sheet: Worksheet, docs: Sequence[dict[str, Doc]]) -> None:
    values = [VALUE if not number else f"{VALUE}{number + 1}" for number in range(len(docs))]
    heads = [(KEY, "", 26.0), *((value, "", 46.0) for value in values)]
    heads += [(DEFAULT, "", 14.0), (WORDS, "", 50.0), (SAMPLE, "", 40.0)]
    looks.head_row(sheet, heads, 1)
    columns = script_columns()
    for row, column in enumerate(columns, start=2):
        looks.put(_cell(sheet, row, 1), column.name)
        for number, doc in enumerate(docs, start=2):
            looks.put(_cell(sheet, row, number), _shown(doc, column, columns))
            looks.offer(sheet, column, _cell(sheet, row, number).coordinate)
        aside = (column.default, column.words, looks.examples(column).removeprefix("例："))
        for number, text in enumerate(aside, start=len(docs) + 2):
            looks.put(_cell(sheet, row, number), text, quiet=True)


def _table(sheet: Worksheet, table: str, docs: Sequence[dict[str, Doc]]) -> None:
    columns = table_columns(table)
    leading = [SCRIPT] if len(docs) > 1 else []
    leading += [OF_STEP] if table == LISTENS else []
    heads = [(name, _LEADING[name], 18.0) for name in leading]
    heads += [(each.name, looks.explained(each), looks.width_of(each)) for each in columns]
    looks.head_row(sheet, heads, max(len(leading), 1) if table == LISTENS else len(leading) + 1)
    rows = [
        (*((str(doc["编号"]),) if len(docs) > 1 else ()), *row)
        for doc in docs
        for row in _rows(table, doc, columns)
    ]
    used: set[int] = set()
    for at, row in enumerate(rows, start=2):
        for number, text in enumerate(row, start=1):
            if text:
                looks.put(_cell(sheet, at, number), text)
                used.add(number)
    first = len(leading) + 1
    for number, column in enumerate(columns, start=first):
        looks.offer_below(sheet, column, number, len(rows) + 1)
    if rows and table == STEPS:
        families = {column.path[0] for n, column in enumerate(columns, first) if n in used}
        seen = families | _ALWAYS
        looks.fold(sheet, [n for n, each in enumerate(columns, first) if each.path[0] not in seen])
    last = get_column_letter(len(heads))
    sheet.auto_filter.ref = f"A1:{last}{len(rows) + 1}"


_LEADING = {
    SCRIPT: "这一行是哪个剧本的，写剧本的编号。",
    OF_STEP: "在哪一步之后听，写步骤的编号；空着就是走剧本的时候随时听。",
}


def _rows(table: str, doc: dict[str, Doc], columns: Sequence[Column]) -> Iterator[tuple[str, ...]]:
    for part in _parts(doc, table):
        row = tuple(_shown(part, column, columns) for column in columns)
        yield ("", *row) if table == LISTENS else row
    if table == LISTENS:
        for step in _parts(doc, STEPS):
            for part in _parts(step, LISTENS):
                yield (
                    str(step["编号"]),
                    *(_shown(part, column, columns) for column in columns),
                )


def _parts(doc: dict[str, Doc], key: str) -> Iterator[dict[str, Doc]]:
    found = doc.get(key, [])
    assert isinstance(found, list)
    for part in found:
        assert isinstance(part, dict)
        yield part


def _shown(doc: dict[str, Doc], column: Column, columns: Sequence[Column]) -> str:
    value: Doc = doc
    for depth, key in enumerate(column.path):
        assert isinstance(value, dict)
        if depth and not value and _is_first(column, depth, columns):
            return EMPTY
        if key not in value:
            return ""
        value = value[key]
    return write_cell(value, column.kind)


def _is_first(column: Column, depth: int, columns: Sequence[Column]) -> bool:
    same = (each for each in columns if each.path[:depth] == column.path[:depth])
    return next(same) is column


def _notes(sheet: Worksheet) -> None:
    looks.head_row(sheet, [("怎么用", "", 110.0)], 0)
    for row, text in enumerate(_HELP, start=2):
        looks.put(_cell(sheet, row, 1), text)
    sheet.protection.sheet = True


def _refuse_long(book: Workbook) -> None:
    found = [
        Problem(
            f"{sheet.title}!{cell.coordinate}",
            0,
            "",
            "这段文字太长，Excel 一格放不下",
            f"剧本文件里写短到 {LONGEST} 个字以内",
        )
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and len(cell.value) >= LONGEST
    ]
    if found:
        raise ContentError(found)


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)
    return cell
