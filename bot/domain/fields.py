"""The small words of the files that people edit: times, windows, days, yes and no, names."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_OTHER_DASH = re.compile(r"[~～—–－到至]")
_DAY_OTHERWISE = re.compile(r"(\d{4})[年/.](\d{1,2})[月/.](\d{1,2})日?")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")
_YES = frozenset({"true", "是"})
_NO = frozenset({"false", "否"})


def refuse(what: str, mend: str) -> PydanticCustomError:
    """Make the error that says what is wrong with a value and how to mend it."""
    return PydanticCustomError("refused", "{what}", {"what": what, "mend": mend})


def read_time(text: str) -> time:
    """Read ``HH:MM``; the minute may not be left out."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        mend = "写成 09:30 的样子，用英文冒号"
        if text.strip() == "24:00":
            mend = "最晚写 23:59"
        raise refuse(f"「{text}」不是时刻", mend)
    return time(int(match[1]), int(match[2]))


def _window(value: object) -> object:
    if not isinstance(value, str):
        return value
    opens, dash, closes = value.partition("-")
    if not dash:
        raise refuse(f"「{value}」不是时间段", _window_mend(value))
    window = (read_time(opens), read_time(closes))
    if window[0] == window[1]:
        raise refuse(f"「{value}」的起止是同一时刻", "把结束时刻改晚一些")
    return window


def _window_mend(text: str) -> str:
    if _TIME.fullmatch(text.strip()):
        return f'还要写到几点，写成 "{text.strip()}-10:30" 的样子'
    if _OTHER_DASH.search(text):
        return '起止之间用英文的减号，写成 "09:30-10:30" 的样子'
    return '写成 "09:30-10:30" 的样子'


def _same_day(window: tuple[time, time]) -> tuple[time, time]:
    if window[1] <= window[0]:
        what = f"「{write_window(window)}」的结束早于开始"
        raise refuse(what, "发送时间不能跨夜，分清上午和下午")
    return window


def write_window(window: tuple[time, time]) -> str:
    """Write a window as the files have it."""
    return f"{window[0]:%H:%M}-{window[1]:%H:%M}"


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            if _DAY.fullmatch(value.strip()):
                return date.fromisoformat(value.strip())
        except ValueError:
            raise refuse(f"没有「{value}」这一天", "改成日历上有的日期") from None
        raise refuse(f"「{value}」不是日期", _day_mend(value))
    return value


def _day_mend(text: str) -> str:
    """Write the day as it is wanted, where it can be made out."""
    match = _DAY_OTHERWISE.fullmatch(text.strip())
    if match is None:
        return "写成 2026-09-01 的样子"
    return f"写成 {match[1]}-{int(match[2]):02}-{int(match[3]):02}"


def _yes_no(value: object) -> object:
    if isinstance(value, str):
        word = value.strip().lower()
        if word not in _YES | _NO:
            raise refuse(f"「{value}」不是「是」或「否」", "写 true 或 false")
        return word in _YES
    return value


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        better = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
        mend = "只用小写字母、数字和连字符，例如 d01-welcome"
        if _SLUG.fullmatch(better) and value.isascii():
            mend = f"只用小写字母、数字和连字符，例如改成 {better}"
        raise refuse(f"编号「{value}」写法不对", mend)
    return value


def written(pattern: str) -> WithJsonSchema:
    """Tell editors how a value is written: as text of this form."""
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})


Window = Annotated[
    tuple[time, time],
    BeforeValidator(_window),
    PlainSerializer(write_window, return_type=str),
    written(r"([01]?\d|2[0-3]):[0-5]\d-([01]?\d|2[0-3]):[0-5]\d"),
]
DayWindow = Annotated[Window, AfterValidator(_same_day)]
Day = Annotated[date, BeforeValidator(_day), written(r"\d{4}-\d{2}-\d{2}")]
YesNo = Annotated[
    bool, BeforeValidator(_yes_no), WithJsonSchema({"enum": [True, False, "是", "否"]})
]
Slug = Annotated[str, AfterValidator(_slug), written(_SLUG.pattern)]
# A file's text may look like a number: 「期待回复: [1, 2]」.
Words = Annotated[
    str, Field(min_length=1), WithJsonSchema({"type": ["string", "number"], "minLength": 1})
]
WordList = Annotated[tuple[Words, ...], Field(min_length=1)]
