"""What one member of staff has to do, and what a team came to; pure."""

from __future__ import annotations

from datetime import datetime

from bot.domain.value import Value


class Workload(Value):
    """What waits for one member: leads, drafts, mass-send tasks, steps of the day.

    ``new`` are leads that nobody has taken yet, ``overdue`` those of all whose customer waits for
    a person's first word beyond its limit; ``pooled`` are those that nobody has in the branches
    that a member answers for, ``pooled_late`` of these are overdue. ``receivers`` are the groups or
    customers of the ``tasks``, the first of which is taken back at ``tasks_until``.
    """

    new: int = 0
    taken: int = 0
    asleep: int = 0
    overdue: int = 0
    pooled: int = 0
    pooled_late: int = 0
    drafts: int = 0
    tasks: int = 0
    receivers: int = 0
    tasks_until: datetime | None = None
    steps: int = 0
    steps_from: datetime | None = None

    @property
    def open(self) -> int:
        """Return how many leads are open."""
        return self.new + self.taken + self.asleep

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return not (self.open or self.pooled or self.drafts or self.tasks or self.steps)


class Harvest(Value):
    """What became of the leads of one member in a time: counts, from which shares are told.

    ``due`` are those of the ``opened`` that had a person's first word, or whose time for it is
    over; ``in_time`` had it within the limit.
    """

    opened: int = 0
    taken: int = 0
    due: int = 0
    in_time: int = 0
    won: int = 0
    lost: int = 0
    invalid: int = 0
    done: int = 0

    @property
    def ended(self) -> int:
        """Return how many ended, in whatever way."""
        return self.won + self.lost + self.invalid + self.done

    def plus(self, other: Harvest) -> Harvest:
        """Return both together."""
        mine, its = self.model_dump(), other.model_dump()
        return Harvest(**{name: mine[name] + its[name] for name in mine})


def share(part: int, whole: int) -> str:
    """Write a share with its base: 3 / 8（37.5%）; never a bare percentage."""
    if not whole:
        return "0 / 0"
    return f"{part} / {whole}（{100 * part / whole:.1f}%）"
