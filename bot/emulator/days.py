"""The days of statistics: whole days of the bank's zone, how far back, how many at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

ZONE = ZoneInfo("Asia/Shanghai")
KEPT_DAYS = 180


def day_of(moment: datetime) -> date:
    """Return the bank's day in which a moment lies."""
    return moment.astimezone(ZONE).date()


def stamp(day: date) -> int:
    """Return the Unix second in which a day begins."""
    return int(datetime.combine(day, time(), ZONE).timestamp())


def span(world: World, begin: int, end: int, *, longest: int) -> Iterator[date]:
    """Return the days from one moment to another; refuse too many, too early, or today."""
    try:
        first, last = (day_of(datetime.fromtimestamp(at, UTC)) for at in (begin, end))
    except (ValueError, OverflowError, OSError):
        raise ApiError(40058, "not a time") from None
    today = day_of(world.now())
    if not first <= last:
        raise ApiError(40058, "the end is before the beginning")
    if (last - first).days + 1 > longest:
        raise ApiError(40058, f"at most {longest} days at once")
    if last >= today or first < today - timedelta(days=KEPT_DAYS):
        raise ApiError(40058, f"statistics go from yesterday back to {KEPT_DAYS} days ago")
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
