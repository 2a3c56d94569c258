"""What is thought of one run: all that is to be written of it, and the parts of its script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from bot.domain.quota import Kind
from bot.domain.registry import BIRTHDAY, LUNAR_BIRTHDAY, MATURITY, PAYDAY
from bot.domain.runs import NewStep, Run, RunStep, Standing, StepChange, Token
from bot.domain.script import SopScript
from bot.domain.splitting import Exposure
from bot.domain.steps import Overlay, Step
from bot.storage.letters import Letter

CUSTOMER_DATES = frozenset({BIRTHDAY, LUNAR_BIRTHDAY, MATURITY, PAYDAY})


class Act(NamedTuple):
    """A step whose 动作 are to be carried out now."""

    step: str
    round: int


class Reserved(NamedTuple):
    """A place among a subject's messages that a step takes on a day, until it is sent or ends."""

    subject: str
    key: str
    kinds: tuple[Kind, ...]
    day: date
    priority: int


@dataclass(frozen=True, slots=True)
class Played:
    """A version of a script with its parts at hand."""

    script: SopScript
    parts: Mapping[str, Step | Overlay]
    guarded: frozenset[str]
    steps: Mapping[str, Step]
    following: Mapping[str, str]
    asks_people: bool = False
    judged: frozenset[str] = frozenset()
    experiments: tuple[str, ...] = ()
    flows: bool = False  # asked for every run that is looked at

    @classmethod
    def of(cls, script: SopScript) -> Played:
        """Return a script's parts by their ids, and what has to be read for them."""
        order = [step.id for step in script.steps]
        return cls(
            script,
            {part.id: part for part in script.parts},
            frozenset(step.id for step in script.steps if step.guard is not None),
            {step.id: step for step in script.steps},
            dict(pairwise(order)),
            any(_asks_people(step) for step in script.steps),
            frozenset(s.id for s in script.steps if s.guard is not None and s.guard.where),
            tuple({step.split.experiment: None for step in script.steps if step.split}),
            script.flows,
        )

    def asks(self, standing: Standing) -> bool:
        """Tell whether a step that is due has a 前提."""
        if not self.guarded:
            return False
        rows = standing.due if standing.row is None else (standing.row,)
        return any(row.step in self.guarded and row.state == "planned" for row in rows)

    def asks_facts(self, standing: Standing) -> bool:
        """Tell whether what is known of the subject decides what becomes of the run now."""
        if not self.flows:
            return bool(self.judged) and any(r.step in self.judged for r in _opening(standing))
        row = standing.row
        return self.asks_people and (row is None or row.state != "queued")

    def asks_slots(self, standing: Standing) -> bool:
        """Tell whether a step may take a place among the subject's messages now."""
        if not self.flows:
            return any(row.state == "planned" for row in standing.due)
        row = standing.row
        return standing.run.phase != "wait" and (row is None or row.state != "queued")


def _opening(standing: Standing) -> list[RunStep]:
    rows = standing.due if standing.row is None else (standing.row,)
    return [row for row in rows if row.state == "planned"]


def _asks_people(step: Step) -> bool:
    """Tell whether a step is judged by what is known of the subject."""
    dated = step.relative is not None and step.relative.anchor in CUSTOMER_DATES
    judged = step.guard is not None and step.guard.where is not None
    branches = any(branch.when is not None for branch in step.branches)
    return dated or judged or branches or step.wait is not None


@dataclass(slots=True)
class Advance:
    """What is to be written of a run: its messages, its steps, the ledger, and its next wake-up.

    ``places`` are new steps of a run with a token, ``token`` is where that stands then, ``acts``
    are steps whose 动作 are due. ``replan`` has what has not begun placed anew from that day on.
    """

    run: Run
    script: SopScript | None = None
    letters: list[Letter] = field(default_factory=list)
    changes: list[StepChange] = field(default_factory=list)
    entries: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    end: Literal["", "done", "exited"] = ""
    reason: str = ""
    wake_at: datetime | None = None
    places: list[NewStep] = field(default_factory=list)
    token: Token | None = None
    acts: list[Act] = field(default_factory=list)
    exposures: list[Exposure] = field(default_factory=list)
    reserved: list[Reserved] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    replan: date | None = None

    def note(self, kind: str, **facts: Any) -> None:
        """Put an entry into the ledger, with the run and the version that it is of (V5)."""
        run = self.run
        facts |= {"script": run.script, "version": run.version, "run": run.id}
        self.entries.append((kind, run.subject, facts))

    def queue(
        self,
        row: RunStep,
        iteration: int,
        text: str,
        closes_at: datetime,
        way: str = "",
        variant: str = "",
    ) -> None:
        """Have a step written whose words go into the outbox."""
        self.changes.append(
            StepChange(
                *("queued", iteration, "", text, row.opens_at, closes_at),
                *(way or row.way, variant, row.id, row.state),
            )
        )

    def skip(self, row: RunStep, reason: str) -> None:
        """Have a step written that is not to be, with its reason."""
        self.changes.append(_as_it_is(row)._replace(state="skipped", reason=reason))
        self.note("step_skipped", step=row.step, reason=reason, round=row.round)

    def put_off(
        self, row: RunStep, opens_at: datetime, closes_at: datetime, reason: str, way: str = ""
    ) -> None:
        """Have a step that has not begun written with another window."""
        moved = _as_it_is(row)._replace(opens_at=opens_at, closes_at=closes_at, reason=reason)
        self.changes.append(moved._replace(way=way or row.way))

    def leave(self, reason: str) -> None:
        """End the run before its last step; what it had before it is taken back."""
        self.end, self.reason = "exited", reason
        self.note("exited", reason=reason)


def _as_it_is(row: RunStep) -> StepChange:
    return StepChange(
        state=row.state,
        iteration=row.iteration,
        reason=row.reason,
        text=row.text,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        way=row.way,
        variant=row.variant,
        id=row.id,
        was=row.state,
    )
