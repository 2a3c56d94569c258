"""A run of a script for one subject, and what became of each of its steps."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, NamedTuple

from pydantic import Field

from bot.domain.value import Value

RunState = Literal["running", "held_out", "done", "exited"]
StepState = Literal["planned", "queued", "waiting", "confirmed", "skipped", "failed"]
FINAL_STEPS: frozenset[str] = frozenset({"confirmed", "skipped", "failed"})
SubjectKind = Literal["group", "customer"]
Phase = Literal["", "arrive", "send", "wait"]


class Run(Value):
    """One subject's way through one script.

    A run that is not planned ahead has a token: at which step it stands (``node``, empty before
    the first), what it does there (``phase``), since when, in which ``round`` of a repetition,
    with which ``arms`` of its experiments, ``shifted`` by how many days (后面一起顺延), and where
    it has ``been``: no step is done twice, whatever becomes of the file.
    """

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
    product_stopped: bool = False
    subject_kind: SubjectKind = "group"
    key: str = ""
    node: str = ""
    phase: Phase = ""
    node_at: datetime | None = None
    round: int = 1
    arms: dict[str, str] = Field(default_factory=dict)
    shifted: int = 0
    been: tuple[str, ...] = ()
    entered_at: datetime | None = None
    expires_at: datetime | None = None
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
    round: int = 1
    way: str = ""  # how it goes out, where its file names several ways
    variant: str = ""  # the arm whose words it has
    priority: int = 0


class GroupFace(NamedTuple):
    """What a step needs to know of a group; its members, who are many, are left where they are."""

    id: str
    name: str
    owner: str
    dismissed: bool = False

    @property
    def gone(self) -> str:
        """Return why nothing reaches the group any more; empty while it is there."""
        return "group_dismissed" if self.dismissed else ""


class PersonFace(NamedTuple):
    """What a step needs to know of a customer.

    ``owner`` is the manager who serves them, empty for a friend of nobody; the rest is whether
    and where 微信客服 may still answer them.
    """

    id: str
    name: str
    owner: str
    refuses: bool = False
    account: str = ""
    last_customer_at: datetime | None = None
    replies: int = 0

    @property
    def gone(self) -> str:
        """Return why nothing reaches the customer any more; empty while they are a friend."""
        return "" if self.owner else "customer_lost"


Face = GroupFace | PersonFace


class Standing(NamedTuple):
    """How a run stands at one moment.

    ``due`` are its steps that open or close by then, in their order; ``later`` is when the next
    of the others does; ``unfinished`` tells whether any of the others has not ended. Of a run with
    a token only ``row`` is asked for: the step at which the token is, whatever became of it.
    """

    run: Run
    group: Face | None
    due: tuple[RunStep, ...] = ()
    later: datetime | None = None
    unfinished: bool = False
    row: RunStep | None = None


class StepChange(NamedTuple):
    """A step as it is to be written; ``was`` is the state in which it was read."""

    state: StepState
    iteration: int
    reason: str
    text: str
    opens_at: datetime
    closes_at: datetime
    way: str
    variant: str
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
    round: int = 1
    way: str = ""
    variant: str = ""
    priority: int = 0


class Token(NamedTuple):
    """Where a run stands that is not planned ahead, as it is to be written."""

    node: str
    phase: Phase
    at: datetime
    round: int
    arms: dict[str, str]
    shifted: int
    been: tuple[str, ...]


def slot_key(run: int, step: str, round: int = 1) -> str:
    """Return by which key a step's place among a subject's messages is known."""
    return f"sop:{run}:{step}" if round == 1 else f"sop:{run}:{step}~{round}"


class SendTask(Value):
    """A mass-send task that waits for its owner, polled until its window ends."""

    id: int
    msgid: str
    run_step: int
    owner: str
    chat: str
    subject_kind: SubjectKind = "group"
    created_at: datetime
    closes_at: datetime
    reminded: int = 0
    due_at: datetime | None = None
    attempt: int = 0


def cancel_key(task: str) -> str:
    """Return the key of the message that takes a mass-send task back."""
    return f"cancel:{task}"
