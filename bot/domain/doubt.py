"""A mass-send task that may or may not have been made: what WeCom's lists say of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.contents import Content, Link, MiniProgram
from bot.domain.mass_messages import Moment, Task
from bot.domain.value import Value

FIRST_LOOK = timedelta(minutes=1)
LOOK_AROUND = timedelta(minutes=2)  # before the attempt: our clock and WeCom's may differ
LOOK_BEHIND = timedelta(minutes=15)  # after it: the call may have waited on its way
_LISTS_LAG = timedelta(minutes=3)
_BETWEEN_PROOFS = timedelta(minutes=2)
_LONGEST_PAUSE = timedelta(minutes=30)
_GIVE_UP_AFTER = timedelta(hours=6)


class MadeTask(Value):
    """A task as WeCom lists it; attachments in words that both sides can be compared by."""

    msgid: str
    text: str = ""
    attachments: tuple[str, ...] = ()


class Doubt(Value):
    """What is known of a task in doubt."""

    tried_at: datetime
    opened_at: datetime
    absent_at: datetime | None = None  # when WeCom's lists first proved that it is not there
    looks: int = 0
    resent: int = 0


class Evidence(Value):
    """What a look brought: the task's id, or that every list was read and holds none."""

    found: str = ""
    absent: bool = False


class Found(Value):
    """It was made; it goes on as if it had been answered."""

    msgid: str


class LookAgain(Value):
    """Not known yet."""

    at: datetime
    absent_at: datetime | None


class SendAgain(Value):
    """It was surely not made."""


class StaysUnknown(Value):
    """Nobody can tell; people decide."""


Verdict = Found | LookAgain | SendAgain | StaysUnknown


def judge(doubt: Doubt, evidence: Evidence, now: datetime) -> Verdict:
    """Say what follows from a look; sent again only after two proofs of absence, minutes apart.

    A task is sent again once at most: what is in doubt a second time stays for people.
    """
    if evidence.found:
        return Found(msgid=evidence.found)
    if not evidence.absent or now < doubt.tried_at + _LISTS_LAG:
        if now - doubt.opened_at >= _GIVE_UP_AFTER:
            return StaysUnknown()
        pause = min(FIRST_LOOK * 2 ** min(doubt.looks, 10), _LONGEST_PAUSE)
        return LookAgain(at=now + pause, absent_at=doubt.absent_at)
    if doubt.absent_at is None:
        return LookAgain(at=now + _BETWEEN_PROOFS, absent_at=now)
    if now - doubt.absent_at < _BETWEEN_PROOFS:
        return LookAgain(at=doubt.absent_at + _BETWEEN_PROOFS, absent_at=doubt.absent_at)
    return StaysUnknown() if doubt.resent else SendAgain()


def looks_like(made: MadeTask, message: Task | Moment) -> bool:
    """Tell whether a listed task says just what a message says."""
    texts = [content.text for content in message.contents if content.kind == "text"]
    attached = tuple(_seen(content) for content in message.contents if content.kind != "text")
    return made.text.strip() == "\n".join(texts).strip() and made.attachments == attached


def _seen(content: Content) -> str:
    match content:
        case Link():
            return f"link:{content.url}"
        case MiniProgram():
            return f"mini_program:{content.app_id}/{content.page}"
        case _:
            return content.kind
