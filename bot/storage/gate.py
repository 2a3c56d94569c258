"""What the gate asks of the database about many messages at once, in a statement each."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import Session
from bot.domain.runs import Run, StepState
from bot.domain.subject import Registry, SubjectFacts
from bot.storage.bulk import among
from bot.storage.runs import RUN_COLUMNS, run_of
from bot.storage.tables import conversations, enrolments, groups, run_steps

_SESSION = tuple(conversations.c[name] for name in Session.model_fields)


class GateReads:
    """Runs, their steps, and whom they are for; members of groups are left where they are."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def runs(self, runs: Collection[int]) -> dict[int, Run]:
        """Return runs by their numbers, ended ones too."""
        rows = await self._ask(_runs(self._on_sqlite), runs)
        return {run.id: run for run in map(run_of, rows)}

    async def states(self, steps: Collection[int]) -> dict[int, StepState]:
        """Return in which state each of these steps is."""
        return {row[0]: row[1] for row in await self._ask(_states(self._on_sqlite), steps)}

    async def groups(self, ids: Collection[str], registry: Registry) -> dict[str, SubjectFacts]:
        """Return of groups what needs no list of their members."""
        return {
            row.id: SubjectFacts(
                id=row.id,
                kind="group",
                registry=registry,
                tags=frozenset(row.tags),
                owner=row.owner,
                branch=row.branch,
                alive=not row.dismissed,
                weekly_cap=row.weekly_cap,
            )
            for row in await self._ask(_groups(self._on_sqlite), ids)
        }

    async def sessions(self, customers_: Collection[str]) -> dict[tuple[str, str], Session]:
        """Return the 微信客服 sessions of customers, by (customer, account)."""
        rows = await self._ask(_sessions(self._on_sqlite), customers_)
        names = tuple(Session.model_fields)
        return {(row[0], row[1]): Session(**dict(zip(names, row[2:], strict=True))) for row in rows}

    async def _ask(self, statement: Select[Any], ids: Collection[Any]) -> list[Any]:
        if not ids:
            return []
        rows = await self._connection.execute(statement, {"among": sorted(ids)})
        return list(rows.all())


@lru_cache(maxsize=2)
def _runs(on_sqlite: bool) -> Select[Any]:
    return select(*RUN_COLUMNS).where(among(enrolments.c.id, on_sqlite))


@lru_cache(maxsize=2)
def _states(on_sqlite: bool) -> Select[Any]:
    return select(run_steps.c.id, run_steps.c.state).where(among(run_steps.c.id, on_sqlite))


@lru_cache(maxsize=2)
def _groups(on_sqlite: bool) -> Select[Any]:
    columns = ("id", "tags", "owner", "branch", "dismissed", "weekly_cap")
    return select(*(groups.c[name] for name in columns)).where(among(groups.c.id, on_sqlite))


@lru_cache(maxsize=2)
def _sessions(on_sqlite: bool) -> Select[Any]:
    return select(conversations.c.customer, conversations.c.account, *_SESSION).where(
        among(conversations.c.customer, on_sqlite)
    )
