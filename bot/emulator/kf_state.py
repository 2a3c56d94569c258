"""The values of 微信客服: accounts, servicers, conversations, one-time codes."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Literal

from bot.emulator.kf_log import MessageLog
from bot.emulator.wire import ApiError

REPLY_WINDOW = timedelta(hours=48)
REPLIES_PER_MESSAGE = 5
Assigns = Literal["first", "in_turn", "least_busy"]


class State(IntEnum):
    """Who has the conversation."""

    NEW = 0
    ROBOT = 1
    POOL = 2
    HUMAN = 3
    ENDED = 4


TRANSITIONS: frozenset[tuple[State, State]] = frozenset(
    [
        (State.NEW, State.ROBOT),
        (State.NEW, State.POOL),
        (State.NEW, State.HUMAN),
        (State.NEW, State.ENDED),
        (State.ROBOT, State.POOL),
        (State.ROBOT, State.HUMAN),
        (State.ROBOT, State.ENDED),
        (State.POOL, State.HUMAN),
        (State.POOL, State.ENDED),
        (State.HUMAN, State.HUMAN),
        (State.HUMAN, State.ENDED),
    ]
)
"""What service_state/trans allows; a switch of :class:`KfBook`, as 3→2 is not settled."""


@dataclass
class Servicer:
    """A member who receives customers: status 0 receiving, 1 stopped."""

    userid: str
    status: int = 0
    stop_type: int = 0


@dataclass
class Line:
    """One message as both sides of a conversation see it."""

    msgid: str
    side: Literal["customer", "bot", "servicer"]
    sender: str
    msgtype: str
    content: dict[str, object]
    text: str
    at: datetime
    recalled: bool = False

    def as_json(self) -> dict[str, object]:
        """Return this line as JSON fields, the moment in ISO form."""
        return {
            "msgid": self.msgid,
            "side": self.side,
            "sender": self.sender,
            "msgtype": self.msgtype,
            "content": self.content,
            "text": self.text,
            "at": self.at.isoformat(),
            "recalled": self.recalled,
        }


@dataclass
class Session:
    """One consultation: when it began, who of the staff had it since when, and the robot."""

    began_at: datetime
    servicers: dict[str, datetime] = field(default_factory=dict)
    by_robot: bool = False


@dataclass
class Conversation:
    """One customer with one kf account."""

    external_userid: str
    stored_state: State = State.ENDED
    servicer: str = ""
    last_customer_at: datetime | None = None
    session_at: datetime | None = None
    """When the customer last wrote or a servicer opened the session again."""
    sent_since: int = 0
    welcome_code: str = ""
    """The newest code; an older one is void."""
    welcomed_at: datetime | None = None
    entered_at: datetime | None = None
    scene: str = ""
    scene_param: str = ""
    refuses: bool = False
    """The customer refuses messages: what is sent fails with fail_type 10."""
    rejected_by: str = ""
    """The servicer who refuses this customer's messages, if one does."""
    rejected_at: list[datetime] = field(default_factory=list)
    channels: dict[str, object] = field(default_factory=dict)
    """The 视频号 the customer came from, as enter_session and batchget show it."""
    lines: list[Line] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)

    def assign(self, userid: str, now: datetime) -> None:
        """Give the customer to a servicer; without one to the pool."""
        self.stored_state = State.HUMAN if userid else State.POOL
        self.servicer = userid
        if userid and self.sessions:
            self.sessions[-1].servicers.setdefault(userid, now)

    def window_open(self, now: datetime) -> bool:
        """Tell whether the customer wrote within the last 48 hours."""
        return self.last_customer_at is not None and now <= self.last_customer_at + REPLY_WINDOW

    def state(self, now: datetime) -> State:
        """Return the state now: a session ends by itself when its 48 hours are over."""
        alive = self.session_at is not None and now <= self.session_at + REPLY_WINDOW
        return self.stored_state if alive else State.ENDED

    def customer_wrote(self, now: datetime, first_state: State) -> None:
        """Count a customer's message: it opens the window, resets the five, may open a session."""
        if self.state(now) is State.ENDED:
            self.stored_state, self.servicer = first_state, ""
            self.sessions.append(Session(now, by_robot=first_state is State.ROBOT))
        self.last_customer_at = self.session_at = now
        self.sent_since = 0

    def check_may_send(self, now: datetime) -> None:
        """Refuse a program's message by state, 48 hours, and five a customer message."""
        if self.stored_state not in (State.NEW, State.ROBOT):
            raise ApiError(95018)
        if not self.window_open(now):
            raise ApiError(95002)
        if self.sent_since >= REPLIES_PER_MESSAGE:
            raise ApiError(95001)


@dataclass
class KfAccount:
    """One kf account, with its log and its conversations."""

    open_kfid: str
    name: str
    avatar: str = ""
    managed: bool = True
    """Selected in 通过API管理微信客服账号; else every call is refused (48007)."""
    first_state: State = State.NEW
    """The state a session begins in, by the console's reception rule."""
    assigns: Assigns = "first"
    """Who gets a customer whose session begins with a person: a rule of the console."""
    servicers: dict[str, Servicer] = field(default_factory=dict)
    departments: set[int] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    log: MessageLog = field(default_factory=MessageLog)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    used_msgids: set[str] = field(default_factory=set)
    _turn: int = 0

    def conversation(self, external_userid: str) -> Conversation:
        """Return the conversation with a customer, beginning it if there is none."""
        found = self.conversations.get(external_userid)
        if found is None:
            found = self.conversations[external_userid] = Conversation(external_userid)
        return found

    def next_receiving(self, on_duty: Container[str]) -> str:
        """Return whom the account's rule gives the next customer, "" when nobody receives."""
        receiving = [item.userid for item in self.servicers.values() if item.status == 0]
        able = [userid for userid in receiving if userid in on_duty]
        if not able:
            return ""
        if self.assigns == "in_turn":
            self._turn += 1
            return able[(self._turn - 1) % len(able)]
        if self.assigns == "least_busy":
            having = [
                talk.servicer
                for talk in self.conversations.values()
                if talk.stored_state is State.HUMAN
            ]
            return min(able, key=having.count)
        return able[0]

    def line(self, external_userid: str, msgid: str) -> Line:
        """Return one line of a conversation; refuse an unknown msgid."""
        for line in self.conversation(external_userid).lines:
            if line.msgid == msgid:
                return line
        raise ApiError(40058, "no such msgid")


CodeKind = Literal["welcome", "queued", "assigned", "ended"]
CODE_LIFE: dict[CodeKind, timedelta] = {
    "welcome": timedelta(seconds=20),
    "queued": timedelta(hours=48),
    "assigned": timedelta(hours=48),
    "ended": timedelta(seconds=20),
}
CODE_STATE: dict[CodeKind, State | None] = {
    "welcome": None,
    "queued": State.POOL,
    "assigned": State.HUMAN,
    "ended": State.ENDED,
}
CODE_TYPES: dict[CodeKind, frozenset[str]] = {
    "welcome": frozenset({"text", "msgmenu"}),
    "queued": frozenset({"text"}),
    "assigned": frozenset({"text"}),
    "ended": frozenset({"text", "msgmenu"}),
}


@dataclass
class Code:
    """A right to send one message on an event, once, while it lives."""

    kind: CodeKind
    open_kfid: str
    external_userid: str
    expires_at: datetime
    used: bool = False
