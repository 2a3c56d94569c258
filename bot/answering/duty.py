"""When somebody of the bank is there again: what is promised outside the hours hangs on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.persona import Persona

Duty = Callable[[datetime, str], datetime | None]
"""Return when somebody of a branch (its name, "" for the bank) is there again; None: is there."""

_WEEKDAYS = "一二三四五六日"


def duty_of(bank: Bank, tables: CalendarTables) -> Duty:
    """Go by the bank's own hours (服务时段), each branch's where it has its own."""

    def duty(now: datetime, branch: str) -> datetime | None:
        place = next((one.id for one in bank.branches if one.name == branch), "")
        return closed_until(bank, place, tables, now)

    return duty


def duty_by_persona(persona: Persona, zone: tzinfo) -> Duty:
    """Go by her own hours, the same every day: where no bank is known."""

    def duty(now: datetime, branch: str) -> datetime | None:
        opens, closes = persona.on_duty
        local = now.astimezone(zone)
        if opens <= local.time() < closes:
            return None
        day = local.date() if local.time() < opens else local.date() + timedelta(days=1)
        return datetime.combine(day, opens, tzinfo=zone)

    return duty


def closed_until(bank: Bank, branch: str, tables: CalendarTables, now: datetime) -> datetime | None:
    """Return when somebody is at a branch again (its 编号, "" for the bank); None while open."""
    opens = bank.hours_of(branch, tables).opens_at(now)
    return opens if opens > now else None


def said_as(opens: datetime, now: datetime, zone: tzinfo) -> str:
    """Say when somebody is there, as people do: 今天 08:30, 明天 08:30, 周一 08:30."""
    local, today = opens.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    if days < 2:
        return f"{'今天' if days < 1 else '明天'} {local:%H:%M}"
    if days < 7:
        return f"周{_WEEKDAYS[local.weekday()]} {local:%H:%M}"
    return f"{local.month}月{local.day}日 {local:%H:%M}"
