"""What a batch of runs is advanced by, and what comes of it: few statements for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from bot.domain.runs import GroupFace, Run, RunStep, Standing, StepChange
from bot.storage.bulk import among, update_rows
from bot.storage.letters import Entry, Letter, add_entries, put_many
from bot.storage.runs import STEP_COLUMNS, TAKEN_COLUMNS, step_of, taken_of
from bot.storage.tables import Moment, enrolments, groups, leads, quota, run_steps

_NOW = bindparam("now", type_=Moment)
_AROUND = 7  # columns of a standing that come before those of a step


class Planning:
    """Runs whose next step has come, read and written a batch at a time."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def take(self, now: datetime, *, limit: int = 100) -> list[Run]:
        """Take the running runs that fell due first, for as long as this transaction lasts.

        Of a token only the step and the phase are read: ``Walking`` reads the rest.
        Their rows are locked until the end that is written in the same transaction: a lease,
        which would be a second write of every row, protects work that outlives its claim.
        """
        rows = await self._connection.execute(_due(), {"now": now, "at_most": limit})
        return sorted((taken_of(row) for row in rows.all()), key=lambda run: run.id)

    async def standings(self, runs: Sequence[Run], now: datetime) -> list[Standing]:
        """Return how each of the runs taken stands: its group, what is due, what comes later."""
        values = {"now": now, "among": [run.id for run in runs]}
        rows = await self._connection.execute(_standings(self._on_sqlite), values)
        around: dict[int, tuple[Any, ...]] = {}
        due: dict[int, list[RunStep]] = {run.id: [] for run in runs}
        for row in rows.all():
            around[row[0]] = row[:_AROUND]
            if row[_AROUND] is not None:
                due[row[0]].append(step_of(row[_AROUND:]))
        return [_standing(run, around[run.id], due[run.id]) for run in runs]

    async def leads_in(self, groups_: Iterable[str]) -> dict[str, set[str]]:
        """Return by group of which needs anybody of these groups has or had a lead."""
        rows = await self._connection.execute(_leads(self._on_sqlite), {"among": sorted(groups_)})
        found: dict[str, set[str]] = {}
        for group, need in rows:
            found.setdefault(group, set()).add(need)
        return found

    async def leads_since(
        self, groups_: Iterable[str], need: str, since: datetime
    ) -> dict[str, int]:
        """Count these groups' leads of one need since a moment."""
        rows = await self._connection.execute(
            _leads_since(self._on_sqlite),
            {"among": sorted(groups_), "need": need, "since": since},
        )
        return {row[0]: row[1] for row in rows}

    async def slots_used(
        self, groups_: Iterable[str], kind: str, since: datetime, until: datetime
    ) -> dict[str, int]:
        """Count the slots that these groups took in ``[since, until)``."""
        rows = await self._connection.execute(
            _slots(self._on_sqlite),
            {"among": sorted(groups_), "kind": kind, "since": since, "until": until},
        )
        return {row[0]: row[1] for row in rows}

    async def change_steps(self, changes: Sequence[StepChange], now: datetime) -> int:
        """Write what became of steps; return how many still stood as they were read."""
        return await update_rows(
            self._connection,
            run_steps,
            ("id", "state"),
            ("changed_at", *StepChange._fields[:-2]),
            [(now, *change) for change in changes],
        )

    async def send(self, letters: Sequence[Letter], now: datetime) -> int:
        """Put letters into the outbox; return how many keys were new, others are passed over."""
        return await put_many(self._connection, letters, now)

    async def note(self, entries: Sequence[Entry], now: datetime) -> None:
        """Add to the ledger what happened."""
        await add_entries(self._connection, entries, now)

    async def sleep(self, wakes: Sequence[tuple[Run, datetime | None]]) -> int:
        """Write when each run wakes next; return how many were still as they were taken."""
        return await update_rows(
            self._connection,
            enrolments,
            ("id", "attempt"),
            ("due_at", "attempt", "error"),
            [(wake_at, 0, "", run.id, run.attempt) for run, wake_at in wakes],
        )

    async def finish(self, runs: Sequence[Run], now: datetime) -> None:
        """Write that runs came to their end."""
        await update_rows(
            self._connection,
            enrolments,
            ("id", "attempt"),
            ("state", "reason", "ended_at", "due_at"),
            [("done", "", now, None, run.id, run.attempt) for run in runs],
        )

    async def put_off(self, run: Run, until: datetime | None, error: str) -> None:
        """Try a run again later, whose own error kept it from moving on; None: not by itself."""
        await update_rows(
            self._connection,
            enrolments,
            ("id", "attempt"),
            ("due_at", "attempt", "error"),
            [(until, run.attempt + 1, error, run.id, run.attempt)],
        )


