"""The calls that follow a task or a moment once it is made, as the bot's own workers make them.

A task whose run ends meanwhile is counted as if it had gone on: so the numbers are a ceiling.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.hand_sends import next_reading
from bot.domain.polling import (
    CANCEL_GRACE,
    FIRST_POLL,
    REMINDERS_A_DAY,
    next_look,
    wants_reminder,
)
from bot.sop.simulation.diary import Diary

_RESULTS_A_PAGE = 1000  # receivers that one answer tells of (wecom_protocol §5.7)
_LISTS = 2  # those of groups and those of customers: what people sent by hand is read back
_FIRST_LOOK_AT_MOMENT, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=60)


@dataclass(slots=True)
class Asked:
    """A mass-send task from its making to its end; ``most`` is how often the file reminds of it."""

    owner: str
    created_at: datetime
    closes_at: datetime
    receivers: int
    most: int
    pressed_at: datetime | None
    reminded: int = 0

    @property
    def pages(self) -> int:
        """Return how many calls tell what became of its receivers."""
        return -(-self.receivers // _RESULTS_A_PAGE)

    def is_known(self, at: datetime) -> bool:
        """Tell whether the bot has learnt by then that it was sent."""
        return self.pressed_at is not None and self.pressed_at <= at


def count_tasks(tasks: Sequence[Asked], diary: Diary, zone: ZoneInfo) -> None:
    """Count what tasks cost besides their making: results, reminders, the cancel at the end."""
    by_owner: dict[str, list[Asked]] = {}
    for task in tasks:
        by_owner.setdefault(task.owner, []).append(task)
    for owner in sorted(by_owner):
        _Follow(by_owner[owner], diary, zone).up()
    for task in tasks:
        if task.pressed_at is None:
            diary.call("cancel", task.closes_at.astimezone(zone))


def polls_of(task: Asked) -> Iterator[datetime]:
    """Give when a task's result is asked for: ever more slowly, until its end is known."""
    at = min(task.created_at + FIRST_POLL, task.closes_at)
    while True:
        yield at
        if task.is_known(at):
            return
        if at >= task.closes_at:  # now it is cancelled, and asked after once more
            yield at + CANCEL_GRACE
            return
        at = next_look(task, at)


class _Follow:
    """Goes through one owner's tasks in the order of time."""

    def __init__(self, tasks: Sequence[Asked], diary: Diary, zone: ZoneInfo) -> None:
        self._tasks = tasks
        self._diary = diary
        self._zone = zone
        self._given: Counter[date] = Counter()

    def up(self) -> None:
        polls = sorted(
            (at, number) for number, task in enumerate(self._tasks) for at in polls_of(task)
        )
        for at, number in polls:
            task, local = self._tasks[number], at.astimezone(self._zone)
            self._diary.call("read_back", local, task.pages)
            if not task.is_known(at) and wants_reminder(task, task.most, at):
                self._remind(task, at, local)

    def _remind(self, task: Asked, at: datetime, local: datetime) -> None:
        """Remind of one task, or of all that wait by one message; so often a day at most."""
        if self._given[local.date()] >= REMINDERS_A_DAY:
            return
        self._given[local.date()] += 1
        self._diary.call("reminder", local)
        for other in self._tasks:
            waits = other.created_at <= at < other.closes_at and not other.is_known(at)
            if other is task or waits:
                other.reminded += 1


def count_moment(
    made_at: datetime, closes_at: datetime, posted_at: datetime | None, diary: Diary, zone: ZoneInfo
) -> None:
    """Count what a moment costs besides its making: looks after it, its cancel."""
    at = min(made_at + _FIRST_LOOK_AT_MOMENT, closes_at)
    diary.call("moment_look", at.astimezone(zone))  # which of all moments it became
    while True:
        diary.call("moment_look", at.astimezone(zone))
        if posted_at is not None and posted_at <= at:
            return
        if at >= closes_at:
            diary.call("cancel", at.astimezone(zone))
            diary.call("moment_look", (at + CANCEL_GRACE).astimezone(zone))
            return
        at = min(at + min(max(at - made_at, FIRST_POLL), _LONGEST_PAUSE), closes_at)


def lists_a_day(day: date, zone: ZoneInfo) -> int:
    """Return how often a day the bot lists what people sent by hand, whatever scripts do."""
    return _LISTS * sum(1 for _ in _readings(day, zone))


def _readings(day: date, zone: ZoneInfo) -> Iterable[datetime]:
    at = next_reading(datetime.combine(day, time(0), tzinfo=zone), zone)
    while at.date() == day:
        yield at
        at = next_reading(at, zone)
