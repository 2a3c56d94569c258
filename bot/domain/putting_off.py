"""Until when a lead may be put off (稍后): in an hour, this afternoon, tomorrow morning; pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.calendar import ONE_DAY, CalendarTables

PutOffCode = Literal["hour", "afternoon", "morning"]
_AFTERNOON, _MORNING = time(14, 30), time(9, 0)
_HOUR = timedelta(hours=1)
_WEEKDAYS = "一二三四五六日"


class PutOff(NamedTuple):
    """One of the moments to choose from."""

    code: PutOffCode
    words: str
    until: datetime


def put_offs(now: datetime, zone: ZoneInfo, tables: CalendarTables) -> tuple[PutOff, ...]:
    """Return the moments to choose from, the nearest first; none twice.

    The afternoon is offered in the morning only; a morning is that of the next working day.
    """
    local = now.astimezone(zone)
    found = [PutOff("hour", "1 小时后", now + _HOUR)]
    afternoon = datetime.combine(local.date(), _AFTERNOON, tzinfo=zone)
    if afternoon > now + _HOUR and tables.is_workday(local.date()):
        found.append(PutOff("afternoon", "今天下午", afternoon))
    day = tables.next_workday(local.date() + ONE_DAY)
    words = "明天上午"
    if day != local.date() + ONE_DAY:
        away = (day - local.date()).days
        words = f"周{_WEEKDAYS[day.weekday()]}上午" if away < 7 else f"{day.month}月{day.day}日上午"
    found.append(PutOff("morning", words, datetime.combine(day, _MORNING, tzinfo=zone)))
    return tuple(found)


def put_off_until(
    code: str, now: datetime, zone: ZoneInfo, tables: CalendarTables
) -> datetime | None:
    """Return the moment that a choice stands for; None for one that is not offered now.

    「今天下午」 pressed on a card of this morning after the afternoon has begun means an hour.
    """
    offered: dict[str, datetime] = {one.code: one.until for one in put_offs(now, zone, tables)}
    return offered.get("hour" if code == "afternoon" and code not in offered else code)
