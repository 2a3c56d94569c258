"""Tables that the bank's own systems hand over: customers' data, and what customers did.

A file is read twice, row by row: checked whole first, written only then; it is never all in
memory. CSV may be UTF-8 or GBK, XLSX is its first sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from pydantic_core import PydanticCustomError

from bot.domain.bank import Bank
from bot.domain.datum import NOT_KNOWN, read_customer, read_datum, read_moment, words_of
from bot.domain.fields import refuse
from bot.domain.happening import Happened
from bot.domain.subject import Raw
from bot.errors import Problem
from bot.log import mask_numbers
from bot.workers.table_files import Cells, open_table

CUSTOMER, EVENT, MOMENT, NUMBER = "客户", "事件", "时间", "编号"
_MOST_PROBLEMS = 200
_AHEAD = timedelta(hours=1)  # the clocks of the bank's systems may be before ours
_MOST_NUMBER = 120
T = TypeVar("T")
V = TypeVar("V")


class Checked(NamedTuple):
    """What a file came to when it was checked: good rows, bad lines, and every problem."""

    good: int
    bad: frozenset[int]
    problems: tuple[Problem, ...]
    more: int
    """How many problems there are besides those that are listed."""


class Table(Generic[T]):
    """A file whose rows are read by ``row``; that raises the error that says how to mend a cell.

    ``key`` gives what no two rows may share, or "" for rows that may repeat.
    """

    def __init__(
        self,
        path: Path,
        check_head: Callable[[Sequence[str]], Iterator[tuple[str, str, str]]],
        row: Callable[[Mapping[str, str]], T],
        key: Callable[[T], str],
    ) -> None:
        self._path = path
        self._check_head = check_head
        self._row = row
        self._key = key

    def check(self) -> Checked:
        """Read every row; return what is wrong, with the line and the column of each."""
        name = self._path.name
        head, rows = open_table(self._path)
        problems = [Problem(name, 1, key, what, mend) for key, what, mend in self._check_head(head)]
        if problems:
            return Checked(0, frozenset(), tuple(problems), 0)
        seen: dict[str, int] = {}
        bad: set[int] = set()
        good = more = 0
        with closing(rows):
            for row in rows:
                found = self._judge(name, head, row, seen)
                line = row.line
                if not found:
                    good += 1
                    continue
                bad.add(line)
                room = max(0, _MOST_PROBLEMS - len(problems))
                problems += found[:room]
                more += len(found) - len(found[:room])
        return Checked(good, frozenset(bad), tuple(problems), more)

    def rows(self, but: frozenset[int] = frozenset()) -> Iterator[T]:
        """Give every row but those of some lines; the file was checked before."""
        head, rows = open_table(self._path)
        with closing(rows):
            for line, cells in rows:
                if line not in but:
                    yield self._row(dict(zip(head, cells, strict=False)))

    def _judge(
        self, name: str, head: Sequence[str], row: Cells, seen: dict[str, int]
    ) -> list[Problem]:
        if len(row.cells) > len(head) and any(row.cells[len(head) :]):
            what = f"有 {len(row.cells)} 格，表头只有 {len(head)} 格"
            return [Problem(name, row.line, "", what, "多出的逗号用引号括起来，或删掉")]
        try:
            read = self._row(dict(zip(head, row.cells, strict=False)))
        except _BadCells as error:
            return [Problem(name, row.line, *told) for told in error.told]
        key = self._key(read)
        first = seen.setdefault(key, row.line) if key else row.line
        if first != row.line:
            what = f"和第 {first} 行是同一个「{key}」"
            return [Problem(name, row.line, "", what, "只留一行")]
        return []


class _BadCells(Exception):
    def __init__(self, told: list[tuple[str, str, str]]) -> None:
        self.told = told
        super().__init__()


def facts_table(path: Path, bank: Bank) -> Table[tuple[str, dict[str, Raw | None]]]:
    """Return a table of customers' data; its columns are 客户 and registered 客户资料."""
    kinds = bank.field_kinds

    def head(names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        yield from _check_head(names, (CUSTOMER,), kinds)
        if CUSTOMER in names and len(names) == 1:
            yield "", "除了「客户」没有别的列", f"加上资料的列，例如 {'、'.join(list(kinds)[:3])}"

    def row(cells: Mapping[str, str]) -> tuple[str, dict[str, Raw | None]]:
        bad: list[tuple[str, str, str]] = []
        customer = _cell(bad, CUSTOMER, cells.get(CUSTOMER, ""), read_customer) or ""
        data: dict[str, Raw | None] = {}
        for name, text in cells.items():
            if name == CUSTOMER or not text:
                continue  # an empty cell tells nothing
            if text == NOT_KNOWN:
                data[name] = None
                continue
            datum = _cell(bad, name, text, partial(read_datum, name, kinds[name]))
            if datum is not None:
                data[name] = datum
        if bad:
            raise _BadCells(bad)
        return customer, data

    return Table(path, head, row, lambda read: read[0])


def events_table(path: Path, bank: Bank, now: datetime) -> Table[Happened]:
    """Return a table of what customers did: 客户, 事件, 时间, 编号."""
    names = (CUSTOMER, EVENT, MOMENT, NUMBER)

    def event(text: str) -> str:
        if text not in bank.event_names:
            near = get_close_matches(text, bank.event_names, 1, 0.4)
            mend = f"是不是「{near[0]}」" if near else "先在工作目录的「客户事件」里登记"
            raise refuse(f"没有「{text}」这个事件", mend)
        return text

    def moment(text: str) -> datetime:
        at = read_moment(text, bank.zone)
        if at > now + _AHEAD:
            raise refuse(f"「{text}」还没有到", "写事情发生的时间")
        return at

    def row(cells: Mapping[str, str]) -> Happened:
        bad: list[tuple[str, str, str]] = []
        customer = _cell(bad, CUSTOMER, cells.get(CUSTOMER, ""), read_customer)
        kind = _cell(bad, EVENT, cells.get(EVENT, ""), event)
        at = _cell(bad, MOMENT, cells.get(MOMENT, ""), moment)
        number = _cell(bad, NUMBER, cells.get(NUMBER, ""), _event_number)
        if bad or customer is None or kind is None or at is None or number is None:
            raise _BadCells(bad)
        return Happened(key=f"bank:{number}", kind=kind, subject=customer, at=at)

    return Table(path, lambda head: _check_head(head, names, names), row, lambda read: read.key)


def _check_head(
    head: Sequence[str], needed: Sequence[str], known: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    for name in needed:
        if name not in head:
            yield name, f"表头里没有「{name}」", f"第一行要有这些列：{'、'.join(needed)}"
    for number, name in enumerate(head):
        if name in head[:number]:
            yield name, f"「{name}」有两列", "删掉一列"
        elif name not in known and name not in needed:
            near = get_close_matches(name, [*needed, *known], 1, 0.5)
            mend = f"是不是「{near[0]}」" if near else "先在「客户资料」里登记，或删掉这一列"
            yield name, f"不认识「{name}」这一列" if name else "有一列没有名字", mend


def _cell(
    bad: list[tuple[str, str, str]], name: str, text: str, read: Callable[[str], V]
) -> V | None:
    """Read a cell; what is wrong with it goes to ``bad``. Phone and card numbers never go in."""
    if mask_numbers(text) != text:
        what = f"「{mask_numbers(text)}」像手机号、证件号或卡号"
        bad.append((name, what, "这些号码不放进资料：删掉，或换成别的编号"))
        return None
    if not text:
        bad.append((name, "空着没有填", f"填上{name}"))
        return None
    try:
        return read(text)
    except PydanticCustomError as error:
        bad.append((name, *words_of(error)))
        return None


def _event_number(text: str) -> str:
    if len(text) > _MOST_NUMBER:
        raise refuse(f"编号有 {len(text)} 个字", f"最多 {_MOST_NUMBER} 个")
    return text
