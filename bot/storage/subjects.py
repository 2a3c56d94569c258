"""What is known of many customers or groups at once, as expressions and entry ask for it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.admission import PastRun
from bot.domain.bank import Bank, Member
from bot.domain.lead import Need
from bot.domain.needs import Needs
from bot.domain.subject import OWN_ACTS, Event, Registry, SubjectFacts, SubjectKind
from bot.storage.bulk import among
from bot.storage.occurrences import Occurrences
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

_TICK = timedelta(microseconds=1)
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
        found: dict[str, SubjectFacts] = {}
        make = _customer if kind == "customer" else _group
        for row in await self._rows(wanted, kind, lock):
            found[row[0]] = make(row, registry, staff, more, now)
        for id in wanted:
            if id not in found:
                found[id] = SubjectFacts(id, kind, registry, known=False)
        return found

    async def _rows(self, ids: Sequence[str], kind: SubjectKind, lock: bool) -> Sequence[Any]:
        table, columns = (customers, _CUSTOMER) if kind == "customer" else (groups, _GROUP)
        statement = select(*columns).where(among(table.c.id, self._on_sqlite)).order_by(table.c.id)
        if lock:
            statement = statement.with_for_update()
        return (await self._connection.execute(statement, {"among": list(ids)})).all()

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
            select(enrolments.c.subject, *(enrolments.c[name] for name in _ENTRY)).where(
                among(enrolments.c.subject, self._on_sqlite),
                enrolments.c.script.in_(sorted(scripts)),
            ),
            {"among": sorted(ids)},
        )
        found: dict[str, list[PastRun]] = {}
        for subject, *values in rows:
            found.setdefault(subject, []).append(PastRun(*values))
        return found


class _More:
    """What is read besides subjects' own rows, as far as anybody asks for it."""

    def __init__(self) -> None:
        self.since: dict[tuple[str, str], datetime] = {}
        self.last_seen: dict[str, datetime] = {}
        self.complaining: frozenset[str] = frozenset()
        self.happened: Mapping[str, list[Event]] = {}
        self.running: dict[str, set[str]] = {}
        self.done: dict[str, set[str]] = {}

    def saw(self, subject: str, at: datetime | None) -> None:
        """Keep the newest moment at which somebody was seen."""
        if at is not None and at > self.last_seen.get(subject, at - _TICK):
            self.last_seen[subject] = at


class Reading:
    """Reads what needs say of a batch of subjects."""

    def __init__(self, connection: AsyncConnection, ids: Sequence[str], kind: SubjectKind) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"
        self._given = {"among": list(ids)}
        self._ids = ids
        self._kind = kind

    async def read(self, bank: Bank, needs: Needs) -> _More:
        """Read it all."""
        more = _More()
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

    async def _since(self, more: _More) -> None:
        rows = await self._connection.execute(
            select(follows.c.customer, follows.c.manager, follows.c.since).where(
                among(follows.c.customer, self._on_sqlite), follows.c.lost_at.is_(None)
            ),
            self._given,
        )
        for customer, manager, since in rows:
            more.since[customer, manager] = since
            more.saw(customer, since)  # to add somebody is an act of one's own

    async def _last_seen(self, more: _More) -> None:
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

    async def _complaints(self, more: _More) -> None:
        column = leads.c.customer if self._kind == "customer" else leads.c.chat
        rows = await self._connection.execute(
            select(column).where(
                among(column, self._on_sqlite),
                leads.c.need == Need.COMPLAINT.value,
                leads.c.closed_at.is_(None),
            ),
            self._given,
        )
        more.complaining = frozenset(rows.scalars())

    async def _history(self, more: _More) -> None:
        rows = await self._connection.execute(
            select(enrolments.c.subject, enrolments.c.script, enrolments.c.state).where(
                among(enrolments.c.subject, self._on_sqlite),
                enrolments.c.state.in_(["running", "done"]),
            ),
            self._given,
        )
        for subject, script, state in rows:
            held = more.running if state == "running" else more.done
            held.setdefault(subject, set()).add(script)


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


@lru_cache(maxsize=4096)
def _set(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))


def _customer(
    row: Any, registry: Registry, staff: Mapping[str, Member], more: _More, now: datetime
) -> SubjectFacts:
    id, tags, managers_, facts, as_of, weekly_cap, opted_out_at, paused = row
    managers = _words(managers_)
    # Who was added last serves the customer, unless that one is away.
    on_duty = next((one for one in managers if one in staff and staff[one].on_duty), "")
    owner = on_duty or (managers[0] if managers else "")
    member = staff.get(owner)
    return SubjectFacts(
        id=id,
        kind="customer",
        registry=registry,
        tags=_set(tags),
        facts=json.loads(facts),
        as_of=as_of,
        friend=bool(managers),
        owner=owner,
        owner_role=member.role if member else "",
        owner_on_duty=bool(on_duty),
        branch=(member.branch or "") if member else "",
        since=more.since.get((id, owner)),
        refuses=opted_out_at is not None or (paused is not None and now < paused),
        complaint_open=id in more.complaining,
        last_seen=more.last_seen.get(id),
        weekly_cap=weekly_cap,
        happened=more.happened.get(id, ()),
        running=frozenset(more.running.get(id, ())),
        done=frozenset(more.done.get(id, ())),
    )


def _group(
    row: Any, registry: Registry, staff: Mapping[str, Member], more: _More, now: datetime
) -> SubjectFacts:
    member = staff.get(row.owner)
    return SubjectFacts(
        id=row.id,
        kind="group",
        registry=registry,
        tags=frozenset(row.tags),
        known=row.owner != "",  # else it was never read
        owner=row.owner,
        owner_role=member.role if member else "",
        owner_on_duty=member is not None and member.on_duty,
        branch=row.branch,
        complaint_open=row.id in more.complaining,
        last_seen=more.last_seen.get(row.id),
        size=sum(not one.get("staff") for one in row.members),
        alive=not row.dismissed,
        weekly_cap=row.weekly_cap,
        happened=more.happened.get(row.id, ()),
        running=frozenset(more.running.get(row.id, ())),
        done=frozenset(more.done.get(row.id, ())),
    )
