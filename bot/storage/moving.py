"""Moving many runs, and going through many groups, a chunk at a time; and how far that has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.runs import NewStep, Run, RunStep
from bot.storage.bulk import among, insert_rows, update_rows
from bot.storage.insert import insert_new
from bot.storage.runs import RUN_COLUMNS, STEP_COLUMNS, run_of, step_of
from bot.storage.tables import cursors, enrolments, groups, run_steps

_PREFIX = "sweep:"
_KNOWN = "known:"
_STEP = ("planned_on", "opens_at", "closes_at", "state", "reason", "changed_at")
_FRESH = ("enrolment", "step", "round", "kind", "way", "variant", "priority", *_STEP)


class Moving:
    """Sweeps over tables that are too long for one transaction, begun once and ended once."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def begin(self, sweep: str) -> None:
        """Begin a sweep, from the start again where it was under way: what it does is new."""
        row = {"name": _PREFIX + sweep, "value": ""}
        if not await insert_new(self._connection, cursors, [row]):
            mine = cursors.c.name == _PREFIX + sweep
            await self._connection.execute(update(cursors).where(mine).values(value=""))

    async def under_way(self) -> dict[str, str]:
        """Return the sweeps that are not over, with how far each has come."""
        rows = await self._connection.execute(
            select(cursors).where(cursors.c.name.startswith(_PREFIX)).order_by(cursors.c.name)
        )
        return {row.name.removeprefix(_PREFIX): row.value for row in rows}

    async def reach(self, sweep: str, was: str, value: str) -> bool:
        """Write how far a sweep has come, in the transaction that came so far.

        False if it does not stand where it ``was``: it was begun anew meanwhile, or is over.
        """
        mine = (cursors.c.name == _PREFIX + sweep, cursors.c.value == was)
        found = await self._connection.execute(update(cursors).where(*mine).values(value=value))
        return found.rowcount == 1

    async def end(self, sweep: str, value: str) -> None:
        """End a sweep, unless it was begun anew meanwhile."""
        await self._connection.execute(
            delete(cursors).where(cursors.c.name == _PREFIX + sweep, cursors.c.value == value)
        )

    async def mark_groups(self, after: str, now: datetime, *, limit: int) -> list[str]:
        """Have the next groups read again; return their ids, those of groups that are gone too."""
        rows = await self._connection.execute(
            select(groups.c.id, groups.c.dismissed)
            .where(groups.c.id > after)
            .order_by(groups.c.id)
            .limit(limit)
        )
        found = rows.all()
        alive = [(now, row.id) for row in found if not row.dismissed]
        await update_rows(self._connection, groups, ("id",), ("due_at",), alive)
        return [row.id for row in found]

    async def runs_behind(self, script: str, version: str, after: str, *, limit: int) -> list[Run]:
        """Take the next running runs of a script that are not at this version, by subject."""
        rows = await self._connection.execute(
            select(*RUN_COLUMNS)
            .where(
                enrolments.c.script == script,
                enrolments.c.state == "running",
                enrolments.c.subject > after,
                enrolments.c.version != version,
            )
            .order_by(enrolments.c.subject)
            .limit(limit)
            .with_for_update()
        )
        return [run_of(row) for row in rows]

    async def running(self, after: int, *, limit: int) -> list[Run]:
        """Take the next running runs, by number."""
        rows = await self._connection.execute(
            select(*RUN_COLUMNS)
            .where(enrolments.c.state == "running", enrolments.c.id > after)
            .order_by(enrolments.c.id)
            .limit(limit)
            .with_for_update()
        )
        return [run_of(row) for row in rows]

    async def known(self, name: str) -> str | None:
        """Return what was kept under a name; None where nothing ever was."""
        statement = select(cursors.c.value).where(cursors.c.name == _KNOWN + name)
        value: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return value

    async def keep(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        if not await insert_new(
            self._connection, cursors, [{"name": _KNOWN + name, "value": value}]
        ):
            await self._connection.execute(
                update(cursors).where(cursors.c.name == _KNOWN + name).values(value=value)
            )

    async def steps_of(self, runs: Sequence[int]) -> dict[int, list[RunStep]]:
        """Return the steps of runs, each run's in the order in which they fall due."""
        found: dict[int, list[RunStep]] = {run: [] for run in runs}
        rows = await self._connection.execute(
            select(*STEP_COLUMNS)
            .where(among(run_steps.c.enrolment, self._on_sqlite))
            .order_by(run_steps.c.enrolment, run_steps.c.opens_at, run_steps.c.id),
            {"among": list(runs)},
        )
        for row in rows:
            step = step_of(row)
            found[step.run].append(step)
        return found

    async def add_steps(self, steps: Sequence[tuple[int, NewStep]], now: datetime) -> None:
        """Add planned steps to runs; one that stands there already is left alone."""
        await insert_rows(
            self._connection,
            run_steps,
            _FRESH,
            [(run, *_parts(step), *_values(step, now)) for run, step in steps],
        )

    async def place_steps(self, steps: Sequence[tuple[int, NewStep]], now: datetime) -> None:
        """Put planned steps, given by their numbers, where a new plan has them."""
        rows = [(*_values(step, now), number, "planned") for number, step in steps]
        await update_rows(self._connection, run_steps, ("id", "state"), _STEP, rows)

    async def skip_steps(self, steps: Sequence[int], reason: str, now: datetime) -> None:
        """Skip planned steps."""
        rows = [("skipped", reason, now, number, "planned") for number in steps]
        columns = ("state", "reason", "changed_at")
        await update_rows(self._connection, run_steps, ("id", "state"), columns, rows)

    async def drop_steps(self, steps: Sequence[int]) -> None:
        """Forget planned steps that a new plan has no day for."""
        if steps:
            await self._connection.execute(
                delete(run_steps).where(among(run_steps.c.id, self._on_sqlite)),
                {"among": list(steps)},
            )

    async def rearm(self, runs: Sequence[tuple[Run, str, datetime | None]]) -> None:
        """Bind runs to a version, and write when each wakes next."""
        rows = [(version, wake_at, run.id) for run, version, wake_at in runs]
        await update_rows(self._connection, enrolments, ("id",), ("version", "due_at"), rows)


def _parts(step: NewStep) -> tuple[object, ...]:
    return (step.step, step.round, step.kind, step.way, step.variant, step.priority)


def _values(step: NewStep, now: datetime) -> tuple[object, ...]:
    state = "skipped" if step.skip else "planned"
    return (step.planned_on, step.opens_at, step.closes_at, state, step.skip, now)
