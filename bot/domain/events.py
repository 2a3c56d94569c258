"""What the world tells us, once it is parsed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.domain.ids import CustomerId, GroupChatId, KfAccountId, RmId
from bot.domain.personal_data import mask_numbers
from bot.domain.staff_messages import ReplyTo
from bot.domain.value import Value

# What people wrote. Their card, identity and mobile numbers are hidden as soon as it is an event,
# so that no table, log or model ever has them.
Said = Annotated[str, AfterValidator(mask_numbers)]


class Notice(Value):
    """A raw callback as it was stored: which channel reads it, and its plain text.

    Of one ``lane`` only one is worked on at a time; the empty lane keeps no order.
    """

    key: str
    channel: str
    body: str
    lane: str = ""


class MessageReceived(Value):
    """A customer wrote to a 微信客服 account.

    ``text`` holds the words, or what a form that is no text says of itself. ``earlier`` is what
    the customer asked just before and was not answered yet, because the answer was taken back.
    """

    kind: Literal["message_received"] = "message_received"
    account: KfAccountId
    customer: CustomerId
    msgid: str
    form: str = "text"  # text, image, voice, …: WeCom's msgtype
    text: Said = ""
    media: str = ""  # what WeCom keeps of a voice, a picture, a file: lives for three days
    menu: str = ""  # the item of one of our menus that was pressed
    earlier: Said = ""
    done: tuple[str, ...] = ()  # what the answer that was taken back had brought about already
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
    text: Said = ""
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


class RejectionSwitched(Value):
    """A servicer began or ceased to reject a customer's messages."""

    kind: Literal["rejection_switched"] = "rejection_switched"
    account: KfAccountId
    customer: CustomerId
    servicer: RmId
    on: bool
    at: datetime


WITHDRAWN = "account_withdrawn"


class KfNoted(Value):
    """Anything else of 微信客服, known or of a later year: kept as it came, in short."""

    kind: Literal["kf_noted"] = "kf_noted"
    account: KfAccountId
    what: str  # WeCom's event_type, or origin:msgtype of a message whose origin is not known
    customer: str = ""
    facts: dict[str, str] = Field(default_factory=dict)
    at: datetime


class GroupMessageReceived(Value):
    """Somebody wrote in a customer group, as the archive has it."""

    kind: Literal["group_message_received"] = "group_message_received"
    chat: GroupChatId
    sender: str
    staff: bool
    msgid: str
    form: str = "text"
    text: Said = ""
    sent_at: datetime


class PrivateMessageReceived(Value):
    """A customer wrote to a manager alone, or with ``staff`` the manager to him, by the archive."""

    kind: Literal["private_message_received"] = "private_message_received"
    customer: CustomerId
    manager: RmId
    staff: bool = False
    msgid: str
    form: str = "text"
    text: Said = ""
    sent_at: datetime


class ArchiveUnreadable(Value):
    """An archived message that could not be decrypted: read again later, by its number."""

    kind: Literal["archive_unreadable"] = "archive_unreadable"
    seq: int
    msgid: str
    reason: str


class CardPressed(Value):
    """A member of staff pressed a button on one of our cards."""

    kind: Literal["card_pressed"] = "card_pressed"
    by: RmId
    key: str
    task: str
    response_code: str = ""
    selected: dict[str, str] = Field(default_factory=dict)
    chosen: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # every option, by question
    reply: ReplyTo | None = None  # given where it was a card of the AI bot's
    at: datetime


class StaffAsked(Value):
    """A member of staff asked something: of the AI bot, or of the self-built app."""

    kind: Literal["staff_asked"] = "staff_asked"
    by: RmId
    msgid: str
    form: str = "text"  # text, image, voice, …: WeCom's msgtype
    text: Said = ""
    reply: ReplyTo
    at: datetime


class StaffCame(Value):
    """A member of staff opened the AI bot for the first time in a day; 5 s for a welcome."""

    kind: Literal["staff_came"] = "staff_came"
    by: RmId
    msgid: str
    reply: ReplyTo
    at: datetime


class AnswerRated(Value):
    """A member of staff said whether an answer was right, or took that back."""

    kind: Literal["answer_rated"] = "answer_rated"
    by: RmId
    answer: str
    verdict: Literal["right", "wrong", "withdrawn"]
    reasons: tuple[str, ...] = ()
    at: datetime


class CustomerChanged(Value):
    """A customer was added, edited, lost or handed on, or agreed to the archive (§5.1).

    ``half``: the manager has not confirmed yet. ``by`` is who ended it. ``reason`` is why a
    transfer failed, in WeCom's word.
    """

    kind: Literal["customer_changed"] = "customer_changed"
    change: Literal["added", "edited", "lost", "handed_on", "transfer_failed", "agreed"]
    customer: CustomerId
    manager: RmId
    half: bool = False
    by: Literal["", "manager", "customer"] = ""
    reason: str = ""
    state: str = ""
    welcome_code: str = ""
    at: datetime


class GroupChanged(Value):
    """A customer group came up, changed or was dismissed."""

    kind: Literal["group_changed"] = "group_changed"
    change: Literal["created", "updated", "dismissed"]
    chat: GroupChatId
    detail: str = ""
    members: tuple[str, ...] = ()
    last_version: str = ""
    version: str = ""
    at: datetime


class TagsChanged(Value):
    """The bank's own tags, or a group of them, changed in WeCom."""

    kind: Literal["tags_changed"] = "tags_changed"
    change: Literal["create", "update", "delete", "shuffle"]
    id: str = ""
    of: Literal["tag", "tag_group", ""] = ""
    at: datetime


Event = Annotated[
    MessageReceived
    | SessionEntered
    | SessionChanged
    | StaffSpoke
    | SendFailed
    | MessageRecalled
    | RejectionSwitched
    | KfNoted
    | GroupMessageReceived
    | PrivateMessageReceived
    | ArchiveUnreadable
    | CardPressed
    | StaffAsked
    | StaffCame
    | AnswerRated
    | CustomerChanged
    | GroupChanged
    | TagsChanged,
    Field(discriminator="kind"),
]


class Arrival(Value):
    """An event with the key that makes it unique and the lane that keeps its order.

    ``past`` tells that it is too old to be worked on: it is recorded as read.
    """

    key: str
    lane: str
    event: Event
    past: bool = False


class Received(Value):
    """One page that a channel read: events, where to read on, and whether there is more."""

    arrivals: tuple[Arrival, ...] = ()
    cursor: str | None = None
    more: bool = False
