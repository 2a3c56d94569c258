"""What is said: contents, and everything that leaves the bot."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from bot.domain.contents import Content as Content
from bot.domain.contents import File as File
from bot.domain.contents import Image as Image
from bot.domain.contents import Link as Link
from bot.domain.contents import MiniProgram as MiniProgram
from bot.domain.contents import Text as Text
from bot.domain.contents import Video as Video
from bot.domain.ids import CustomerId, KfAccountId, RmId
from bot.domain.mass_messages import Broadcast as Broadcast
from bot.domain.mass_messages import BroadcastCancel as BroadcastCancel
from bot.domain.mass_messages import BroadcastReminder as BroadcastReminder
from bot.domain.mass_messages import CustomerBroadcast as CustomerBroadcast
from bot.domain.mass_messages import Moment as Moment
from bot.domain.mass_messages import MomentCancel as MomentCancel
from bot.domain.session_moves import KfHandover as KfHandover
from bot.domain.session_moves import KfInvite as KfInvite
from bot.domain.session_moves import KfRelease as KfRelease
from bot.domain.staff_messages import (
    BotCard,
    BotCardUpdate,
    GroupWebhook,
    StaffMarkdown,
    StaffNotice,
    StaffPoll,
    StaffStream,
    StaffWelcome,
)
from bot.domain.staff_messages import Button as Button
from bot.domain.staff_messages import Card as Card
from bot.domain.staff_messages import Choice as Choice
from bot.domain.staff_messages import StaffCard as StaffCard
from bot.domain.staff_messages import StaffCardUpdate as StaffCardUpdate
from bot.domain.staff_messages import StaffText as StaffText
from bot.domain.value import Value


class KfReply(Value):
    """An answer in a customer's one-to-one 微信客服 session."""

    kind: Literal["kf_reply"] = "kf_reply"
    account: KfAccountId
    customer: CustomerId
    content: Content


class KfTouch(Value):
    """A script's words in a customer's 微信客服 session; each content is one of five messages."""

    kind: Literal["kf_touch"] = "kf_touch"
    account: KfAccountId
    customer: CustomerId
    contents: tuple[Content, ...] = Field(min_length=1, max_length=5)


class MenuItem(Value):
    """Words to press; ``id`` comes back with the message that the press makes."""

    id: str
    text: str


class Menu(Value):
    """Words with items to press, in a 微信客服 session."""

    kind: Literal["menu"] = "menu"
    head: str
    items: tuple[MenuItem, ...] = Field(min_length=1, max_length=10)


class KfEventReply(Value):
    """Words for a session event's code: the welcome, the queue hint, the goodbye."""

    kind: Literal["kf_event_reply"] = "kf_event_reply"
    account: KfAccountId
    customer: CustomerId
    code: str
    content: Annotated[Text | Menu, Field(discriminator="kind")]


class GroupWelcome(Value):
    """Welcome material that the owner attaches to groups by hand; the platform then sends it.

    WeCom takes one attachment beside the text.
    """

    kind: Literal["group_welcome"] = "group_welcome"
    text: str
    attached: Content | None = None


class TagChange(Value):
    """Put tags on a customer, take others off."""

    kind: Literal["tag_change"] = "tag_change"
    manager: RmId
    customer: CustomerId
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class CustomerWelcome(Value):
    """The one welcome to a new friend, in the manager's name, within 20 s (§5.2)."""

    kind: Literal["customer_welcome"] = "customer_welcome"
    manager: RmId
    customer: CustomerId
    code: str
    contents: tuple[Content, ...] = Field(min_length=1)


Outbound = Annotated[
    KfReply
    | KfTouch
    | KfEventReply
    | KfHandover
    | KfRelease
    | KfInvite
    | StaffCard
    | StaffCardUpdate
    | StaffText
    | StaffNotice
    | StaffPoll
    | StaffStream
    | StaffMarkdown
    | BotCard
    | BotCardUpdate
    | StaffWelcome
    | GroupWebhook
    | Broadcast
    | CustomerBroadcast
    | BroadcastReminder
    | BroadcastCancel
    | Moment
    | MomentCancel
    | GroupWelcome
    | TagChange
    | CustomerWelcome,
    Field(discriminator="kind"),
]


class Receipt(Value):
    """What WeCom gave back for a message it accepted."""

    ref: str = ""
    response_code: str = ""
    failed: tuple[str, ...] = ()
    said: int = 1  # messages of a 微信客服 session that were taken
    skipped: str = ""  # why WeCom did not take it, where that is no failure of anybody's


