"""Mass messages that people sent without the bot: they take the same places (sop_semantics C1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.ids import digest
from bot.domain.polling import Answer, Status

LOOK_BACK = timedelta(days=30)  # a query spans a month at most (wecom_protocol §5.7)
A_DAY = timedelta(days=1)
OVERLAP = timedelta(minutes=10)  # a list may lag behind, and clocks differ
_EVERY = timedelta(minutes=30)
_FIRST, _LAST = time(7), time(22)
_OURS_KNOWN_AFTER = timedelta(minutes=20)  # by then a task of the bot's own is known as such
STALE = timedelta(days=7)  # nobody sends a task that is older


class Listed(NamedTuple):
    """One message in WeCom's list; a ``personal`` one is surely none of the bot's."""

    msgid: str
    made_at: datetime
    personal: bool


def look_at(listed: Listed, now: datetime) -> datetime:
    """Return when a message is looked at whose maker may still be the bot itself."""
    return now if listed.personal else max(now, listed.made_at + _OURS_KNOWN_AFTER)


def next_reading(now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the lists are read next: every half hour of the day, and not at night."""
    local = (now + _EVERY).astimezone(zone)
    if _FIRST <= local.time() < _LAST:
        return local
    day = local.date() if local.time() < _FIRST else local.date() + A_DAY
    return datetime.combine(day, _FIRST, tzinfo=zone)


def next_look(made_at: datetime, now: datetime) -> datetime | None:
    """Return when a message is looked at again that some have not sent; None: no more."""
    age = now - made_at
    if age >= STALE:
        return None
    return now + min(max(age, _EVERY), timedelta(hours=6))


def sent_in(answers: Mapping[str, Answer], made_at: datetime) -> dict[str, datetime]:
    """Return whom a member's part of a message reached, and when."""
    return {
        subject: answer.sent_at or made_at
        for subject, answer in answers.items()
        if answer.status is Status.SENT
    }


def key_of(msgid: str, subject: str) -> str:
    """Return the key of the place that a message takes of one subject."""
    return f"hand:{digest(msgid, subject)}"