def _standing(run: Run, around: tuple[Any, ...], due: list[RunStep]) -> Standing:
    _, opens_next, closes_next, on_its_way, name, owner, dismissed = around
    later = opens_next
    if closes_next is not None:
        later = closes_next if opens_next is None else min(opens_next, closes_next)
    return Standing(
        run=run,
        group=None if owner is None else GroupFace(run.subject, name, owner, dismissed),
        due=tuple(due if len(due) < 2 else sorted(due, key=_order)),
        later=later,
        unfinished=later is not None or on_its_way,
    )


def _order(step: RunStep) -> tuple[datetime, int]:
    return step.opens_at, step.id


@lru_cache(maxsize=1)
def _due() -> Select[Any]:
    return (
        select(*TAKEN_COLUMNS)
        .where(enrolments.c.due_at <= _NOW)
        .order_by(enrolments.c.due_at, enrolments.c.id)
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(skip_locked=True)
    )


@lru_cache(maxsize=2)
def _standings(on_sqlite: bool) -> Select[Any]:
    """Ask for runs with their groups, each with every step that is due; one row at least a run.

    Of the other steps only a look into an index is taken, however long the script is.
    """
    other = run_steps.alias("other")

    def of_run(state: str) -> ColumnElement[bool]:
        return and_(other.c.enrolment == enrolments.c.id, other.c.state == state)

    opens, closes = other.c.opens_at, other.c.closes_at
    opens_next = select(func.min(opens)).where(of_run("planned"), opens > _NOW)
    closes_next = select(func.min(closes)).where(of_run("waiting"), closes > _NOW)
    is_due = and_(
        run_steps.c.enrolment == enrolments.c.id,
        run_steps.c.state.in_(["planned", "waiting"]),
        run_steps.c.opens_at <= _NOW,
        or_(run_steps.c.state == "planned", run_steps.c.closes_at <= _NOW),
    )
    return (
        select(
            enrolments.c.id,
            opens_next.scalar_subquery(),
            closes_next.scalar_subquery(),
            exists().where(of_run("queued")),
            groups.c.name,
            groups.c.owner,
            groups.c.dismissed,
            *STEP_COLUMNS,
        )
        .select_from(
            enrolments.outerjoin(groups, groups.c.id == enrolments.c.subject).outerjoin(
                run_steps, is_due
            )
        )
        .where(among(enrolments.c.id, on_sqlite))
    )


@lru_cache(maxsize=2)
def _leads(on_sqlite: bool) -> Select[Any]:
    return select(leads.c.chat, leads.c.need).where(among(leads.c.chat, on_sqlite)).distinct()


@lru_cache(maxsize=2)
def _leads_since(on_sqlite: bool) -> Select[Any]:
    return (
        select(leads.c.chat, func.count())
        .where(
            among(leads.c.chat, on_sqlite),
            leads.c.need == bindparam("need"),
            leads.c.opened_at >= bindparam("since", type_=Moment),
        )
        .group_by(leads.c.chat)
    )


@lru_cache(maxsize=2)
def _slots(on_sqlite: bool) -> Select[Any]:
    return (
        select(quota.c.subject, func.count())
        .where(
            among(quota.c.subject, on_sqlite),
            quota.c["class"] == bindparam("kind"),
            quota.c.state == "used",  # what is planned, the step's own place too, was not sent
            quota.c.at >= bindparam("since", type_=Moment),
            quota.c.at < bindparam("until", type_=Moment),
        )
        .group_by(quota.c.subject)
    )
