"""How many mass messages a customer or a customer group may receive, corporate and personal alike.

WeCom's own rule is as many in a calendar month as the month has days; the bank may set seven
a week or one a day instead (§5.7). A world may hold several rules at once.
"""

from __future__ import annotations

import calendar
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

QuotaRule = Literal["days_in_month", "7_per_week", "1_per_day"]
ALL_RULES: tuple[QuotaRule, ...] = ("days_in_month", "7_per_week", "1_per_day")
BANK_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class Quota:
    """The rules that all must leave room, and what each recipient had in each period."""

    rules: tuple[QuotaRule, ...] = ("days_in_month", "1_per_day")
    _had: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self, recipient: str, now: datetime) -> bool:
        """Use one mass message of a recipient's room; tell whether there was any."""
        today = now.astimezone(BANK_ZONE).date()
        if any(
            self._had[recipient, _period(rule, today)] >= _limit(rule, today) for rule in self.rules
        ):
            return False
        # Every period is counted, so that a rule set later knows what was sent before.
        for period in {_period(rule, today) for rule in ALL_RULES}:
            self._had[recipient, period] += 1
        return True


def _period(rule: QuotaRule, day: date) -> str:
    if rule == "days_in_month":
        return f"{day:%Y-%m}"
    if rule == "7_per_week":
        return f"{day:%G-W%V}"
    return day.isoformat()


def _limit(rule: QuotaRule, day: date) -> int:
    if rule == "days_in_month":
        return calendar.monthrange(day.year, day.month)[1]
    return 7 if rule == "7_per_week" else 1
