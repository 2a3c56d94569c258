"""Moments that wait for their managers to post them, each for all the runs that came to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import Terms
from bot.storage import work
from bot.storage.bulk import among
from bot.storage.insert import insert_new
from bot.storage.tables import moments, outbox, run_steps

_AGAIN_AFTER = timedelta(days=7)  # friends who came later do not look that far back


@dataclass(frozen=True, slots=True)
class HeldMoment:
    """A moment that this worker asks after; ``moment`` is empty until WeCom has made it."""

    id: int
    attempt: int
    ref: str
    moment: str
    manager: str
    made_at: datetime
    closes_at: datetime
    state: str


class StepOfMoment(NamedTuple):
    """A step that waits for a moment to be posted, or was skipped while it did."""

    run: int
    step: int
    subject: str
    name: str
    key: str
    state: str


class Moments:
    """One row for each moment; its steps are those whose messages have its ``ref``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def standing(self, batch: str, now: datetime) -> str | None:
        """Return the ref of the moment of a batch that waits or was posted these days."""
        statement = (
            select(moments.c.ref)
            .where(
                moments.c.batch == batch,
                moments.c.state.in_(("waiting", "posted")),
                moments.c.made_at > now - _AGAIN_AFTER,
            )
            .order_by(moments.c.made_at.desc())
            .limit(1)
        )
        found: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return found

    async def add(
        self,
        ref: str,
        moment: str,
        manager: str,
        batch: str,
        now: datetime,
        closes_at: datetime,
        due_at: datetime,
    ) -> str:
        """Remember a moment, or let a known one wait for longer; return its state."""
        row = {
            "ref": ref,
            "moment": moment,
            "manager": manager,
            "batch": batch,
            "state": "waiting",
            "made_at": now,
            "closes_at": closes_at,
            "due_at": due_at,
            "attempt": 0,
        }
        if await insert_new(self._connection, moments, [row]):
            return "waiting"
        await self._connection.execute(
            update(moments)
            .where(moments.c.ref == ref, moments.c.closes_at < closes_at)
            .values(closes_at=closes_at)
        )
        state = select(moments.c.state).where(moments.c.ref == ref)
        return str((await self._connection.execute(state)).scalar_one())

    async def claim(
        self, now: datetime, *, limit: int = 20, lease: timedelta = timedelta(seconds=120)
    ) -> list[HeldMoment]:
        """Take moments that are to be asked after."""
        statement = work.claim_statement(moments)
        rows = await work.claim(self._connection, statement, now, lease=lease, limit=limit)
        return [
            HeldMoment(
                row.id,
                row.attempt,
                row.ref,
                row.moment,
                row.manager,
                row.made_at,
                row.closes_at,
                row.state,
            )
            for row in rows
        ]

    async def finish(
        self,
        held: HeldMoment,
        *,
        state: str = "waiting",
        moment: str | None = None,
        due_at: datetime | None = None,
        error: str = "",
    ) -> bool:
        """Write when to ask again, or a moment's end; False where another worker holds it."""
        known = held.moment if moment is None else moment
        return await work.finish(
            self._connection,
            moments,
            held.id,
            held.attempt,
            due_at=due_at,
            state=state,
            moment=known,
            error=error[:160],
        )

    async def batches_of(self, made: Sequence[str]) -> dict[str, str]:
        """Return of which batches these moments of WeCom's are, as far as they are known."""
        statement = select(moments.c.moment, moments.c.batch).where(
            moments.c.moment.in_(list(made))
        )
        rows = await self._connection.execute(statement)
        return {row.moment: row.batch for row in rows}

    async def waiting_steps(self, ref: str) -> list[StepOfMoment]:
        """Return the steps that still wait for a moment."""
        return [step for step in await self.steps_of(ref) if step.state == "waiting"]

    async def steps_of(self, ref: str) -> list[StepOfMoment]:
        """Return the steps that wait for a moment, and those that were skipped meanwhile."""
        rows = await self._connection.execute(
            select(outbox.c.key, outbox.c.facts).where(
                outbox.c.ref == ref, outbox.c.bucket == "moment", outbox.c.state == "sent"
            )
        )
        made = [(row.key, Terms.model_validate(row.facts)) for row in rows]
        states = await self._states([terms.run_step for _, terms in made if terms.run_step])
        found = []
        for key, terms in made:
            run, step = terms.enrolment, terms.run_step
            # One that was opened anew belongs to the moment of that later time.
            state = states.get((step or 0, terms.iteration))
            if run is not None and step is not None and state is not None:
                found.append(StepOfMoment(run, step, terms.subject, terms.step, key, state))
        return sorted(found)

    async def _states(self, steps: Sequence[int]) -> dict[tuple[int, int], str]:
        """Return the states of these steps that wait or were skipped, by step and time."""
        on_sqlite = self._connection.dialect.name == "sqlite"
        statement = select(run_steps.c.id, run_steps.c.iteration, run_steps.c.state).where(
            among(run_steps.c.id, on_sqlite), run_steps.c.state.in_(("waiting", "skipped"))
        )
        rows = await self._connection.execute(statement, {"among": list(steps)})
        return {(row.id, row.iteration): row.state for row in rows}
