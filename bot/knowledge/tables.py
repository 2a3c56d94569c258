"""Tables of questions and answers to documents: one row an entry, every problem at its cell."""

from __future__ import annotations

import re
from collections.abc import Mapping as Rows
from pathlib import Path
from typing import NamedTuple

from bot.domain.ids import digest
from bot.errors import ContentError, Problem
from bot.knowledge.entries import OWN_ID, Read, Where, document_of
from bot.knowledge.files import ASLEEP, BookHead, QaEntry
from bot.knowledge.grids import Grid, Row, column_letter, error_values
from bot.yamlfile import (
    Entry,
    Items,
    Mapping,
    Node,
    Scalar,
    nearest,
    read_text,
    read_yaml,
    to_model,
)

DEFAULTS = "缺省"
_ASIDE = ("说明", "备注", "填写说明")
_HEADS_WITHIN = 10
_SAMPLE = (
    "缺省: {受众: 群可见, 生效: 2026-01-01, 失效: 2026-12-31, 负责人: 姓名, "
    "审批: {内容编号: X-1, 审批人: 姓名, 审批日: 2026-01-01}}"
)
_APPROVAL = ("内容编号", "审批人", "审批日", "有效期至")
# What people write over a column that stands for a key; what stands for none is theirs alone.
NAMES: Rows[str, tuple[str, ...]] = {
    "编号": ("编号", "问答编号", "ID", "id"),
    "类": ("类", "类别", "分类", "主题", "栏目"),
    "问": (
        *("问", "问题", "问法", "标准问", "标准问题", "客户问"),
        *("相似问", "相似问法", "相似问题", "其他问法", "扩展问", "扩展问法"),
    ),
    "答": ("答", "答案", "回答", "标准答案", "回复", "回复内容"),
    "受众": ("受众", "可见范围"),
    "生效": ("生效", "生效日", "生效日期", "开始日期"),
    "失效": ("失效", "失效日", "失效日期", "截止日期", "结束日期"),
    "地区": ("地区", "适用地区"),
    "产品": ("产品", "产品编号"),
    "内容编号": ("内容编号", "审批编号", "批文编号"),
    "审批日": ("审批日", "审批日期"),
    "有效期至": ("有效期至", "审批有效期至", "审批有效期"),
    **{name: (name,) for name in ("负责人", "审批人", "合规", "语气", "依据")},
    **{name: (name,) for name in ("风险等级", "动作", "状态")},
    "": ("备注", "序号", "更新", "更新日期", "最后修改"),
}
_HEADS = {name: key for key, names in NAMES.items() for name in names}
_DAYS = frozenset({"生效", "失效", "审批日", "有效期至"})
_BETWEEN = re.compile(r"[\n;；]")
_DAY = re.compile(r"(\d{4})[-年/.](\d{1,2})[-月/.](\d{1,2})日?(?: 00:00(?::00)?)?")


class _Column(NamedTuple):
    number: int
    title: str
    key: str


def read_table(grids: list[Grid], path: Path, file: str) -> Read:
    """Read the sheets of a table; a row that is wrong is left out and the others stay.

    What holds for all rows stands in NAME.xlsx.yaml, or on a sheet 缺省 of keys and values.
    Raises ``ContentError`` where no row can be read.
    """
    head = _head(grids, path, file)
    whole = Read([], [], [])
    heads = {grid.name: _columns(grid) for grid in grids if not _aside(grid)}
    unread = [name for name, columns in heads.items() if columns is None]
    if len(unread) == len(heads):
        what = "没有认出表头：要有「问」和「答」两列"
        raise ContentError([Problem(file, 1, "", what, "第一行写 编号、类、问、答，一条问答一行")])
    for grid in grids:
        columns = heads.get(grid.name)
        place = f"表「{grid.name}」" if len(heads) > 1 else ""
        if columns is None:
            if grid.name in unread and grid.rows:
                mend = "补上表头；不是问答的，把工作表改名为「说明」或隐藏"
                whole.problems.append(
                    Problem(file, 0, place, "没有认出表头，这张表没有读", mend, note=True)
                )
            continue
        one = _read_grid(grid, columns, head, Where(file, 0, place), path)
        whole.documents.extend(one.documents)
        whole.problems.extend(one.problems)
    return whole


