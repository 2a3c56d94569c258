"""What WeCom's word on a mass-send task means for each of its receivers; pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import IntEnum
from typing import Literal, NamedTuple, Protocol

from bot.domain.runs import SendTask, StepState

REMIND_AT = (timedelta(minutes=30), timedelta(hours=2), timedelta(hours=4))
REMINDERS = 2  # where the file says nothing (群主未确认)
REMINDERS_A_DAY = 3  # to one owner, over all tasks
FIRST_POLL = timedelta(minutes=5)
_LONGEST_POLL = timedelta(minutes=60)
CANCEL_GRACE = timedelta(seconds=30)

Cancel = Literal["", "done", "failed"]
"""Whether a task's cancel has gone through: before it has, the owner may still send."""


class Waiting(Protocol):
    """A task that waits for its owner's press."""

    @property
    def created_at(self) -> datetime:
        """Since when."""

    @property
    def closes_at(self) -> datetime:
        """Until when at the longest."""

    @property
    def reminded(self) -> int:
        """How often its owner was reminded of it."""


class Status(IntEnum):
    """What became of one receiver (wecom_protocol §5.7)."""

    UNSENT = 0
    SENT = 1
    NOT_A_FRIEND = 2
    FULL = 3


REASONS = {Status.NOT_A_FRIEND: "not_friend", Status.FULL: "platform_quota"}


class Answer(NamedTuple):
    """WeCom's word on one receiver, with the moment of sending where it was sent."""

    status: Status = Status.UNSENT
    sent_at: datetime | None = None


class Confirmed(NamedTuple):
    """It was sent then."""

    at: datetime


class Refused(NamedTuple):
    """The owner pressed, and WeCom did not let it through."""

    reason: str


class AskAgain(NamedTuple):
    """Nothing yet."""

    at: datetime


class TakeBack(NamedTuple):
    """The group has another owner: whoever has the task is not to send it there."""

    again: datetime


class Anew(NamedTuple):
    """It will not be sent by the old owner any more: the new one gets a task of his own."""


class Unsent(NamedTuple):
    """It was cancelled unsent: what is left of the window is used, or the step is over."""


class Failed(NamedTuple):
    """Nobody can say whether it may still be sent: it is not made again."""

    reason: str


class Over(NamedTuple):
    """Its step had ended before, and this changes nothing of it."""


Verdict = Confirmed | Refused | AskAgain | TakeBack | Anew | Unsent | Failed | Over


def judge(
    task: SendTask, step: StepState, answer: Answer, cancel: Cancel, moved: bool, now: datetime
) -> Verdict:
    """Say what becomes of one receiver of a task; ``moved``: the group has another owner."""
    if answer.status is Status.SENT and step in ("waiting", "skipped"):
        return Confirmed(answer.sent_at or now)
    if step != "waiting":
        known = answer.status is not Status.UNSENT or bool(cancel)
        # Until its cancel is through, or its window over, what is left in the list may be sent.
        return Over() if known else AskAgain(now + CANCEL_GRACE)
    if answer.status is Status.NOT_A_FRIEND and moved:
        return Anew()
    if answer.status in REASONS:
        return Refused(REASONS[answer.status])
    if now < task.closes_at:
        again = next_look(task, now)
        return TakeBack(again) if moved else AskAgain(again)
    if not cancel:
        return AskAgain(now + CANCEL_GRACE)
    # The old task may still be in its owner's list: a second one could be sent as well.
    return Failed("cancel_failed") if cancel == "failed" else Unsent()


def next_look(task: Waiting, now: datetime) -> datetime:
    """Return when a task is asked after next: ever more slowly, and when a reminder is due."""
    waited = now - task.created_at
    again = now + min(max(waited, FIRST_POLL), _LONGEST_POLL)
    moments = (task.created_at + after for after in REMIND_AT)
    return min([again, task.closes_at, *(moment for moment in moments if moment > now)])


def wants_reminder(task: Waiting, most: int, now: datetime) -> bool:
    """Tell whether a task's owner is to be reminded of it now; ``most`` is the file's number."""
    given = task.reminded
    if given >= min(most, len(REMIND_AT)) or now >= task.closes_at:
        return False
    return now - task.created_at >= REMIND_AT[given]
