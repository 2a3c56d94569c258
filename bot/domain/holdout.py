"""Who is left alone by the whole bank, or by a group of scripts, to be compared with the rest."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from bot.domain.audience import bucket
from bot.domain.bank import Bank
from bot.domain.script import SopScript
from bot.domain.value import Value

Layer = Literal["", "global", "program", "script"]
WASH_OUT_DAYS = 28  # last year's holdout is still left alone for so long (S4)


class Holdouts(Value):
    """The shares that no script may market to: of the bank, and of 互斥组 by their names."""

    everywhere: float = 0.0
    programs: dict[str, float] = Field(default_factory=dict)


def may_not_sell_to(
    unit: str,
    script: SopScript,
    bank: Bank,
    now: datetime,
    holdouts: Holdouts,
    *,
    spared: bool = False,
) -> Layer:
    """Name the layer drawn anew every year that keeps what sells from a subject; "" for none.

    It is asked again while a run goes on, so that one begun in December sells nothing to whom
    January draws (I6). What is ``spared`` reaches those, too, whom the whole bank leaves alone.
    """
    everywhere, program = 0.0 if spared else holdouts.everywhere, script.exclusive
    share = holdouts.programs.get(program, 0.0) if program else 0.0
    if not (everywhere or share):
        return ""
    years = _years(now, bank.zone)
    if any(bucket(f"gh-{year}", unit) < everywhere for year in years):
        return "global"
    held = any(bucket(f"ph-{program}-{year}", unit) < share for year in years)
    return "program" if held else ""


@lru_cache(maxsize=16)
def _years(now: datetime, zone: ZoneInfo) -> tuple[int, ...]:
    """Return the years by which holdouts are drawn: this one, and in January last one, too."""
    today = now.astimezone(zone).date()
    washing_out = (today - date(today.year, 1, 1)).days < WASH_OUT_DAYS
    return (today.year, today.year - 1) if washing_out else (today.year,)
