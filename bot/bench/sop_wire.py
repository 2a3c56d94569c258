"""A WeCom in memory whose people press soon, late or never, by a hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.domain.audience import bucket
from bot.domain.contents import Text
from bot.domain.mass_messages import (
    Broadcast,
    CustomerBroadcast,
    Moment,
    receivers_of,
)
from bot.domain.messages import BroadcastCancel, KfTouch, MomentCancel, Outbound, Receipt, StaffCard
from bot.domain.polling import Answer, Status
from bot.ports import Clock

_AT_ONCE, _HOURS_LATER = 0.7, 0.88  # of all: the rest never press
_SOON_MIN, _LATE_H = 40, 9


class Made(NamedTuple):
    """A mass-send task or moment as it stands in somebody's list, with when it was made."""

    at: datetime
    message: Outbound


class Heard(NamedTuple):
    """What reached one receiver: by which task or card, made when, pressed or said when."""

    ref: str
    receiver: str
    made_at: datetime
    at: datetime


@dataclass
class QuickHands:
    """WeCom's side of mass messages: seven in ten press within 40 minutes, some within nine hours.

    Nobody's press hangs on the engine: who has a task may send it while the engine is down.
    """

    clock: Clock
    seed: str
    name: str = "contact"
    made: dict[str, Made] = field(default_factory=dict)
    taken_back: dict[str, datetime] = field(default_factory=dict)
    said: list[Heard] = field(default_factory=list)

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Take a message as WeCom does."""
        now, ref = self.clock.now(), f"msg{len(self.made) + 1}"
        match message:
            case Broadcast() | CustomerBroadcast() | Moment():
                self.made[ref] = Made(now, message)
            case BroadcastCancel(task=task) | MomentCancel(moment=task):
                self.taken_back.setdefault(task, now)
            case StaffCard(to=to):
                self.said.append(Heard(key, to, now, now))
            case KfTouch(customer=customer):
                self.said.append(Heard(key, customer, now, now))
            case _:
                pass
        return Receipt(ref=ref)

    def pressed_at(self, ref: str) -> datetime | None:
        """Return when a task's person presses send; None for never, or once it is taken back."""
        made = self.made[ref]
        about = f"{made.at:%Y%m%d%H} {_words(made.message)}"
        mood, share = bucket(f"{self.seed}:mood", about), bucket(f"{self.seed}:delay", about)
        if mood >= _HOURS_LATER:
            return None
        minutes = _SOON_MIN * share if mood < _AT_ONCE else 60 * _LATE_H * share
        at, back = made.at + timedelta(minutes=1 + int(minutes)), self.taken_back.get(ref)
        return None if back is not None and back <= at else at

    async def all(self, msgid: str, owner: str) -> Mapping[str, Answer]:
        """Return what became of each receiver of a task."""
        at = self.pressed_at(msgid)
        if at is None or at > self.clock.now():
            return {}
        return dict.fromkeys(_receivers(self.made[msgid].message), Answer(Status.SENT, at))

    def heard(self) -> list[Heard]:
        """Return all that has reached anybody by now, in order."""
        found = list(self.said)
        for ref, made in self.made.items():
            at = self.pressed_at(ref)
            if at is not None and at <= self.clock.now():
                found += [Heard(ref, who, made.at, at) for who in _receivers(made.message)]
        return sorted(found, key=lambda one: (one.made_at, one.ref, one.receiver))


class Posting:
    """Where a moment is asked after, on the same wire."""

    def __init__(self, hands: QuickHands) -> None:
        self._hands = hands

    async def made(self, job: str) -> str:
        """Return the id of the moment that a job makes: it is there at once."""
        return job

    async def posted(self, moment: str, manager: str) -> bool:
        """Tell whether a manager has posted."""
        at = self._hands.pressed_at(moment)
        return at is not None and at <= self._hands.clock.now()


def _words(message: Outbound) -> str:
    contents = getattr(message, "contents", ())
    return next((one.text for one in contents if isinstance(one, Text)), "")


def _receivers(message: Outbound) -> tuple[str, ...]:
    if isinstance(message, Broadcast | CustomerBroadcast):
        return receivers_of(message)
    return ()
