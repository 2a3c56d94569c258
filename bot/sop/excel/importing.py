"""Workbook → scripts: every problem names its cell, what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from bot.domain.script import SopScript
from bot.errors import ContentError, Problem
from bot.sop.excel.columns import (
    LISTENS,
    OVERLAYS,
    STEPS,
    TABLES,
    Column,
    script_columns,
    table_columns,
)
from bot.sop.excel.export import DEFAULT, HEAD, KEY, NOTES, OF_STEP, SAMPLE, SCRIPT, VALUE, WORDS
from bot.sop.excel.reading import (
    Places,
    Row,
    nested,
    part_of,
    read_heads,
    read_rows,
    read_value,
    refuse_huge,
    refuse_merged,
    text_at,
)
from bot.yamlfile import Items, Mapping, Node, nearest, to_model
from bot.yamlfile.nodes import Entry

_ASIDE = (DEFAULT, WORDS, SAMPLE)
_SHEETS = (HEAD, *TABLES)


@dataclass
class _Draft:
    """One script as far as it is read."""

    head: Mapping
    parts: dict[str, list[Row]] = field(default_factory=lambda: {each: [] for each in TABLES})

    @property
    def id(self) -> str:
        return text_at(self.head, "编号")


def import_scripts(data: bytes, file: str) -> list[SopScript]:
    """Read the scripts of a workbook; raises ``ContentError`` with every problem's cell."""
    book = _opened(data, file)
    places = Places(file)
    sheets = _sheets(book, places)
    if HEAD not in sheets:
        mend = "用「zhilin sop export」导出一份，在它上面改"
        raise ContentError([*places.problems, Problem(file, 0, "", f"缺少工作表「{HEAD}」", mend)])
    for sheet in sheets.values():
        refuse_merged(sheet, places)
        refuse_huge(sheet, places)
    if places.problems:
        raise ContentError(places.problems)
    drafts = [_Draft(head) for head in _heads(sheets[HEAD], places)]
    for table in TABLES:
        if table in sheets:
            _deal(sheets[table], table, drafts, places)
    if not drafts:
        said = ("没有写剧本", f"在「{VALUE}」那一列写上各个键的内容")
        places.refuse(places.mark(HEAD, "B2"), "", said)
    scripts = [_script(draft, places) for draft in drafts]
    _refuse_same_ids(drafts, places)
    if places.problems:
        raise ContentError(places.problems)
    return [script for script in scripts if script is not None]


def _opened(data: bytes, file: str) -> Workbook:
    try:
        return load_workbook(BytesIO(data))
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        mend = "用 Excel 打开它，另存为「Excel 工作簿(.xlsx)」；有密码的先去掉密码"
        raise ContentError([Problem(file, 0, "", "不是能读的 Excel 工作簿", mend)]) from error


def _sheets(book: Workbook, places: Places) -> dict[str, Worksheet]:
    """Return the sheets in sight; one that nobody knows is refused unless it is empty."""
    found: dict[str, Worksheet] = {}
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible" or sheet.title.strip() == NOTES:
            continue
        name = sheet.title.strip()
        if name in _SHEETS:
            found[name] = sheet
        elif sheet.max_row > 1 or sheet["A1"].value is not None:
            said = (f"不认识的工作表「{name}」", f"{nearest(name, _SHEETS)}；草稿就把它隐藏")
            places.refuse(places.mark(name, "A1"), "", said)
    return found


def _heads(sheet: Worksheet, places: Places) -> Iterator[Mapping]:
    """Read the sheet with one key a row and one column of values for each script."""
    titles = {str(cell.value or "").strip(): at for at, cell in enumerate(sheet[1], start=1)}
    keys = titles.get(KEY)
    values = [number for title, number in titles.items() if title.startswith(VALUE)]
    for title in titles:
        if title and title not in (KEY, *_ASIDE) and not title.startswith(VALUE):
            said = (f"不认识的表头「{title}」", nearest(title, (KEY, VALUE, *_ASIDE)))
            places.refuse(
                places.mark(sheet.title, f"{get_column_letter(titles[title])}1"), "", said
            )
    if keys is None or not values:
        said = ("找不到「键」和「内容」这两列", "表头照导出的样子写")
        places.refuse(places.mark(sheet.title, "A1"), "", said)
        return
    known = _known_keys(sheet, keys, places)
    for number in values:
        parts = []
        for row, column in known.items():
            cell = sheet.cell(row, number)
            place = places.mark(sheet.title, cell.coordinate)
            text, node = read_value(cell, column, place, places)
            if text.strip() and node is not None:
                parts.append(part_of(column, text, node))
        if parts:
            yield nested(parts, places.mark(sheet.title, f"{get_column_letter(number)}1"))


