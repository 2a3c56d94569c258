"""By when a person must have taken, answered and dealt with a lead; who is told when nobody does.

Four timers run on a lead: ``accept`` until somebody takes the offer, ``first`` until a person's
first word, ``next`` until the word that a customer's message waits for, ``resolve`` until the
outcome. A program's word ends none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.bank import Bank
from bot.domain.business_time import BusinessTime
from bot.domain.ids import RmId
from bot.domain.lead import GRAVE, RESPOND_WITHIN, Need
from bot.domain.value import Value

TimerKind = Literal["accept", "first", "next", "resolve"]
TimerState = Literal["active", "paused", "hit", "missed", "void"]
ANSWERS: tuple[TimerKind, ...] = ("first", "next")
"""What a person's word ends."""

_DAY = timedelta(hours=9)  # a working day of the bank's usual hours
RESOLVE_WITHIN: dict[Need, timedelta] = {
    Need.RED_FLAG: timedelta(hours=24),
    Need.COMPLAINT: timedelta(days=3),
    Need.LATENT_COMPLAINT: 2 * _DAY,
    Need.PERSON: _DAY,
    Need.PRIVACY: 15 * _DAY,
    Need.SERVICE: 3 * _DAY,
    Need.EVENT: 3 * _DAY,
    Need.WEALTH: 5 * _DAY,
    Need.MATURITY: 5 * _DAY,
    Need.LOAN: 5 * _DAY,
    Need.CARD: 3 * _DAY,
    Need.WAKE: 5 * _DAY,
    Need.UNANSWERED: 2 * _DAY,
}

HALF, NEARLY, MISSED = 1, 2, 3
_MARKS = (0.5, 0.8, 1.0, 1.5, 2.0)
_MARKS_OF: dict[TimerKind, tuple[float, ...]] = {
    "accept": (1.0,),
    "first": _MARKS,
    "next": _MARKS,
    "resolve": _MARKS,
}


class Limits(Value):
    """How long a lead may wait for a person's word, and for its outcome."""

    first: timedelta
    resolve: timedelta
    round_the_clock: bool

    def accept(self, minutes: int) -> timedelta:
        """Return how long one person has an offer: never more than half of the first response."""
        return min(timedelta(minutes=minutes), self.first / 2)


def limits(bank: Bank, need: Need, minutes: int | None = None) -> Limits:
    """Return a need's limits: the script's ``minutes``, then the bank's file, then the usual."""
    own = next((limit for limit in bank.lead_limits if limit.need is need), None)
    first = minutes or (own.first if own is not None else None)
    resolve = own.resolve if own is not None else None
    return Limits(
        first=timedelta(minutes=first) if first else RESPOND_WITHIN[need],
        resolve=timedelta(minutes=resolve) if resolve else RESOLVE_WITHIN[need],
        round_the_clock=need in GRAVE,
    )


