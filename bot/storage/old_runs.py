"""Removes what is left of runs that ended long ago: their steps and tasks, and most runs, too."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.runs import FINAL_STEPS, slot_key
from bot.storage.bulk import among
from bot.storage.retention import CHUNK, LEFT, Swept
from bot.storage.tables import enrolments, outbox, run_steps, send_tasks

_AT_ONCE = 100  # runs of a transaction, each of some twenty steps and as many tasks
_newer = enrolments.alias("newer")
# By the newest of each kind it is known for ever whether, when and how somebody was in a script:
# who may enter again (重复进入), whose turn it is (rotation), who went through one (走完剧本).
_SUPERSEDED = exists().where(
    _newer.c.subject == enrolments.c.subject,
    _newer.c.script == enrolments.c.script,
    _newer.c.key == enrolments.c.key,
    _newer.c.state == enrolments.c.state,
    _newer.c.id > enrolments.c.id,
)
_HAS_STEPS = exists().where(run_steps.c.enrolment == enrolments.c.id)


class OldRuns:
    """Runs that are over, with all that hangs on them.

    ``counted`` are scripts of which every entry counts for ever (总数最多, a stop rule): their
    runs stay. So do assignments: an arm once seen is kept whatever the shares become (I5).
    """

    def __init__(self, connection: AsyncConnection, counted: Collection[str] = ()) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"
        self._counted = counted

    async def sweep(self, before: datetime, after: int) -> Swept:
        """Look at the next 2,000 runs by number, and empty at most a hundred that ended before."""
        page = (await self._connection.execute(_page(after))).all()
        old = [row.id for row in page if row.state != "running" and row.over_at < before]
        found = await self._candidates(old)
        removed = await self._remove(found) if found else 0
        if len(found) == _AT_ONCE:
            return Swept(removed, found[-1].id)
        # Numbers and moments of entry grow together: whoever comes next entered later still.
        is_last = len(page) < CHUNK or page[-1].entered_at >= before
        return Swept(removed, None if is_last else page[-1].id)

    async def _candidates(self, old: Sequence[int]) -> Sequence[Any]:
        """Take the first runs of which there is anything to remove."""
        if not old:
            return ()
        spare = and_(_SUPERSEDED, enrolments.c.script.not_in(sorted(self._counted)))
        statement = (
            select(enrolments.c.id, enrolments.c.script, spare.label("superseded"))
            .where(among(enrolments.c.id, self._on_sqlite), or_(_HAS_STEPS, spare))
            .order_by(enrolments.c.id)
            .limit(_AT_ONCE)
            .with_for_update(of=enrolments, skip_locked=True)
        )
        return (await self._connection.execute(statement, {"among": list(old)})).all()

    async def _remove(self, found: Sequence[Any]) -> int:
        """Remove what is settled, tasks before their steps; return how many rows that was."""
        given = {"among": [row.id for row in found]}
        steps = (await self._connection.execute(_steps_of(self._on_sqlite), given)).all()
        kept = await self._unsettled(steps)
        numbers = [step.id for step in steps if step.enrolment not in kept]
        runs = [row.id for row in found if row.superseded and row.id not in kept]
        return (
            await self._delete(send_tasks, send_tasks.c.run_step, numbers)
            + await self._delete(run_steps, run_steps.c.id, numbers)
            + await self._delete(enrolments, enrolments.c.id, runs)
        )

    async def _unsettled(self, steps: Sequence[Any]) -> set[int]:
        """Return the runs of which somebody or something still waits, or somebody has to look.

        So stays the newest step: SQLite would give its number out again, and cards name numbers.
        """
        newest = (await self._connection.execute(select(func.max(run_steps.c.id)))).scalar_one()
        kept = {
            step.enrolment for step in steps if step.state not in FINAL_STEPS or step.id == newest
        }
        run_of = {step.id: step.enrolment for step in steps}
        waiting = select(send_tasks.c.run_step).where(
            among(send_tasks.c.run_step, self._on_sqlite), send_tasks.c.state == "waiting"
        )
        open_tasks = await self._connection.execute(waiting, {"among": list(run_of)})
        kept |= {run_of[number] for number in open_tasks.scalars()}
        by_key = {key: step.enrolment for step in steps for key in _keys_of(step)}
        letters = select(outbox.c.key).where(
            among(outbox.c.key, self._on_sqlite), outbox.c.state.not_in(LEFT)
        )
        unsent = await self._connection.execute(letters, {"among": list(by_key)})
        return kept | {by_key[key] for key in unsent.scalars()}

    async def _delete(self, table: Table, column: ColumnElement[int], these: Sequence[int]) -> int:
        if not these:
            return 0
        statement = delete(table).where(among(column, self._on_sqlite))
        return (await self._connection.execute(statement, {"among": list(these)})).rowcount


def _page(after: int) -> Select[Any]:
    over_at = func.coalesce(enrolments.c.ended_at, enrolments.c.entered_at)
    return (
        select(
            enrolments.c.id,
            enrolments.c.state,
            enrolments.c.entered_at,
            over_at.label("over_at"),
        )
        .where(enrolments.c.id > after)
        .order_by(enrolments.c.id)
        .limit(CHUNK)
    )


@lru_cache(maxsize=2)
def _steps_of(on_sqlite: bool) -> Select[Any]:
    names = ("id", "enrolment", "step", "round", "iteration", "state")
    columns = (run_steps.c[name] for name in names)
    return select(*columns).where(among(run_steps.c.enrolment, on_sqlite))


def _keys_of(step: Any) -> Iterator[str]:
    """Give the keys of the messages that a step's tries have had."""
    place = slot_key(step.enrolment, step.step, step.round)
    for iteration in range(1, step.iteration + 1):
        yield f"{place}:{iteration}"
        yield f"{place}:{iteration}:card"