def _known_keys(sheet: Worksheet, number: int, places: Places) -> dict[int, Column]:
    columns = {column.name: column for column in script_columns()}
    found: dict[int, Column] = {}
    seen: set[str] = set()
    for row in range(2, sheet.max_row + 1):
        name = str(sheet.cell(row, number).value or "").strip()
        place = places.mark(sheet.title, sheet.cell(row, number).coordinate)
        if not name:
            continue
        if name not in columns:
            places.refuse(place, "", (f"不认识的键「{name}」", nearest(name, columns)))
        elif name in seen:
            places.refuse(place, "", (f"键「{name}」写了两次", "删掉其中一行"))
        else:
            seen.add(name)
            found[row] = columns[name]
    return found


def _deal(sheet: Worksheet, table: str, drafts: Sequence[_Draft], places: Places) -> None:
    """Give each row of a sheet to its script."""
    leading = [SCRIPT, OF_STEP] if table == LISTENS else [SCRIPT]
    heads = read_heads(sheet, table_columns(table), leading, places)
    by_id = {draft.id: draft for draft in drafts}
    for row in read_rows(sheet, heads, places):
        named, place = row.leading.get(SCRIPT, ("", row.places.get(SCRIPT, row.place)))
        if named in by_id:
            by_id[named].parts[table].append(row)
        elif not named and len(drafts) == 1:
            drafts[0].parts[table].append(row)
        elif drafts:
            what = f"没有编号是「{named}」的剧本" if named else "没有写是哪个剧本的"
            places.refuse(place, SCRIPT, (what, nearest(named, by_id)))


def _script(draft: _Draft, places: Places) -> SopScript | None:
    node = _whole(draft, places)
    _refuse_twice(draft, places)
    try:
        return to_model(node, SopScript, places.file)
    except ContentError as error:
        for problem in error.problems:
            said = (problem.what, problem.mend)
            place = _place_of(problem, draft) or problem.line
            places.refuse(place, problem.key, said)
        return None


def _place_of(problem: Problem, draft: _Draft) -> int:
    """Return the cell of a key that is missing in a row, where the sheet has a column for it."""
    table, bracket, rest = problem.key.partition("[")
    number, _, key = rest.partition("].")
    if not bracket or table not in (STEPS, OVERLAYS) or not number.isdigit():
        return 0
    rows = draft.parts[table]
    return rows[int(number) - 1].places.get(key, 0) if int(number) <= len(rows) else 0


def _whole(draft: _Draft, places: Places) -> Mapping:
    """Put the rows under their keys, and what is listened for under its step."""
    entries = list(draft.head.entries)
    heard: dict[str, list[Node]] = {}
    ids = {text_at(row.node, "编号") for row in draft.parts[STEPS]}
    for row in draft.parts[LISTENS]:
        step, place = row.leading.get(OF_STEP, ("", 0))
        if step and step not in ids:
            mend = nearest(step, sorted(ids))
            places.refuse(place, OF_STEP, (f"没有「{step}」这一步", mend))
            continue
        heard.setdefault(step, []).append(row.node)
    for table in TABLES:
        items: list[Node] = [row.node for row in draft.parts[table]]
        if table == STEPS:
            items = [_listening(row.node, heard) for row in draft.parts[table]]
        elif table == LISTENS:
            items = heard.get("", [])
        if items:
            entries.append(Entry(table, items[0].line, Items(tuple(items), items[0].line)))
    return Mapping(tuple(entries), draft.head.line)


def _listening(step: Mapping, heard: dict[str, list[Node]]) -> Mapping:
    mine = heard.pop(text_at(step, "编号"), [])
    if not mine:
        return step
    entry = Entry(LISTENS, mine[0].line, Items(tuple(mine), mine[0].line))
    return Mapping((*step.entries, entry), step.line)


def _refuse_twice(draft: _Draft, places: Places) -> None:
    first: dict[str, int] = {}
    for row in (*draft.parts[STEPS], *draft.parts[OVERLAYS]):
        id = text_at(row.node, "编号")
        if id and id in first:
            where = places.cells[first[id] - 1]
            said = (f"编号「{id}」在 {where} 已经用过", "换一个编号；已经发过的那一步不要改")
            places.refuse(row.place, "编号", said)
        first.setdefault(id, row.place)


def _refuse_same_ids(drafts: Sequence[_Draft], places: Places) -> None:
    seen: set[str] = set()
    for draft in drafts:
        entry = draft.head.entry("编号")
        if entry is not None and draft.id in seen:
            said = (f"两个剧本的编号都是「{draft.id}」", "换一个编号")
            places.refuse(entry.line, "编号", said)
        seen.add(draft.id)
