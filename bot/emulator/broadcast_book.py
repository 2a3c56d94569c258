"""Mass messages (群发): tasks that wait for their owners' hand, and what came of each recipient."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Literal

from bot.emulator.attachments import Body
from bot.emulator.quota import Quota
from bot.emulator.wire import ApiError

ChatType = Literal["single", "group"]
NoticeKind = Literal["broadcast", "reminder", "group_welcome"]
MSGID_MISSING = 41046
MSGID_INVALID = 41047
STILL_DISPATCHING = 41063


class Status(IntEnum):
    """What became of one recipient, in WeCom's numbers."""

    UNSENT = 0
    SENT = 1
    NOT_A_FRIEND = 2
    OVER_QUOTA = 3


@dataclass
class Outcome:
    """One recipient (a customer or a group) of one owner's task."""

    recipient: str
    status: Status = Status.UNSENT
    at: datetime | None = None


@dataclass
class OwnerTask:
    """One member's part of a mass message."""

    userid: str
    outcomes: dict[str, Outcome]
    confirmed_at: datetime | None = None


@dataclass
class Broadcast:
    """One mass message; a personal one is a member's own and has no program behind it."""

    msgid: str
    chat_type: ChatType
    body: Body
    created_at: datetime
    tasks: dict[str, OwnerTask]
    personal: bool = False
    creator: str = ""
    may_choose: bool = False
    """The owner may choose among the recipients, or must where none were given."""
    reminded_at: list[datetime] = field(default_factory=list)
    cancelled_at: datetime | None = None
    expired: bool = False
    """Nobody sent it for so long that it is closed."""

    def is_open_for(self, userid: str) -> bool:
        """Tell whether this member can still send."""
        task = self.tasks.get(userid)
        closed = self.cancelled_at is not None or self.expired
        return task is not None and task.confirmed_at is None and not closed

    def as_json(self, userid: str) -> dict[str, object]:
        """Return the task as its owner sees it in 群发助手."""
        task = self.tasks[userid]
        sent = task.confirmed_at
        return {
            "msgid": self.msgid,
            "chat_type": self.chat_type,
            **self.body.as_json(),
            "recipients": list(task.outcomes),
            "results": {name: int(item.status) for name, item in task.outcomes.items()},
            "may_choose": self.may_choose,
            "personal": self.personal,
            "created_at": self.created_at.isoformat(),
            "reminders": len(self.reminded_at),
            "cancelled": self.cancelled_at is not None,
            "confirmed_at": sent.isoformat() if sent is not None else "",
            "open": self.is_open_for(userid),
        }


@dataclass(frozen=True)
class Notice:
    """A line in a member's 客户联系 notices; ``ref`` is the msgid or template_id."""

    kind: NoticeKind
    ref: str
    at: datetime


@dataclass
class BroadcastBook:
    """All mass messages, the quota they share, and the notices that owners got."""

    quota: Quota = field(default_factory=Quota)
    dispatch_for: timedelta = timedelta(0)
    """For so long after its creation a task cannot be queried yet (41063)."""
    items: dict[str, Broadcast] = field(default_factory=dict)
    notices: dict[str, list[Notice]] = field(default_factory=dict)
    _by_owner: dict[str, list[Broadcast]] = field(default_factory=dict)

    @property
    def dispatch_s(self) -> int:
        """The same span in seconds, as the settings show and set it."""
        return int(self.dispatch_for.total_seconds())

    @dispatch_s.setter
    def dispatch_s(self, seconds: int) -> None:
        self.dispatch_for = timedelta(seconds=seconds)

    def put(self, broadcast: Broadcast) -> None:
        """Take a mass message in."""
        self.items[broadcast.msgid] = broadcast
        for userid in broadcast.tasks:
            self._by_owner.setdefault(userid, []).append(broadcast)

    def notify(self, userid: str, kind: NoticeKind, ref: str, at: datetime) -> None:
        """Put a notice into a member's inbox."""
        self.notices.setdefault(userid, []).append(Notice(kind, ref, at))

    def need(self, msgid: str, *, queried_at: datetime | None = None) -> Broadcast:
        """Return a mass message; refuse an unknown one, or a query that comes too early."""
        broadcast = self.items.get(msgid)
        if broadcast is None:
            raise ApiError(MSGID_INVALID, msgid)
        if queried_at is not None and queried_at - broadcast.created_at < self.dispatch_for:
            raise ApiError(STILL_DISPATCHING)
        return broadcast

    def tasks_of(self, userid: str) -> list[Broadcast]:
        """Return every mass message of a member, oldest first."""
        return list(self._by_owner.get(userid, ()))

    def todo(self, userid: str) -> list[Broadcast]:
        """Return what waits for this member's 发送."""
        return [item for item in self.tasks_of(userid) if item.is_open_for(userid)]
