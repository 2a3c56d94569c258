"""A run of a script for one subject, and what became of each of its steps."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from bot.domain.value import Value

RunState = Literal["running", "held_out", "done", "exited"]
StepState = Literal["planned", "queued", "waiting", "confirmed", "skipped", "failed"]
FINAL_STEPS: frozenset[str] = frozenset({"confirmed", "skipped", "failed"})
REMIND_AFTER = (timedelta(minutes=30), timedelta(hours=2))  # at most 3 in 24 h: protocol §5.7


class Run(Value):
    """One group's way through one script."""

    id: int
    script: str
    version: str
    subject: str
    owner: str
    branch: str
    anchor: date
    state: RunState
    reason: str = ""
    weekly_cap: int | None = None
    marketing_stopped: bool = False
    due_at: datetime | None = None
    attempt: int = 0


class RunStep(Value):
    """A step of a run: planned, under way, or ended with its reason."""

    id: int
    run: int
    step: str
    kind: Literal["step", "overlay"]
    planned_on: date
    opens_at: datetime
    closes_at: datetime
    iteration: int = 0
    state: StepState = "planned"
    reason: str = ""
    text: str = ""


class GroupFace(NamedTuple):
    """What a step needs to know of a group; its members, who are many, are left where they are."""

    id: str
    name: str
    owner: str
    dismissed: bool = False


class Standing(NamedTuple):
    """How a run stands at one moment.

    ``due`` are its steps that open or close by then, in their order; ``later`` is when the next
    of the others does; ``unfinished`` tells whether any of the others has not ended.
    """

    run: Run
    group: GroupFace | None
    due: tuple[RunStep, ...] = ()
    later: datetime | None = None
    unfinished: bool = False


class StepChange(NamedTuple):
    """A step as it is to be written; ``was`` is the state in which it was read."""

    state: StepState
    iteration: int
    reason: str
    text: str
    opens_at: datetime
    closes_at: datetime
    id: int
    was: StepState


class NewStep(Value):
    """A planned step before it is stored."""

    step: str
    kind: Literal["step", "overlay"]
    planned_on: date
    opens_at: datetime
    closes_at: datetime
    skip: str = ""


class SendTask(Value):
    """A mass-send task that waits for its owner, polled until its window ends."""

    id: int
    msgid: str
    run_step: int
    owner: str
    chat: str
    created_at: datetime
    closes_at: datetime
    due_at: datetime | None = None
    attempt: int = 0


def cancel_key(task: str) -> str:
    """Return the key of the message that takes a mass-send task back."""
    return f"cancel:{task}"


def remind_keys(task: str) -> list[str]:
    """Return the keys of the reminders of a mass-send task, in their order."""
    return [f"remind:{task}:{number}" for number in range(1, len(REMIND_AFTER) + 1)]
