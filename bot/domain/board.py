"""The days of a plan that mass messages take, and whether one more fits; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from bot.domain.bank import BankEvent
from bot.domain.calendar import ONE_DAY
from bot.domain.script import SopScript
from bot.domain.steps import Overlay, SendBy, Step
from bot.domain.value import Value

Moved = Literal["", "rest_day", "overlay", "daily_cap", "weekly_cap", "earlier_step", "closed"]
WEEK = timedelta(days=7)


class PlanFacts(Value):
    """What a plan has to go by besides the file.

    ``fixed`` holds steps that are under way or over with their days: they keep them, take their
    quota, and are not planned again. Nothing is placed before ``not_before``. What is late by it
    moves what follows, even where rest days do not: with ``shift``.
    """

    events: tuple[BankEvent, ...] = ()
    bond_days: tuple[date, ...] = ()
    shift: bool = False
    earlier_broadcasts: tuple[date, ...] = ()
    fixed: dict[str, date] = Field(default_factory=dict)
    weekly_cap: int | None = None
    not_before: date | None = None


class Board:
    """The days that broadcasts take, and whether one more fits."""

    def __init__(
        self, script: SopScript, facts: PlanFacts, overlays: Mapping[date, Overlay]
    ) -> None:
        self._a_day = script.rails.broadcasts_a_day
        self._a_week = min(script.rails.broadcasts_a_week, facts.weekly_cap or 7)
        quota_ids = {part.id for part in script.parts if takes_quota(part)}
        self._taken = [day for id, day in facts.fixed.items() if id in quota_ids]
        self._taken += facts.earlier_broadcasts
        self._overlay_days: set[date] = set()
        self.refused: dict[str, Moved] = {}
        for day, overlay in sorted(overlays.items()):
            if takes_quota(overlay):
                obstacle = self.obstacle(day)
                if obstacle:
                    self.refused[overlay.id] = obstacle
                else:
                    self.take(day)
                    self._overlay_days.add(day)

    def obstacle(self, day: date) -> Moved:
        """Say why no broadcast fits on that day; empty if one does."""
        if self._taken.count(day) >= self._a_day:
            return "overlay" if day in self._overlay_days else "daily_cap"
        for back in range(7):
            first = day - back * ONE_DAY
            if sum(first <= taken < first + WEEK for taken in self._taken) >= self._a_week:
                return "weekly_cap"
        return ""

    def take(self, day: date) -> None:
        """Note a broadcast."""
        self._taken.append(day)


def takes_quota(part: Step | Overlay) -> bool:
    """Tell whether a part goes out as a mass-send task, of which a group gets few."""
    if isinstance(part, Overlay):
        return part.send_by is SendBy.BROADCAST
    return part.broadcast
