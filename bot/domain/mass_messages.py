"""What a member of staff sends to many by one press: mass messages and moments, and their end."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.domain.contents import Content
from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.domain.value import Value

MOST_GROUPS = 2000  # in one task: wecom_protocol §5.7
MOST_CUSTOMERS = 10_000


class Broadcast(Value):
    """A mass-send task for a group owner, who has to press send (add_msg_template)."""

    kind: Literal["broadcast"] = "broadcast"
    owner: RmId
    chats: tuple[GroupChatId, ...] = Field(min_length=1, max_length=MOST_GROUPS)
    contents: tuple[Content, ...] = Field(min_length=1)


class CustomerBroadcast(Value):
    """A mass-send task for a manager, whose customers get it one to one once he presses send."""

    kind: Literal["customer_broadcast"] = "customer_broadcast"
    manager: RmId
    customers: tuple[CustomerId, ...] = Field(min_length=1, max_length=MOST_CUSTOMERS)
    contents: tuple[Content, ...] = Field(min_length=1)


class BroadcastReminder(Value):
    """Remind the owner of a task that waits."""

    kind: Literal["broadcast_reminder"] = "broadcast_reminder"
    task: str


class BroadcastCancel(Value):
    """Stop what a task has not sent yet."""

    kind: Literal["broadcast_cancel"] = "broadcast_cancel"
    task: str


class Moment(Value):
    """A moment that a manager has to post; ``tags`` narrow down which of his friends see it."""

    kind: Literal["moment"] = "moment"
    manager: RmId
    tags: tuple[str, ...] = ()
    contents: tuple[Content, ...] = Field(min_length=1)


class MomentCancel(Value):
    """Take back a moment that was not posted."""

    kind: Literal["moment_cancel"] = "moment_cancel"
    moment: str


Task = Broadcast | CustomerBroadcast


def sender_of(task: Task | Moment) -> RmId:
    """Return who has to press send."""
    return task.owner if isinstance(task, Broadcast) else task.manager


def receivers_of(task: Task) -> tuple[str, ...]:
    """Return the groups or the customers that a task goes to."""
    return task.chats if isinstance(task, Broadcast) else task.customers
