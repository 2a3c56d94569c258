"""What is known of many customers or groups at once, as expressions and entry ask for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Text, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.admission import PastRun
from bot.domain.bank import Bank
from bot.domain.lead import Need
from bot.domain.needs import Needs
from bot.domain.subject import OWN_ACTS, Registry, SubjectFacts, SubjectKind
from bot.storage.bulk import among
from bot.storage.occurrences import Occurrences
from bot.storage.subject_rows import More, customers_of, groups_of
from bot.storage.tables import (
    Moment,
    conversations,
    customers,
    enrolments,
    follows,
    groups,
    leads,
    occurrences,
)

_CUSTOMER = (
    customers.c.id,
    # As text: the same few tags and managers come again and again, and are read once.
    cast(customers.c.tags, Text).label("tags"),
    cast(customers.c.managers, Text).label("managers"),
    cast(customers.c.facts, Text).label("facts"),
    customers.c.facts_as_of,
    customers.c.weekly_cap,
    customers.c.opted_out_at,
    customers.c.marketing_paused_until,
)
_GROUP = tuple(
    groups.c[name]
    for name in ("id", "tags", "owner", "branch", "members", "dismissed", "weekly_cap")
)
_ENTRY = ("id", "script", "state", "rotation", "key", "entered_at")


class Subjects:
    """Customers and groups with all that is known of them, read in a few statements for many."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def load(
        self,
        ids: Collection[str],
        kind: SubjectKind,
        bank: Bank,
        needs: Needs,
        now: datetime,
        *,
        lock: bool = False,
    ) -> dict[str, SubjectFacts]:
        """Return what is known of each; ``lock`` keeps others from letting them in meanwhile."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        more = await Reading(self._connection, wanted, kind).read(bank, needs)
        registry = Registry.of(bank)
        staff = {str(member.userid): member for member in bank.staff}
        rows = await self._rows(wanted, kind, lock)
        if kind == "customer":
            made = customers_of(rows, registry, staff, more, now)
        else:
            made = groups_of(rows, registry, staff, more)
        found = {one.id: one for one in made}
        if len(found) < len(wanted):
            for id in wanted:
                found.setdefault(id, SubjectFacts(id, kind, registry, known=False))
        return found

    async def _rows(self, ids: Sequence[str], kind: SubjectKind, lock: bool) -> Sequence[Any]:
        statement = _own_rows(kind, lock, self._on_sqlite)
        rows: Sequence[Any] = (await self._connection.execute(statement, {"among": ids})).all()
        return rows

    async def after(self, kind: SubjectKind, last: str, *, limit: int) -> list[str]:
        """Return the next subjects after one, in the order of their ids; living ones only."""
        if kind == "customer":
            statement = select(customers.c.id).where(customers.c.id > last)
        else:
            statement = select(groups.c.id).where(
                groups.c.id > last, groups.c.dismissed.is_(False), groups.c.owner != ""
            )
        rows = await self._connection.execute(statement.order_by("id").limit(limit))
        return [str(row.id) for row in rows]

    async def groups_among(self, ids: Collection[str]) -> frozenset[str]:
        """Return which of these are groups."""
        statement = select(groups.c.id).where(among(groups.c.id, self._on_sqlite))
        rows = await self._connection.execute(statement, {"among": sorted(ids)})
        return frozenset(rows.scalars())

    async def past_runs(
        self, ids: Collection[str], scripts: Iterable[str]
    ) -> dict[str, list[PastRun]]:
        """Return the runs that these subjects ever had of these scripts."""
        rows = await self._connection.execute(
            _past(self._on_sqlite), {"among": sorted(ids), "scripts": sorted(scripts)}
        )
        found: dict[str, list[PastRun]] = {}
        for subject, *values in rows:
            found.setdefault(subject, []).append(PastRun(*values))
        return found


class Reading:
    """Reads what needs say of a batch of subjects."""

    def __init__(self, connection: AsyncConnection, ids: Sequence[str], kind: SubjectKind) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"
        self._given = {"among": list(ids)}
        self._ids = ids
        self._kind = kind

    async def read(self, bank: Bank, needs: Needs) -> More:
        """Read it all."""
        more = More()
        events = needs.events(bank.event_names)
        if events:
            more.happened = await Occurrences(self._connection).of_subjects(self._ids, events)
        if needs.since and self._kind == "customer":
            await self._since(more)
        if needs.last_seen:
            await self._last_seen(more)
        if needs.complaint:
            await self._complaints(more)
        if needs.history:
            await self._history(more)
        return more

    async def _since(self, more: More) -> None:
        rows = await self._connection.execute(
            select(follows.c.customer, follows.c.manager, follows.c.since).where(
                among(follows.c.customer, self._on_sqlite), follows.c.lost_at.is_(None)
            ),
            self._given,
        )
        for customer, manager, since in rows:
            more.since[customer, manager] = since
            more.saw(customer, since)  # to add somebody is an act of one's own

    async def _last_seen(self, more: More) -> None:
        acts = await self._connection.execute(
            select(occurrences.c.subject, func.max(occurrences.c.at, type_=Moment))
            .where(
                among(occurrences.c.subject, self._on_sqlite),
                occurrences.c.kind.in_(sorted(OWN_ACTS)),
            )
            .group_by(occurrences.c.subject),
            self._given,
        )
        words = await self._connection.execute(
            select(
                conversations.c.customer, func.max(conversations.c.last_customer_at, type_=Moment)
            )
            .where(among(conversations.c.customer, self._on_sqlite))
            .group_by(conversations.c.customer),
            self._given,
        )
        for subject, at in (*acts, *words):
            more.saw(subject, at)

    async def _complaints(self, more: More) -> None:
        rows = await self._connection.execute(_complaints(self._kind, self._on_sqlite), self._given)
        more.complaining = frozenset(rows.scalars())

    async def _history(self, more: More) -> None:
        rows = await self._connection.execute(
            select(enrolments.c.subject, enrolments.c.script, enrolments.c.state).where(
                among(enrolments.c.subject, self._on_sqlite),
                enrolments.c.state.in_(["running", "done"]),
            ),
            self._given,
        )
        running: dict[str, set[str]] = {}
        done: dict[str, set[str]] = {}
        for subject, script, state in rows:
            held = running if state == "running" else done
            held.setdefault(subject, set()).add(script)
        more.running = {subject: frozenset(scripts) for subject, scripts in running.items()}
        more.done = {subject: frozenset(scripts) for subject, scripts in done.items()}


@lru_cache(maxsize=8)
def _own_rows(kind: SubjectKind, lock: bool, on_sqlite: bool) -> Select[Any]:
    table, columns = (customers, _CUSTOMER) if kind == "customer" else (groups, _GROUP)
    statement = select(*columns).where(among(table.c.id, on_sqlite)).order_by(table.c.id)
    return statement.with_for_update() if lock else statement


@lru_cache(maxsize=2)
def _past(on_sqlite: bool) -> Select[Any]:
    return select(enrolments.c.subject, *(enrolments.c[name] for name in _ENTRY)).where(
        among(enrolments.c.subject, on_sqlite),
        enrolments.c.script.in_(bindparam("scripts", expanding=True)),
    )


@lru_cache(maxsize=4)
def _complaints(kind: SubjectKind, on_sqlite: bool) -> Select[Any]:
    column = leads.c.customer if kind == "customer" else leads.c.chat
    return select(column).where(
        among(column, on_sqlite),
        leads.c.need == Need.COMPLAINT.value,
        leads.c.closed_at.is_(None),
    )
