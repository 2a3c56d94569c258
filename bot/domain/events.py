"""What the world tells us, once it is parsed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from bot.domain.ids import CustomerId, GroupChatId, KfAccountId, RmId
from bot.domain.value import Value


class Notice(Value):
    """A raw callback as it was stored: which channel reads it, and its plain text."""

    key: str
    channel: str
    body: str


class MessageReceived(Value):
    """A customer wrote to a 微信客服 account."""

    kind: Literal["message_received"] = "message_received"
    account: KfAccountId
    customer: CustomerId
    msgid: str
    form: str = "text"  # text, image, voice, …: WeCom's msgtype
    text: str = ""
    sent_at: datetime


class SessionEntered(Value):
    """A customer opened a 微信客服 session; the code allows one welcome within 20 s."""

    kind: Literal["session_entered"] = "session_entered"
    account: KfAccountId
    customer: CustomerId
    welcome_code: str = ""
    scene: str = ""
    at: datetime


class SessionChanged(Value):
    """A person took, passed on, ended or re-opened a session."""

    kind: Literal["session_changed"] = "session_changed"
    account: KfAccountId
    customer: CustomerId
    change: Literal["taken", "passed_on", "ended", "reopened"]
    servicer: RmId | None = None
    code: str = ""
    at: datetime


class StaffSpoke(Value):
    """A person wrote in a 微信客服 session: the bot falls silent."""

    kind: Literal["staff_spoke"] = "staff_spoke"
    account: KfAccountId
    customer: CustomerId
    servicer: RmId
    text: str = ""
    at: datetime


class SendFailed(Value):
    """A kf message that WeCom had accepted did not arrive."""

    kind: Literal["send_failed"] = "send_failed"
    account: KfAccountId
    customer: CustomerId
    msgid: str
    fail_type: int
    at: datetime


class MessageRecalled(Value):
    """A customer took a message back."""

    kind: Literal["message_recalled"] = "message_recalled"
    account: KfAccountId
    customer: CustomerId
    msgid: str
    at: datetime


class GroupMessageReceived(Value):
    """Somebody wrote in a customer group, as the archive has it."""

    kind: Literal["group_message_received"] = "group_message_received"
    chat: GroupChatId
    sender: str
    staff: bool
    msgid: str
    form: str = "text"
    text: str = ""
    sent_at: datetime


class CardPressed(Value):
    """A member of staff pressed a button on one of our cards."""

    kind: Literal["card_pressed"] = "card_pressed"
    by: RmId
    key: str
    task: str
    response_code: str = ""
    selected: dict[str, str] = Field(default_factory=dict)
    at: datetime


class CustomerChanged(Value):
    """A customer was added, edited or lost."""

    kind: Literal["customer_changed"] = "customer_changed"
    change: Literal["added", "edited", "lost"]
    customer: CustomerId
    manager: RmId
    state: str = ""
    welcome_code: str = ""
    at: datetime


class GroupChanged(Value):
    """A customer group came up, changed or was dismissed."""

    kind: Literal["group_changed"] = "group_changed"
    change: Literal["created", "updated", "dismissed"]
    chat: GroupChatId
    detail: str = ""
    at: datetime


Event = Annotated[
    MessageReceived
    | SessionEntered
    | SessionChanged
    | StaffSpoke
    | SendFailed
    | MessageRecalled
    | GroupMessageReceived
    | CardPressed
    | CustomerChanged
    | GroupChanged,
    Field(discriminator="kind"),
]


class Arrival(Value):
    """An event with the key that makes it unique and the lane that keeps its order."""

    key: str
    lane: str
    event: Event


class Received(Value):
    """One page that a channel read: events, where to read on, and whether there is more."""

    arrivals: tuple[Arrival, ...] = ()
    cursor: str | None = None
    more: bool = False
