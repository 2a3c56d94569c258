"""Runs with a token, read and written a batch at a time; and the faces of subjects."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.runs import Face, GroupFace, PersonFace, Run, RunStep, Standing, Token
from bot.domain.uplift import Conversions
from bot.storage.bulk import among, update_rows
from bot.storage.letters import to_json
from bot.storage.runs import STEP_COLUMNS, step_of, with_token
from bot.storage.tables import (
    conversations,
    customers,
    enrolments,
    groups,
    occurrences,
    run_steps,
)

_MORE = ("key", "node_at", "round", "arms", "shifted", "been")
_TOKEN = ("node", "phase", "node_at", "round", "arms", "shifted", "been")


class Walking:
    """Where tokens stand, and for whom."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def standings(
        self, runs: Sequence[Run], now: datetime, *, by_kf: bool = False
    ) -> list[Standing]:
        """Return how runs stand, with where their tokens are.

        ``by_kf`` reads, too, whether 微信客服 may still answer.
        """
        if not runs:
            return []
        runs = await self._whole(runs)
        rows = await self._rows([run.id for run in runs if run.phase])
        faces: dict[str, Face] = {}
        faces.update(await self._groups({r.subject for r in runs if r.subject_kind == "group"}))
        faces.update(await self.people([r for r in runs if r.subject_kind != "group"], now, by_kf))
        return [
            Standing(run=run, group=faces.get(run.subject), row=rows.get(run.id)) for run in runs
        ]

    async def _whole(self, runs: Sequence[Run]) -> list[Run]:
        """Return runs with their tokens, of which a run that begins has nothing yet."""
        begun = {"among": [run.id for run in runs if run.phase]}
        found = await self._connection.execute(_tokens(self._on_sqlite), begun)
        tokens = {row[0]: dict(zip(_MORE, row[1:], strict=True)) for row in found.all()}
        for token in tokens.values():
            token["been"] = tuple(token["been"])
        return [with_token(run, tokens[run.id]) if run.id in tokens else run for run in runs]

    async def _rows(self, runs: Sequence[int]) -> dict[int, RunStep]:
        if not runs:
            return {}
        found = await self._connection.execute(_at_token(self._on_sqlite), {"among": list(runs)})
        steps = (step_of(row) for row in found.all())
        return {step.run: step for step in steps}

    async def _groups(self, ids: Collection[str]) -> dict[str, GroupFace]:
        if not ids:
            return {}
        columns = (groups.c.id, groups.c.name, groups.c.owner, groups.c.dismissed)
        rows = await self._connection.execute(
            select(*columns).where(among(groups.c.id, self._on_sqlite)), {"among": sorted(ids)}
        )
        return {row[0]: GroupFace(*row) for row in rows}

    async def people(
        self, runs: Sequence[Run], now: datetime, by_kf: bool = False
    ) -> dict[str, PersonFace]:
        """Return the customers of runs as their steps see them.

        A run keeps the manager it began with, as long as the customer is that manager's friend;
        then it goes to the one who was added last.
        """
        if not runs:
            return {}
        ids = {"among": sorted({run.subject for run in runs})}
        replies: dict[str, tuple[str, datetime | None, int]] = {}
        if by_kf:
            for row in await self._connection.execute(_replies(self._on_sqlite), ids):
                replies[row.customer] = (row.account, row.last_customer_at, row.sent)
        owners = {run.subject: run.owner for run in runs}
        found = {}
        rows = await self._connection.execute(_people(self._on_sqlite), ids)
        for id, name, managers, opted_out_at, paused_until in rows.all():
            own = owners[id]
            found[id] = PersonFace(
                id,
                name,
                own if own in managers else next(iter(managers), ""),
                opted_out_at is not None or (paused_until is not None and now < paused_until),
                *replies.get(id, ()),
            )
        return found

    async def conversions(self, script: str, acts: Collection[str]) -> Conversions:
        """Count the subjects of a script, and those who did one of ``acts`` since they entered."""
        did = exists().where(
            occurrences.c.subject == enrolments.c.subject,
            occurrences.c.kind.in_(sorted(acts)),
            occurrences.c.at > enrolments.c.entered_at,
        )
        each = (
            select((enrolments.c.state == "held_out").label("held"), did.label("did"))
            .where(enrolments.c.script == script)
            .subquery()
        )
        statement = select(each.c.held, each.c.did, func.count()).group_by(each.c.held, each.c.did)
        rows = await self._connection.execute(statement)
        counted = {(bool(row[0]), bool(row[1])): int(row[2]) for row in rows}
        ran, out = (
            (counted.get((held, True), 0), counted.get((held, False), 0)) for held in (False, True)
        )
        return Conversions(sum(ran), ran[0], sum(out), out[0])

    async def put(self, tokens: Sequence[tuple[Run, Token]]) -> int:
        """Write where tokens stand now; return how many of the runs were as they were taken."""
        rows = [
            (
                *(token.node, token.phase, token.at, token.round, to_json(token.arms)),
                *(token.shifted, to_json(list(token.been)), run.id, run.attempt),
            )
            for run, token in tokens
        ]
        return await update_rows(self._connection, enrolments, ("id", "attempt"), _TOKEN, rows)


@lru_cache(maxsize=2)
def _tokens(on_sqlite: bool) -> Select[Any]:
    columns = (enrolments.c[name] for name in ("id", *_MORE))
    return select(*columns).where(among(enrolments.c.id, on_sqlite))


@lru_cache(maxsize=2)
def _at_token(on_sqlite: bool) -> Select[Any]:
    """Ask for the step of each run at which its token is, whatever became of it."""
    here = and_(
        run_steps.c.enrolment == enrolments.c.id,
        run_steps.c.step == enrolments.c.node,
        run_steps.c.round == enrolments.c.round,
    )
    return (
        select(*STEP_COLUMNS)
        .select_from(enrolments.join(run_steps, here))
        .where(among(enrolments.c.id, on_sqlite))
    )


@lru_cache(maxsize=2)
def _people(on_sqlite: bool) -> Select[Any]:
    columns = ("id", "name", "managers", "opted_out_at", "marketing_paused_until")
    return select(*(customers.c[name] for name in columns)).where(among(customers.c.id, on_sqlite))


@lru_cache(maxsize=2)
def _replies(on_sqlite: bool) -> Select[Any]:
    """Ask for conversations, each customer's newest last."""
    columns = ("customer", "account", "last_customer_at", "sent")
    return (
        select(*(conversations.c[name] for name in columns))
        .where(among(conversations.c.customer, on_sqlite))
        .order_by(conversations.c.last_customer_at)
    )