class Timer(Value):
    """A limit that runs: ``left`` of ``total`` was there at ``started_at``.

    ``level`` counts the marks that were passed, at 50 %, 80 % and 100 %, then at one and a half
    and twice the time. A miss is written once: what comes later does not undo it. ``passed`` are
    those who let an offer lie.
    """

    id: int = 0
    lead: int
    kind: TimerKind
    key: str = ""
    total: timedelta
    left: timedelta
    round_the_clock: bool = False
    started_at: datetime
    due_by: datetime
    level: int = 0
    state: TimerState = "active"
    done_at: datetime | None = None
    passed: tuple[RmId, ...] = ()

    @property
    def runs(self) -> bool:
        """Tell whether somebody is still waited for."""
        return self.state == "active" or (self.state == "missed" and self.done_at is None)

    def next_mark(self, time: BusinessTime) -> datetime | None:
        """Return when the next mark is passed; None after the last, and while nothing runs."""
        marks = _MARKS_OF[self.kind]
        if not self.runs or self.level >= len(marks):
            return None
        return self._at(marks[self.level], time)

    def level_at(self, now: datetime, time: BusinessTime) -> int:
        """Return how many marks are passed by a moment."""
        marks = _MARKS_OF[self.kind]
        level = self.level
        while level < len(marks) and self._at(marks[level], time) <= now:
            level += 1
        return level

    def _at(self, mark: float, time: BusinessTime) -> datetime:
        return _on(self, time).after(self.started_at, self.left - (1 - mark) * self.total)

    def at_level(self, level: int) -> Timer:
        """Return it with marks passed; from 100 % on it is missed, once and for all."""
        missed = level >= (MISSED if self.kind != "accept" else 1)
        state: TimerState = "missed" if missed else self.state
        return self.model_copy(update={"level": level, "state": state})

    def ended(self, at: datetime) -> Timer:
        """Return it as what it waited for was done: hit, or done after it was missed."""
        if not self.runs and self.state != "paused":
            return self
        late = self.state == "missed" or (self.state == "active" and at > self.due_by)
        return self.model_copy(update={"state": "missed" if late else "hit", "done_at": at})

    def dropped(self, at: datetime) -> Timer:
        """Return it as nothing is waited for any more: void, unless it was missed by then."""
        ended = self.ended(at)
        if ended is self or ended.state == "missed":
            return ended
        return ended.model_copy(update={"state": "void"})

    def paused(self, at: datetime, time: BusinessTime) -> Timer:
        """Return it standing still, with what is left of it; one that is missed goes on."""
        if self.state != "active":
            return self
        left = self.left - _on(self, time).between(self.started_at, at)
        return self.model_copy(update={"state": "paused", "left": max(left, timedelta())})

    def resumed(self, at: datetime, time: BusinessTime) -> Timer:
        """Return it running again from a moment on."""
        if self.state != "paused":
            return self
        again = self.model_copy(update={"state": "active", "started_at": at})
        return again.on_calendar(time)

    def on_calendar(self, time: BusinessTime) -> Timer:
        """Return it due by what the calendar and the hours say now."""
        due_by = _on(self, time).after(self.started_at, self.left)
        return self.model_copy(update={"due_by": due_by})


def begun(
    lead: int,
    kind: TimerKind,
    total: timedelta,
    at: datetime,
    time: BusinessTime,
    *,
    round_the_clock: bool,
    key: str = "",
    passed: tuple[RmId, ...] = (),
) -> Timer:
    """Return a timer that begins to run."""
    timer = Timer(
        lead=lead,
        kind=kind,
        key=key,
        total=total,
        left=total,
        round_the_clock=round_the_clock,
        started_at=at,
        due_by=at,
        passed=passed,
    )
    return timer.on_calendar(time)


def is_waited_for(timers: Iterable[Timer], key: str) -> bool:
    """Tell whether somebody is to answer already, or this very message began to wait before."""
    return any(
        timer.kind in ANSWERS and (timer.runs or (timer.kind == "next" and timer.key == key))
        for timer in timers
    )


def _on(timer: Timer, time: BusinessTime) -> BusinessTime:
    return time.always() if timer.round_the_clock else time


def ladder(bank: Bank, holder: str, branch: str, need: Need) -> tuple[RmId, ...]:
    """Return who is told one after the other that nobody acts, the nearest first.

    The holder's superiors, the head of the branch, and for danger and complaints those of head
    office who protect customers (消保), on duty before others.
    """
    over: list[RmId] = []
    member = bank.member(holder) if holder else None
    while member is not None and member.superior and member.superior not in over:
        over.append(member.superior)
        member = bank.member(member.superior)
    over.append(bank.head_over(holder, branch))
    if need in GRAVE:
        guards = [one for one in bank.staff if one.role == "消保"]
        over += [one.userid for one in sorted(guards, key=lambda one: not one.on_duty)][:1]
    return tuple(dict.fromkeys(one for one in over if one != holder))


def told_at(level: int, over: tuple[RmId, ...]) -> RmId | None:
    """Return who hears of it at a level from ``MISSED`` on; None where nobody is above."""
    if level < MISSED or level - MISSED >= len(over):
        return None
    return over[level - MISSED]
