"""What is said: contents, and everything that leaves the bot."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from bot.domain.ids import CustomerId, GroupChatId, KfAccountId, RmId
from bot.domain.value import Value


class Text(Value):
    """Plain words."""

    kind: Literal["text"] = "text"
    text: str = Field(min_length=1)


class Image(Value):
    """A picture from the workspace's ``sop/files``."""

    kind: Literal["image"] = "image"
    file: str
    alt: str = ""


class Link(Value):
    """A link with its card."""

    kind: Literal["link"] = "link"
    title: str
    url: str
    description: str = ""


Content = Annotated[Text | Image | Link, Field(discriminator="kind")]


class KfReply(Value):
    """An answer in a customer's one-to-one 微信客服 session."""

    kind: Literal["kf_reply"] = "kf_reply"
    account: KfAccountId
    customer: CustomerId
    content: Content


class KfEventReply(Value):
    """Words for a session event's code: the welcome, the queue hint, the goodbye."""

    kind: Literal["kf_event_reply"] = "kf_event_reply"
    account: KfAccountId
    customer: CustomerId
    code: str
    content: Text


class KfHandover(Value):
    """Give a customer's session to a person, or to the waiting pool where ``to`` is empty."""

    kind: Literal["kf_handover"] = "kf_handover"
    account: KfAccountId
    customer: CustomerId
    to: RmId | None = None


class Button(Value):
    """A button on a staff card."""

    text: str = Field(max_length=10)
    key: str
    style: Literal[1, 2, 3, 4] = 1


class Choice(Value):
    """A drop-down on a staff card: what it asks and (value, words) to choose from."""

    key: str
    title: str
    options: tuple[tuple[str, str], ...] = Field(min_length=1, max_length=10)


class Card(Value):
    """What a member of staff sees: a title, facts in rows, buttons."""

    title: str
    description: str = ""
    body: str = ""
    rows: tuple[tuple[str, str], ...] = Field(default=(), max_length=6)
    buttons: tuple[Button, ...] = Field(min_length=1, max_length=6)
    choice: Choice | None = None


class StaffCard(Value):
    """A card to one member of staff; ``task`` names it when a button comes back."""

    kind: Literal["staff_card"] = "staff_card"
    to: RmId
    task: str
    card: Card


class StaffCardUpdate(Value):
    """Grey the buttons of a card that was worked on."""

    kind: Literal["staff_card_update"] = "staff_card_update"
    to: RmId
    response_code: str
    replace: str


class StaffText(Value):
    """Plain words to members of staff."""

    kind: Literal["staff_text"] = "staff_text"
    to: tuple[RmId, ...] = Field(min_length=1)
    text: str


class Broadcast(Value):
    """A mass-send task for a group owner, who has to press send (add_msg_template)."""

    kind: Literal["broadcast"] = "broadcast"
    owner: RmId
    chats: tuple[GroupChatId, ...] = Field(min_length=1, max_length=2000)
    contents: tuple[Content, ...] = Field(min_length=1)


class BroadcastReminder(Value):
    """Remind the owner of a task that waits."""

    kind: Literal["broadcast_reminder"] = "broadcast_reminder"
    task: str


class BroadcastCancel(Value):
    """Stop what a task has not sent yet."""

    kind: Literal["broadcast_cancel"] = "broadcast_cancel"
    task: str


class GroupWelcome(Value):
    """Welcome material that the owner attaches to groups by hand; the platform then sends it."""

    kind: Literal["group_welcome"] = "group_welcome"
    text: str


class TagChange(Value):
    """Put tags on a customer."""

    kind: Literal["tag_change"] = "tag_change"
    manager: RmId
    customer: CustomerId
    add: tuple[str, ...]


Outbound = Annotated[
    KfReply
    | KfEventReply
    | KfHandover
    | StaffCard
    | StaffCardUpdate
    | StaffText
    | Broadcast
    | BroadcastReminder
    | BroadcastCancel
    | GroupWelcome
    | TagChange,
    Field(discriminator="kind"),
]


class Receipt(Value):
    """What WeCom gave back for a message it accepted."""

    ref: str = ""
    response_code: str = ""
    failed: tuple[str, ...] = ()


class Policy(StrEnum):
    """What to do with a row found half sent (durable_core, rule 6)."""

    IDEMPOTENT = "idempotent"
    UNKNOWN_ON_CRASH = "unknown_on_crash"


POLICIES: dict[str, Policy] = {
    "kf_reply": Policy.IDEMPOTENT,
    "kf_event_reply": Policy.UNKNOWN_ON_CRASH,
    "kf_handover": Policy.IDEMPOTENT,
    "staff_card": Policy.IDEMPOTENT,
    "staff_card_update": Policy.IDEMPOTENT,
    "staff_text": Policy.IDEMPOTENT,
    "broadcast": Policy.UNKNOWN_ON_CRASH,
    "broadcast_reminder": Policy.IDEMPOTENT,
    "broadcast_cancel": Policy.IDEMPOTENT,
    "group_welcome": Policy.UNKNOWN_ON_CRASH,
    "tag_change": Policy.IDEMPOTENT,
}
CHANNEL_OF: dict[str, str] = {
    "kf_reply": "kf",
    "kf_event_reply": "kf",
    "kf_handover": "kf",
    "staff_card": "app",
    "staff_card_update": "app",
    "staff_text": "app",
    "broadcast": "contact",
    "broadcast_reminder": "contact",
    "broadcast_cancel": "contact",
    "group_welcome": "contact",
    "tag_change": "contact",
}