def _aside(grid: Grid) -> bool:
    return grid.name == DEFAULTS or grid.name in _ASIDE or not grid.rows


def _head(grids: list[Grid], path: Path, file: str) -> BookHead:
    """Return what holds for every row: from the file beside, or from the sheet 缺省."""
    beside = path.with_name(f"{path.name}.yaml")
    sheet = next((grid for grid in grids if grid.name == DEFAULTS), None)
    if beside.is_file():
        name = f"{file}.yaml"
        head = to_model(read_yaml(read_text(beside, name), name), BookHead, name)
        if sheet is not None and sheet.rows:
            what = f"「{DEFAULTS}」写了两处：这个文件和旁边的 {beside.name}"
            raise ContentError([Problem(file, 0, f"表「{DEFAULTS}」", what, "留一处，删掉另一处")])
    elif sheet is not None:
        head = _from_sheet(sheet, file)
    else:
        head = BookHead.model_validate({})
    return head.model_copy(update={"library": head.library or path.stem})


def _from_sheet(grid: Grid, file: str) -> BookHead:
    parts: list[tuple[str, Node]] = []
    places: dict[str, str] = {}
    for row in grid.rows:
        key = _HEADS.get(row.cells[0], row.cells[0])
        if key in ("键", "项目") or len(row.cells) < 2:
            continue  # its own head, or a key that is left to the rows
        text = _day(row.cells[1]) if key in _DAYS else row.cells[1]
        parts.append((key, Scalar(text, row.line, '"')))
        places[key] = f"表「{DEFAULTS}」B{row.number}"
    own = [(key, value) for key, value in parts if key in ("库", "更新", "说明")]
    rest = [(key, value) for key, value in parts if key not in ("库", "更新", "说明")]
    node = _mapping([*own, (DEFAULTS, _nested(rest, 1))], 1)
    try:
        return to_model(node, BookHead, file)
    except ContentError as error:
        raise ContentError(_at_cell(problem, places) for problem in error.problems) from None


def _columns(grid: Grid) -> list[_Column] | None:
    """Find the row that has 问 and 答 over its columns; None where there is none."""
    for row in grid.rows[:_HEADS_WITHIN]:
        keys = {key_of(title) for title in row.cells}
        if {"问", "答"} <= keys:
            return [_Column(n, title, key_of(title)) for n, title in enumerate(row.cells) if title]
    return None


def key_of(title: str) -> str:
    """Return the key of a column's title; an unknown title is its own key."""
    bare = re.sub(r"[\s*＊:：]|[(（].*?[)）]", "", title)
    return _HEADS.get(bare, _HEADS.get(re.sub(r"\d+$", "", bare), bare))


def _read_grid(
    grid: Grid, columns: list[_Column], head: BookHead, where: Where, path: Path
) -> Read:
    unknown = [one for one in columns if one.key not in NAMES]
    top = next(n for n, row in enumerate(grid.rows) if _columns(Grid("", (row,))) is not None)
    if unknown:
        row = grid.rows[top]
        raise ContentError(
            Problem(
                where.file,
                row.line,
                f"{where.place}{column_letter(one.number)}{row.number}",
                f"不认识的表头「{one.title}」",
                nearest(one.title, filter(None, NAMES)) + "；只给自己看的，写成「备注」",
            )
            for one in unknown
        )
    lacking = _lacking(columns, head)
    if lacking:
        what = f"没有写{'、'.join(f'「{key}」' for key in lacking)}"
        mend = f"加上这几列；每行都一样的，新建 {path.name}.yaml，写上 {_SAMPLE}"
        raise ContentError([Problem(where.file, grid.rows[top].line, where.place, what, mend)])
    read = Read([], [], [])
    for row in grid.rows[top + 1 :]:
        at = Where(where.file, row.line, where.place)
        try:
            entry = _entry(row, columns, head, at, path)
            if entry is not None:
                read.documents.append(document_of(entry, head, at))
        except ContentError as error:
            read.problems.extend(error.problems)
    return read


