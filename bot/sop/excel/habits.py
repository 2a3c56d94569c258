"""What Excel makes of what people type: numbers for days, fractions for hours, formulas."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from openpyxl.cell.cell import Cell, MergedCell

from bot.sop.excel.cells import Unreadable
from bot.sop.excel.columns import Column

_SECONDS = 86400
_ESCAPED = re.compile(r"_x005F_(?=x[0-9A-Fa-f]{4}_)")  # how Excel keeps _x000D_ from being one
_LINE_END = re.compile(r"(?<!_x005F)_x000D_\n")  # Excel's own; of what it keeps so, it is text


def text_of(cell: Cell | MergedCell, column: Column | None = None) -> str:
    """Return what stands in a cell as it was meant; empty for an empty cell.

    Raises ``Unreadable`` for a formula and for Excel's own errors.
    """
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        raise Unreadable("这一格是公式", "改成它算出来的字：复制，再「选择性粘贴」为数值")
    if cell.data_type == "e":
        raise Unreadable(f"这一格是 Excel 的错误 {value}", "重新写上内容")
    if isinstance(value, str):
        value = _ESCAPED.sub("_", _LINE_END.sub("\n", value))
        return value.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return _day(value, str(cell.number_format or ""))
    if isinstance(value, time | timedelta):
        return _clock(value)
    clock = column is not None and column.clock
    return _number(float(value), clock=clock) if isinstance(value, float) else str(value)


def _day(value: date, number_format: str) -> str:
    """Write a day as the files have it: 10月1日 where Excel shows no year."""
    if isinstance(value, datetime) and (value.hour or value.minute):
        return f"{value:%Y-%m-%d %H:%M}"
    if "月" in number_format and "y" not in number_format.lower():
        return f"{value.month}月{value.day}日"
    return f"{value:%Y-%m-%d}"


def _clock(value: time | timedelta) -> str:
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds() // 60)
        return f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{value:%H:%M}"


def _number(value: float, *, clock: bool) -> str:
    if clock and 0 <= value < 1:
        return _clock(timedelta(seconds=round(value * _SECONDS)))
    return str(int(value)) if value.is_integer() else f"{value:.12g}"
