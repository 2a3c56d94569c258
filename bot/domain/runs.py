"""A run of a script for one subject, and what became of each of its steps."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from bot.domain.value import Value

RunState = Literal["running", "held_out", "done", "exited"]
StepState = Literal["planned", "queued", "waiting", "confirmed", "skipped", "failed"]
FINAL_STEPS: frozenset[str] = frozenset({"confirmed", "skipped", "failed"})


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