class Policy(StrEnum):
    """What to do with a row found half sent (durable_core, rule 6)."""

    IDEMPOTENT = "idempotent"
    UNKNOWN_ON_CRASH = "unknown_on_crash"


POLICIES: dict[str, Policy] = {
    "kf_reply": Policy.IDEMPOTENT,
    "kf_touch": Policy.IDEMPOTENT,  # each of its messages has an id of its own
    "kf_event_reply": Policy.UNKNOWN_ON_CRASH,
    "kf_handover": Policy.IDEMPOTENT,
    "kf_release": Policy.IDEMPOTENT,  # what has ended is not ended again
    "kf_invite": Policy.UNKNOWN_ON_CRASH,
    "staff_card": Policy.IDEMPOTENT,
    "staff_card_update": Policy.IDEMPOTENT,
    "staff_text": Policy.IDEMPOTENT,
    "staff_notice": Policy.IDEMPOTENT,
    "staff_poll": Policy.IDEMPOTENT,
    # The whole text goes under the stream's id: once more is the same, after its end it is refused.
    "staff_stream": Policy.IDEMPOTENT,
    "staff_markdown": Policy.UNKNOWN_ON_CRASH,
    "bot_card": Policy.IDEMPOTENT,  # each of these is refused the second time
    "bot_card_update": Policy.IDEMPOTENT,
    "staff_welcome": Policy.UNKNOWN_ON_CRASH,
    "group_webhook": Policy.UNKNOWN_ON_CRASH,
    "broadcast": Policy.UNKNOWN_ON_CRASH,
    "customer_broadcast": Policy.UNKNOWN_ON_CRASH,
    "broadcast_reminder": Policy.IDEMPOTENT,
    "broadcast_cancel": Policy.IDEMPOTENT,
    "moment": Policy.UNKNOWN_ON_CRASH,
    "moment_cancel": Policy.IDEMPOTENT,
    "group_welcome": Policy.UNKNOWN_ON_CRASH,
    "tag_change": Policy.IDEMPOTENT,
    "customer_welcome": Policy.UNKNOWN_ON_CRASH,
}
CHANNEL_OF: dict[str, str] = {
    "kf_reply": "kf",
    "kf_touch": "kf",
    "kf_event_reply": "kf",
    "kf_handover": "kf",
    "kf_release": "kf",
    "kf_invite": "kf",
    "staff_card": "app",
    "staff_card_update": "app",
    "staff_text": "app",
    "staff_notice": "app",
    "staff_poll": "app",
    "staff_stream": "aibot",
    "staff_markdown": "aibot",
    "bot_card": "aibot",
    "bot_card_update": "aibot",
    "staff_welcome": "aibot",
    "group_webhook": "webhook",
    "broadcast": "contact",
    "customer_broadcast": "contact",
    "broadcast_reminder": "contact",
    "broadcast_cancel": "contact",
    "moment": "contact",
    "moment_cancel": "contact",
    "group_welcome": "contact",
    "tag_change": "contact",
    "customer_welcome": "contact",
}
Plane = Literal["kf", "sop"]
# Which emergency stop holds a kind back: everything that is said to customers without a person.
# Staff are told, sessions given to people and tasks cancelled all the same.
SWITCH_OF: dict[str, Plane | None] = {
    "kf_reply": "kf",
    "kf_touch": "sop",
    "kf_event_reply": "kf",
    "kf_handover": None,
    "kf_release": "kf",  # to whom would it be given back while the bot may say nothing
    "kf_invite": "kf",
    "staff_card": None,
    "staff_card_update": None,
    "staff_text": None,
    "staff_notice": None,
    "staff_poll": None,
    "staff_stream": None,
    "staff_markdown": None,
    "bot_card": None,
    "bot_card_update": None,
    "staff_welcome": None,
    "group_webhook": None,
    "broadcast": "sop",
    "customer_broadcast": "sop",
    "broadcast_reminder": "sop",
    "broadcast_cancel": None,
    "moment": "sop",
    "moment_cancel": None,
    "group_welcome": "sop",
    "tag_change": None,
    "customer_welcome": "kf",
}
# What somebody waits for at this moment: it has slots and tokens of its own.
URGENT_KINDS = frozenset(
    {
        "kf_event_reply",
        "kf_handover",
        "kf_release",
        "customer_welcome",
        "staff_stream",
        "staff_welcome",
        "bot_card_update",
    }
)
