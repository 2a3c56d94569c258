"""Data of customers as the bank's own systems write them, read by the kind that is registered."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic_core import PydanticCustomError

from bot.domain.expression_values import grade_of
from bot.domain.fields import refuse
from bot.domain.own_days import read_lunar
from bot.domain.registry import AGE, LUNAR_BIRTHDAY, PAYDAY, FieldKind
from bot.domain.subject import Raw

NOT_KNOWN = "未知"  # in a cell: what was known before is taken away
_MOST_CHARS = 64
_OLDEST = 130
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?")
_DAYS = re.compile(r"(\d{4})\s*[-/.年]?\s*(\d{1,2})\s*[-/.月]?\s*(\d{1,2})\s*日?")
_CLOCK = re.compile(r"(.*?)[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?")
_YES = frozenset({"是", "有", "true", "yes", "y", "1", "同意"})
_NO = frozenset({"否", "无", "没有", "false", "no", "n", "0", "不同意"})
_CUSTOMER = re.compile(r"[A-Za-z0-9_\-]{4,64}")


def read_datum(name: str, kind: FieldKind, text: str) -> Raw:
    """Return a datum as it is kept; raise the error that says how to write it."""
    if kind is FieldKind.NUMBER:
        return _number(name, text)
    if kind is FieldKind.DATE:
        return read_day(text).isoformat()
    if kind is FieldKind.YES_NO:
        return _yes_no(text)
    if kind is FieldKind.GRADE:
        grade = grade_of(text)
        if grade is None or grade.letter != "C":
            raise refuse(f"「{text}」不是客户的风险等级", "写成 C1 到 C5")
        return str(grade)
    if len(text) > _MOST_CHARS:
        raise refuse(f"有 {len(text)} 个字，最多 {_MOST_CHARS} 个", "写短一些；长文字不是资料")
    if name == LUNAR_BIRTHDAY and read_lunar(text) is None:
        raise refuse(f"「{text}」不是农历的日子", "写成 八月初三 或 闰六月初三 的样子")
    return text


def _number(name: str, text: str) -> int | float:
    plain = text.replace(",", "").replace("，", "")
    if not _NUMBER.fullmatch(plain):
        raise refuse(f"「{text}」不是数", "只写数字，例如 65 或 12000.50")
    value = float(plain) if "." in plain else int(plain)
    if value == int(value):
        value = int(value)
    if name == AGE and not 0 <= value <= _OLDEST:
        raise refuse(f"年龄「{text}」不对", f"写 0 到 {_OLDEST} 的数")
    if name == PAYDAY and (value != int(value) or not 1 <= value <= 31):
        raise refuse(f"发薪日「{text}」不对", "写每月几号，1 到 31")
    return value


def read_day(text: str) -> date:
    """Read 2026-10-01, 2026/10/1, 20261001 or 2026年10月1日, with or without a time."""
    day = match[1] if (match := _CLOCK.fullmatch(text)) else text
    if match := _DAYS.fullmatch(day.strip()):
        try:
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            raise refuse(f"没有「{text}」这一天", "改成日历上有的日期") from None
    raise refuse(f"「{text}」不是日期", "写成 2026-10-01 的样子")


def read_moment(text: str, zone: ZoneInfo) -> datetime:
    """Read a day with its time of day; a day alone is its beginning."""
    day = read_day(text)
    match = _CLOCK.fullmatch(text)
    hour, minute, second = (int(part or 0) for part in match.groups()[1:]) if match else (0, 0, 0)
    if hour > 23 or minute > 59 or second > 59:
        raise refuse(f"「{text}」不是时刻", "写成 2026-10-01 09:30 的样子")
    begins = datetime.combine(day, datetime.min.time(), tzinfo=zone)
    return begins + timedelta(hours=hour, minutes=minute, seconds=second)


def _yes_no(text: str) -> bool:
    word = text.lower()
    if word not in _YES | _NO:
        raise refuse(f"「{text}」不是「是」或「否」", "写 是 或 否")
    return word in _YES


def read_customer(text: str) -> str:
    """Read a customer's external_userid."""
    if not _CUSTOMER.fullmatch(text):
        mend = "写企业微信的 external_userid，例如 wmAbc…；不写姓名和手机号"
        raise refuse(f"「{text[:20]}」不是客户的编号", mend)
    return text


def words_of(error: PydanticCustomError) -> tuple[str, str]:
    """Return what is wrong with a value, and the mend."""
    told = error.context or {}
    return str(told.get("what", "")), str(told.get("mend", ""))