def _lacking(columns: list[_Column], head: BookHead) -> list[str]:
    """Return what neither a column nor 缺省 says, and every entry must have."""
    there = {column.key for column in columns}
    given = head.defaults
    said = {
        "受众": given.audience,
        "生效": given.valid_from,
        "失效": given.valid_to,
        "负责人": given.owner,
        **dict.fromkeys(("内容编号", "审批人", "审批日"), given.approval),
    }
    return [key for key, value in said.items() if key not in there and value is None]


def _entry(
    row: Row, columns: list[_Column], head: BookHead, where: Where, path: Path
) -> QaEntry | None:
    """Return a row's entry; None for one that is asleep. Raises ``ContentError``."""
    wrong = error_values(row, where.file, where.place)
    if wrong:
        raise ContentError(wrong)
    parts: list[tuple[str, Node]] = []
    places: dict[str, str] = {}
    questions: list[Node] = []
    for column in columns:
        text = row.cells[column.number] if column.number < len(row.cells) else ""
        cell = f"{where.place}{column_letter(column.number)}{row.number} {column.title}"
        if column.key:
            places.setdefault(column.key, cell)
        if not text or not column.key:
            continue
        if column.key == "问":
            questions += [Scalar(one, row.line, '"') for one in _wordings(text)]
        else:
            parts.append((column.key, _value(column.key, text, row, where.file, cell)))
    said = dict(parts)
    if questions:
        parts.append(("问", Items(tuple(questions), row.line)))
        first = questions[0].text if isinstance(questions[0], Scalar) else ""
        if "编号" not in said:
            own = digest(path.stem, where.place, first, size=5)
            parts.append(("编号", Scalar(f"{OWN_ID}{own}", row.line, '"')))
    if "类" not in said:
        topic = head.defaults.topic or head.library or path.stem
        parts.append(("类", Scalar(topic, row.line, '"')))
    try:
        entry = to_model(_nested(parts, row.line), QaEntry, where.file)
    except ContentError as error:
        raise ContentError(_at_cell(problem, places) for problem in error.problems) from None
    return None if entry.status in ASLEEP else entry


def _wordings(text: str) -> list[str]:
    return list(dict.fromkeys(one.strip() for one in _BETWEEN.split(text) if one.strip()))


def _value(key: str, text: str, row: Row, file: str, cell: str) -> Node:
    """Return what a cell says; 动作 are written as in YAML, one on a line."""
    if key in _DAYS:
        text = _day(text)
    if key == "编号":
        text = text.lower()
    if key == "合规" and text in ("是", "有", "需要"):
        text = "须带风险提示"
    if key != "动作":
        return Scalar(text, row.line, '"')
    try:
        actions = [read_yaml(one, file) for one in text.splitlines() if one.strip()]
    except ContentError as error:
        raise ContentError(
            Problem(file, row.line, cell, problem.what, problem.mend) for problem in error.problems
        ) from None
    return Items(tuple(actions), row.line)


def _day(text: str) -> str:
    """Write a day as the files have it, however the table shows it."""
    match = _DAY.fullmatch(text.strip())
    return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}" if match else text


def _nested(parts: list[tuple[str, Node]], line: int) -> Mapping:
    """Put the columns of the approval under 审批."""
    own = [part for part in parts if part[0] not in _APPROVAL]
    approval = [part for part in parts if part[0] in _APPROVAL]
    return _mapping([*own, ("审批", _mapping(approval, line))] if approval else own, line)


def _mapping(parts: list[tuple[str, Node]], line: int) -> Mapping:
    kept = dict(parts)  # of two columns with one meaning the last speaks
    return Mapping(tuple(Entry(key, line, value) for key, value in kept.items()), line)


def _at_cell(problem: Problem, places: Rows[str, str]) -> Problem:
    """Point at the cell instead of the key: 审批.审批日 stands in a column of its own."""
    words = [re.sub(r"\[\d+\]", "", word) for word in problem.key.split(".")]
    cell = next((places[word] for word in reversed(words) if word in places), problem.key)
    return Problem(problem.file, problem.line, cell, problem.what, problem.mend)
