"""What is said to the bank's own staff: cards, words, and the answers to what they ask."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from bot.domain.ids import RmId
from bot.domain.value import Value


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
    """What a member of staff sees: a title, facts in rows, buttons.

    ``link`` is the page that opens where the card itself is tapped, "" for none.
    """

    title: str
    description: str = ""
    body: str = ""
    rows: tuple[tuple[str, str], ...] = Field(default=(), max_length=6)
    buttons: tuple[Button, ...] = Field(min_length=1, max_length=6)
    choice: Choice | None = None
    link: str = ""


class StaffCard(Value):
    """A card to one member of staff; ``task`` names it when a button comes back."""

    kind: Literal["staff_card"] = "staff_card"
    to: RmId
    task: str
    card: Card


class StaffCardUpdate(Value):
    """Grey the buttons of a card that was worked on, or put another ``card`` in its place."""

    kind: Literal["staff_card_update"] = "staff_card_update"
    to: RmId
    response_code: str
    replace: str = ""
    card: Card | None = None
    task: str = ""


class StaffText(Value):
    """Plain words to members of staff."""

    kind: Literal["staff_text"] = "staff_text"
    to: tuple[RmId, ...] = Field(min_length=1)
    text: str


class StaffNotice(Value):
    """A card that tells a member of staff something and opens a page, with a picture at will."""

    kind: Literal["staff_notice"] = "staff_notice"
    to: RmId
    title: str
    description: str = ""
    rows: tuple[tuple[str, str], ...] = Field(default=(), max_length=6)
    url: str
    picture: str = ""


class Poll(Value):
    """One question of a poll: its key, what it asks, and (value, words) to choose from."""

    key: str
    title: str
    options: tuple[tuple[str, str], ...] = Field(min_length=1, max_length=10)


class StaffPoll(Value):
    """A card with one to three questions; ``press`` is the key that comes back when it is sent.

    ``several`` lets one question have more than one answer.
    """

    kind: Literal["staff_poll"] = "staff_poll"
    to: RmId
    task: str
    title: str
    description: str = ""
    questions: tuple[Poll, ...] = Field(min_length=1, max_length=3)
    press: str
    several: bool = False


class ReplyTo(Value):
    """Where a member of staff asked, and so where the answer goes.

    ``app`` is the self-built app; ``socket`` and ``webhook`` are the two ways of the AI bot. A
    ``response_url`` takes one answer within an hour; a ``stream`` is the message that fills up.
    """

    via: Literal["app", "socket", "webhook"]
    chat: str = ""
    req_id: str = ""
    response_url: str = ""
    stream: str = ""


class StaffStream(Value):
    """The answer to a member of staff, whole each time, in the message that is open for it."""

    kind: Literal["staff_stream"] = "staff_stream"
    to: RmId
    reply: ReplyTo
    text: str = Field(min_length=1)
    asked_at: datetime


class StaffMarkdown(Value):
    """Words of their own to a member of staff, where the message for them is closed."""

    kind: Literal["staff_markdown"] = "staff_markdown"
    to: RmId
    reply: ReplyTo
    text: str = Field(min_length=1)


class BotCard(Value):
    """A card of the AI bot's to a member of staff, under the words that it belongs to."""

    kind: Literal["bot_card"] = "bot_card"
    to: RmId
    reply: ReplyTo
    task: str
    card: Card


class BotCardUpdate(Value):
    """Put a greyed card, which says what was chosen, in the place of one that was pressed."""

    kind: Literal["bot_card_update"] = "bot_card_update"
    to: RmId
    reply: ReplyTo
    task: str
    title: str


class StaffWelcome(Value):
    """What a member of staff reads who opens the AI bot for the first time in a day."""

    kind: Literal["staff_welcome"] = "staff_welcome"
    to: RmId
    reply: ReplyTo
    text: str = Field(min_length=1)


class GroupWebhook(Value):
    """Words (Markdown) into the internal group of the bank's staff."""

    kind: Literal["group_webhook"] = "group_webhook"
    text: str = Field(min_length=1)
