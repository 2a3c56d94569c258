"""The calendar of a simulation in tables: what goes out when, what has no day, what moved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from bot.cli.sop_words import MOVED, in_words, short_day
from bot.terminal import columns_of, padded

Report = Mapping[str, Any]
_MANY_SHIFTS = 31


def table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """Give rows as aligned lines; the columns in ``right`` are set to the right."""
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            filled = padded(cell, width)
            cells.append(filled[len(cell) :] + cell if place in right else filled)
        yield ("  " + "  ".join(cells)).rstrip()


def calendar_lines(rows: Sequence[Report], unit: str) -> Iterator[str]:
    """Give the calendar, each row followed by its words and by what was lost."""
    yield ""
    yield f"日历(一行一步，数的是{unit[1:]}；每一步第一次出现时写一份原话)"
    if not rows:
        yield "  这些日子里一步也没有"
        return
    heads = ("日子", "第几天", "时间", "方式", "类型", "步骤", "计划", "送到", "七天里还能发")
    cells = [heads, *(_cells(row) for row in rows)]
    lines = list(table(cells, right={1, 6, 7}))
    yield lines[0]
    told: set[tuple[str, str]] = set()
    for line, row in zip(lines[1:], rows, strict=True):
        yield line
        yield from _beneath(row)
        step = row["step"], row["variant"]
        if row["texts"] and step not in told:
            told.add(step)
            yield from _words(row["texts"])


def _cells(row: Report) -> tuple[str, ...]:
    left = row["quota_left"]
    return (
        short_day(date.fromisoformat(row["on"])) + ("*" if row["provisional"] else ""),
        "-".join(dict.fromkeys(map(_day_number, row["day"]))),
        row["window"],
        row["way"],
        row["kind"],
        row["step"] + (f"({row['variant']})" if row.get("variant") else ""),
        str(row["planned"]),
        str(row["delivered"]),
        "" if left is None else f"{left} 条",
    )


def _beneath(row: Report) -> Iterator[str]:
    if row["moved"]:
        whence = date.fromisoformat(row["moved_from"])
        why = "、".join(MOVED.get(reason, reason) for reason in row["moved"])
        yield f"      ← 原定 {short_day(whence)}，{why}"
    if row["losses"]:
        yield "      少了：" + "，".join(f"{in_words(r)} {n}" for r, n in row["losses"].items())
    if row["pending"]:
        yield f"      还没有结果 {row['pending']}"


def _day_number(number: int) -> str:
    """Return a day of a run as ops count it: day 1 is the anchor, and what lies before it."""
    return str(number) if number > 0 else f"前{1 - number}天"


def _words(texts: Sequence[Report]) -> Iterator[str]:
    for line in texts[0]["text"].splitlines():
        yield f"      │ {line}"
    if len(texts) > 1:
        yield f"      (同事、网点、客户不同，一共 {len(texts)} 种写法，都在 --json 里)"


def unplaced_lines(rows: Sequence[Report], unit: str) -> Iterator[str]:
    """Give what has no day, each step once with the reason."""
    if not rows:
        return
    yield ""
    yield "没有排上日子的步骤(进来时那一天已经过了，或者不知道是哪一天)"
    cells = [("步骤", "类型", "方式", unit[1:] + "数", "为什么")]
    for row in rows:
        why = in_words(row["reason"])
        cells.append((row["step"], row["kind"], row["way"], str(row["subjects"]), why))
    yield from table(cells, right={3})


def special_days(days: Sequence[Report], rows: Sequence[Report]) -> Iterator[str]:
    """Give holidays and make-up working days, and which steps lie in unpublished years."""
    yield ""
    yield "放假和调休"
    if not days:
        yield "  这段时间没有法定节假日和调休"
    for first, last, kind, source in _spans(days):
        until = "" if first == last else f" 到 {short_day(last)}"
        word = "放假" if kind == "holiday" else "调休，要上班"
        yield f"  {short_day(first)}{until} {word}({_source(source)})"
    late = [row for row in rows if not row["approved"]]
    if late:
        yield f"  有 {len(late)} 步不在审批的有效期内：真跑时会停下等新的审批，这里照常往下算"
    guessed = [row for row in rows if row["provisional"]]
    if guessed:
        yield (
            f"  带 * 的 {len(guessed)} 步落在放假安排还没公布的年份，"
            "先按周末推算；国务院公布以后请再预演一次"
        )


def _source(source: str) -> str:
    return "国务院公布" if source == "official" else "推算，未公布"


def _spans(days: Sequence[Report]) -> Iterator[tuple[date, date, str, str]]:
    """Join days that follow one another and are of one kind."""
    numbered = [(date.fromisoformat(day["on"]), day["kind"], day["source"]) for day in days]
    places = enumerate(numbered)
    for _, run in groupby(places, lambda it: (it[1][0].toordinal() - it[0], *it[1][1:])):
        held = [each for _, each in run]
        yield held[0][0], held[-1][0], held[0][1], held[0][2]


def shift_lines(shifts: Sequence[Report], unit: str) -> Iterator[str]:
    """Give the steps that stand on another day than the file's own."""
    if not shifts:
        return
    yield ""
    yield "挪了日子的步骤"
    rows = [("步骤", "原定", "改到", unit[1:] + "数", "为什么")]
    for shift in shifts[:_MANY_SHIFTS]:
        days = [short_day(date.fromisoformat(shift[key])) for key in ("from", "to")]
        why = MOVED.get(shift["reason"], shift["reason"])
        rows.append((shift["step"], *days, str(shift["subjects"]), why))
    yield from table(rows, right={3})
    if len(shifts) > _MANY_SHIFTS:
        yield f"  还有 {len(shifts) - _MANY_SHIFTS} 处，都在 --json 里"
