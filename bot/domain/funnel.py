"""What became of every planned message: delivered, still open, or lost in one way (I13); pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from bot.domain.caps import CAP_REASONS
from bot.domain.value import Value

Fate = Literal[
    "delivered", "open", "cap", "window", "not_friend", "unconfirmed", "failed", "withheld"
]
LOSSES: Mapping[str, Fate] = {
    **dict.fromkeys(CAP_REASONS, "cap"),
    "overlay": "cap",
    "no_room": "cap",
    "window_missed": "window",
    "quiet_hours": "window",
    "event_passed": "window",
    "no_day_left": "window",
    "not_friend": "not_friend",
    "friend_lost": "not_friend",
    "customer_lost": "not_friend",
    "owner_unconfirmed": "unconfirmed",
    "owner_declined": "unconfirmed",
    "task_overdue": "unconfirmed",
}
"""Which loss a reason belongs to; what is not here was withheld by the script or by people."""


class Funnel(Value):
    """Planned messages by their fate: each is counted once, so that the parts make the whole."""

    planned: int = 0
    delivered: int = 0
    open: int = 0
    losses: dict[str, int] = Field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Return how many did not reach anybody."""
        return sum(self.losses.values())


def fate_of(state: str, reason: str) -> Fate:
    """Return what became of one step."""
    if state == "confirmed":
        return "delivered"
    if state == "skipped":
        return LOSSES.get(reason, "withheld")
    if state == "failed":
        return LOSSES.get(reason, "failed")
    return "open"


def funnel_of(outcomes: Iterable[tuple[str, str, int]]) -> Funnel:
    """Sum up steps by (state, reason, how many)."""
    planned, fates = 0, dict[str, int]()
    for state, reason, count in outcomes:
        planned += count
        fate = fate_of(state, reason)
        fates[fate] = fates.get(fate, 0) + count
    delivered, still_open = fates.pop("delivered", 0), fates.pop("open", 0)
    losses = dict(sorted(fates.items()))
    return Funnel(planned=planned, delivered=delivered, open=still_open, losses=losses)
