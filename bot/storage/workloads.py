"""What members of staff have to do, counted for all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import RmId
from bot.domain.lead import Lead
from bot.domain.lead_words import NO_ANSWER
from bot.domain.workload import Harvest, Workload
from bot.storage.tables import drafts, enrolments, leads, run_steps, send_tasks

_LEAD = tuple(leads.c[name] for name in Lead.model_fields)
_TO_COME = ("planned", "queued", "waiting")
_POOLED = (leads.c.rm == "", leads.c.closed_at.is_(None), leads.c.stage != "asking")


class Workloads:
    """Reads only; one statement for each kind of work, whatever the number of members."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(
        self,
        members: Iterable[str],
        now: datetime,
        until: datetime,
        *,
        head_of: Callable[[str], str] | None = None,
    ) -> dict[RmId, Workload]:
        """Return what each member has to do; steps and tasks as far as they open by ``until``.

        ``head_of`` names who answers for a branch: his are the leads there that nobody has.
        """
        wanted = sorted(set(members))
        found: dict[str, dict[str, Any]] = {userid: {} for userid in wanted}
        for rows in (
            await self._leads(wanted, now),
            await self._drafts(wanted),
            await self._tasks(wanted, now),
            await self._steps(wanted, now, until),
        ):
            for row in rows:
                named = dict(row._mapping)
                found[named.pop("who")] |= named
        if head_of is not None:
            for branch, count, late in await self._pools(now):
                if (load := found.get(head_of(branch))) is not None:
                    load["pooled"] = load.get("pooled", 0) + count
                    load["pooled_late"] = load.get("pooled_late", 0) + late
        return {RmId(who): Workload(**counts) for who, counts in found.items()}

    async def _leads(self, wanted: Sequence[str], now: datetime) -> Sequence[Any]:
        waits = and_(
            leads.c.stage.in_(("new", "taken")),
            leads.c.first_response_at.is_(None),
            leads.c.respond_by < now,
        )
        statement = (
            select(
                leads.c.rm.label("who"),
                _count(leads.c.stage == "new").label("new"),
                _count(leads.c.stage == "taken").label("taken"),
                _count(leads.c.stage == "later").label("asleep"),
                _count(waits).label("overdue"),
            )
            .where(leads.c.rm.in_(wanted), leads.c.closed_at.is_(None))
            .group_by(leads.c.rm)
        )
        return (await self._connection.execute(statement)).all()

    async def _pools(self, now: datetime) -> list[tuple[str, int, int]]:
        """Count the leads that nobody has, branch by branch: all, and those that are overdue."""
        unanswered = leads.c.first_response_at.is_(None)
        statement = (
            select(
                leads.c.branch,
                func.count().label("waiting"),
                _count(and_(unanswered, leads.c.respond_by < now)).label("late"),
            )
            .where(*_POOLED)
            .group_by(leads.c.branch)
        )
        rows = await self._connection.execute(statement)
        return [(row.branch, row.waiting, int(row.late)) for row in rows]

    async def _drafts(self, wanted: Sequence[str]) -> Sequence[Any]:
        statement = (
            select(drafts.c.owner.label("who"), func.count().label("drafts"))
            .where(drafts.c.owner.in_(wanted), drafts.c.state == "waiting")
            .group_by(drafts.c.owner)
        )
        return (await self._connection.execute(statement)).all()

    async def _tasks(self, wanted: Sequence[str], now: datetime) -> Sequence[Any]:
        statement = (
            select(
                send_tasks.c.owner.label("who"),
                func.count(send_tasks.c.msgid.distinct()).label("tasks"),
                func.count().label("receivers"),
                func.min(send_tasks.c.closes_at).label("tasks_until"),
            )
            .where(
                send_tasks.c.owner.in_(wanted),
                send_tasks.c.state == "waiting",
                send_tasks.c.closes_at > now,
            )
            .group_by(send_tasks.c.owner)
        )
        return (await self._connection.execute(statement)).all()

    async def _steps(self, wanted: Sequence[str], now: datetime, until: datetime) -> Sequence[Any]:
        statement = (
            select(
                enrolments.c.owner.label("who"),
                func.count().label("steps"),
                func.min(run_steps.c.opens_at).label("steps_from"),
            )
            .join_from(run_steps, enrolments, run_steps.c.enrolment == enrolments.c.id)
            .where(
                enrolments.c.owner.in_(wanted),
                enrolments.c.state == "running",
                run_steps.c.state.in_(_TO_COME),
                run_steps.c.opens_at >= now,
                run_steps.c.opens_at < until,
            )
            .group_by(enrolments.c.owner)
        )
        return (await self._connection.execute(statement)).all()

    async def harvest(
        self, members: Iterable[str], since: datetime, until: datetime
    ) -> dict[RmId, Harvest]:
        """Return what became of each member's leads from a moment until another."""
        wanted = sorted(set(members))

        def within(column: ColumnElement[Any]) -> ColumnElement[bool]:
            return and_(column >= since, column < until)

        counts = _became(within, until)
        rows = await self._connection.execute(
            select(leads.c.rm.label("who"), *(one.label(name) for name, one in counts.items()))
            .where(
                leads.c.rm.in_(wanted),
                leads.c.stage.not_in(("asking", "refused")),
                # Whoever was asked and said nothing was nobody's to work on.
                or_(leads.c.stage != "closed", leads.c.outcome_reason != NO_ANSWER),
                or_(*(within(leads.c[name]) for name in ("opened_at", "closed_at", "taken_at"))),
            )
            .group_by(leads.c.rm)
        )
        found = {RmId(row.who): Harvest(**_counts(row)) for row in rows}
        return {RmId(who): found.get(RmId(who), Harvest()) for who in wanted}

    async def open_leads(
        self, members: Iterable[str], *, limit: int, pools: Collection[str] = ()
    ) -> list[Lead]:
        """Return members' open leads, the first due first; those that sleep come last.

        With them come those of branches' ``pools``, which nobody has.
        """
        theirs = leads.c.rm.in_([one for one in sorted(set(members)) if one])
        pooled = and_(leads.c.rm == "", leads.c.branch.in_(sorted(set(pools))))
        rows = await self._connection.execute(
            select(*_LEAD)
            .where(or_(theirs, pooled), leads.c.closed_at.is_(None), leads.c.stage != "asking")
            .order_by(case((leads.c.stage == "later", 1), else_=0), leads.c.respond_by, leads.c.id)
            .limit(limit)
        )
        return [Lead.model_validate(dict(row._mapping)) for row in rows]


def _became(
    within: Callable[[ColumnElement[Any]], ColumnElement[bool]], until: datetime
) -> dict[str, Any]:
    """Return what is counted of leads, by its name in a harvest."""
    opened, ended = within(leads.c.opened_at), within(leads.c.closed_at)
    spoken, is_open = leads.c.first_response_at.is_not(None), leads.c.closed_at.is_(None)
    over = leads.c.closed_at > leads.c.respond_by, and_(is_open, leads.c.respond_by < until)
    outcomes = {"won": "won", "lost": "lost", "invalid": "invalid", "done": "closed"}
    return {
        "opened": _count(opened),
        "taken": _count(within(leads.c.taken_at)),
        "due": _count(and_(opened, or_(spoken, *over))),
        "in_time": _count(and_(opened, leads.c.first_response_at <= leads.c.respond_by)),
        **{name: _count(and_(ended, leads.c.stage == to)) for name, to in outcomes.items()},
    }


def _count(condition: ColumnElement[bool]) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _counts(row: Any) -> dict[str, int]:
    return {name: int(value) for name, value in row._mapping.items() if name != "who"}
