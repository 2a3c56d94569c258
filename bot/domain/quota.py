"""How often one subject may be reached: places over rolling windows, shared by all scripts; pure.

A day is the bank's day; which rules there are says ``caps`` (sop_semantics §2.11).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.calendar import ONE_DAY
from bot.domain.caps import A_MONTH, AS_MANY_AS_DAYS, TO_A_PERSON, Rule
from bot.domain.caps import CAP_REASONS as CAP_REASONS
from bot.domain.caps import Caps as Caps
from bot.domain.caps import Kind as Kind
from bot.domain.caps import Reason as Reason
from bot.domain.caps import TenantCaps as TenantCaps
from bot.domain.caps import caps_for as caps_for
from bot.domain.caps import classes_of as classes_of
from bot.domain.caps import classes_of_step as classes_of_step

PERSONAL, LEARNT = "personal", "platform"
LOOK_BACK = timedelta(days=62)  # twice the longest window: fatigue may double it
_PLANNED_HOUR = time(9)
_TIRED_AFTER = 3  # touches in a row without a reply: C4


class Slot(NamedTuple):
    """A place that is taken, or planned to be; ``key`` is its step's, whatever its class."""

    kind: str
    at: datetime
    key: str
    priority: int = 0
    state: str = "used"
    source: str = ""


def planned_at(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a place stands that is planned for a day."""
    return datetime.combine(day, _PLANNED_HOUR, tzinfo=zone)


def slot_of(send_key: str) -> str:
    """Return the key of the places that a message of a step takes: its own without the try."""
    return send_key.rpartition(":")[0] if send_key.startswith("sop:") else send_key


def is_tired(slots: Iterable[Slot], last_reply_at: datetime | None) -> bool:
    """Tell whether a customer has left the last three touches or more without a word (C4)."""
    unanswered = {
        slot.key
        for slot in slots
        if slot.state == "used"
        and slot.source == ""
        and slot.kind in TO_A_PERSON
        and (last_reply_at is None or slot.at > last_reply_at)
    }
    return len(unanswered) >= _TIRED_AFTER


def room(
    slots: Iterable[Slot],
    caps: Caps,
    day: date,
    key: str,
    priority: int,
    kinds: Sequence[Kind],
) -> Reason | None:
    """Say which rule leaves no room for one more message on that day; None where none does.

    What is used counts, and of what is planned all that goes before: of a higher priority, or of
    the same with a smaller key. So of two that want the last place exactly one finds it free.
    """
    if not kinds:
        return None
    return _obstacle(_before(slots, caps, key, priority), caps, day, frozenset(kinds))


def next_room(
    slots: Iterable[Slot],
    caps: Caps,
    day: date,
    key: str,
    priority: int,
    kinds: Sequence[Kind],
    until: date,
) -> date | None:
    """Return the first day from ``day`` to ``until`` with room; None where there is none."""
    taken, wanted = _before(slots, caps, key, priority), frozenset(kinds)
    while day <= until:
        if not wanted or _obstacle(taken, caps, day, wanted) is None:
            return day
        day += ONE_DAY
    return None


class _Taken(NamedTuple):
    on: date
    kind: str
    key: str
    source: str
    state: str


def _before(slots: Iterable[Slot], caps: Caps, key: str, priority: int) -> list[_Taken]:
    """Return the places that go before this one, each with its day."""
    zone = caps.zone
    return [
        _Taken(slot.at.astimezone(zone).date(), slot.kind, slot.key, slot.source, slot.state)
        for slot in slots
        if slot.key != key and (slot.state == "used" or (slot.priority, key) > (priority, slot.key))
    ]


def _obstacle(
    taken: Sequence[_Taken], caps: Caps, day: date, wanted: frozenset[Kind]
) -> Reason | None:
    learnt = any(each.source == LEARNT for each in taken)
    days: dict[frozenset[Kind], list[date]] = {}  # the rules of one subject count few classes
    for rule in caps.rules:
        kinds = rule.kinds
        if not kinds & wanted:
            continue
        if learnt and rule.by_platform and _learnt_full(taken, day, kinds):
            return rule.reason
        if kinds not in days:
            days[kinds] = _days_of(taken, kinds)
        if _is_full(rule, days[kinds], day):
            return rule.reason
    return None


def _days_of(taken: Sequence[_Taken], kinds: frozenset[Kind]) -> list[date]:
    """Return the day of every message of these classes; one that takes places in two is one."""
    counted = {
        (each.key, each.on) for each in taken if each.kind in kinds and each.source != LEARNT
    }
    return [on for _, on in counted]


def _is_full(rule: Rule, taken: Sequence[date], day: date) -> bool:
    """Tell whether one more on ``day`` would be too many in any window that holds the day."""
    most = rule.most
    if most == AS_MANY_AS_DAYS:
        most = calendar.monthrange(day.year, day.month)[1]
    if len(taken) < most:
        return False
    if rule.days == A_MONTH:
        return sum((on.year, on.month) == (day.year, day.month) for on in taken) >= most
    near = [on for on in taken if abs((on - day).days) < rule.days]
    if len(near) < most:
        return False
    for back in range(rule.days):
        first = day - back * ONE_DAY
        last = first + (rule.days - 1) * ONE_DAY
        if sum(first <= on <= last for on in near) >= most:
            return True
    return False


def _learnt_full(taken: Sequence[_Taken], day: date, kinds: frozenset[Kind]) -> bool:
    """Tell whether WeCom itself has said that a subject gets no more (status 3, §5.7).

    Once, and that day is full. On two days of a month with nothing let through after them, and
    the month is: what fills it, others sent.
    """
    learnt = sorted({each.on for each in taken if each.source == LEARNT and each.kind in kinds})
    if day in learnt:
        return True
    sent = (each for each in taken if each.state == "used" and each.source != LEARNT)
    let_through = max((each.on for each in sent if each.kind in kinds), default=date.min)
    month = [on for on in learnt if (on.year, on.month) == (day.year, day.month)]
    return len([on for on in month if on > let_through]) >= 2
