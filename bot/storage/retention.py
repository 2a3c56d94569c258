"""Removes what is done and old, in small pieces; what is unfinished, dead or unknown stays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Table, and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.tables import (
    admissions,
    asks,
    doubts,
    drafts,
    enrolments,
    events,
    kf_tickets,
    lead_signals,
    lead_timers,
    ledger,
    moments,
    notices,
    occurrences,
    outbox,
    questions,
    quota,
    send_tasks,
    turns,
)

CHUNK = 2000  # rows in one transaction (durable_core, rule 9)
_ENDED = ("done", "dropped")
LEFT = ("sent", "skipped", "failed", "void", "dropped", "merged")
# Who is in a script, or waits for it, is known by these rows; the others only say what was said.
_ANSWERS = ("refused", "answered", "asked")
_newer = occurrences.alias("newer")
_IS_NEWER = or_(
    _newer.c.at > occurrences.c.at,
    and_(_newer.c.at == occurrences.c.at, _newer.c.id > occurrences.c.id),
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which rows of a table may go once they are old; ids and moments grow together."""

    table: Table
    moment: str
    may_go: ColumnElement[bool] | None = None


_RULES = {
    "notices": _Rule(
        notices,
        "received_at",
        and_(notices.c.due_at.is_(None), notices.c.state.in_(_ENDED)),
    ),
    "events": _Rule(
        events, "received_at", and_(events.c.due_at.is_(None), events.c.state.in_(_ENDED))
    ),
    "outbox": _Rule(
        outbox, "created_at", and_(outbox.c.due_at.is_(None), outbox.c.state.in_(LEFT))
    ),
    "doubts": _Rule(
        doubts,
        "opened_at",
        and_(doubts.c.due_at.is_(None), ~exists().where(outbox.c.id == doubts.c.outbox)),
    ),
    "quota": _Rule(quota, "at"),
    # The newest of each kind stays, so that how long ago it was can be told for ever.
    "occurrences": _Rule(
        occurrences,
        "arrived_at",
        and_(
            occurrences.c.due_at.is_(None),
            exists().where(
                _newer.c.subject == occurrences.c.subject,
                _newer.c.kind == occurrences.c.kind,
                _IS_NEWER,
            ),
        ),
    ),
    "admissions": _Rule(
        admissions, "at", and_(admissions.c.due_at.is_(None), admissions.c.state.in_(_ANSWERS))
    ),
    "moments": _Rule(
        moments,
        "made_at",
        and_(moments.c.due_at.is_(None), moments.c.state.in_(("posted", "over"))),
    ),
    "kf_tickets": _Rule(
        kf_tickets,
        "opened_at",
        and_(kf_tickets.c.due_at.is_(None), kf_tickets.c.given_back_at.is_not(None)),
    ),
    "lead_timers": _Rule(
        lead_timers,
        "started_at",
        and_(lead_timers.c.due_at.is_(None), lead_timers.c.done_at.is_not(None)),
    ),
    "turns": _Rule(turns, "at"),
    "drafts": _Rule(drafts, "at", drafts.c.due_at.is_(None)),
    "asks": _Rule(asks, "at", asks.c.due_at.is_(None)),
    "questions": _Rule(questions, "asked_at"),
    # What led to a lead stays with it; what never did is worth nothing after some half-lives.
    "lead_signals": _Rule(lead_signals, "at", lead_signals.c.lead.is_(None)),
    "ledger": _Rule(ledger, "at"),
}
DONE_ROWS = ("notices", "events", "outbox", "doubts", "quota")
HISTORY = ("occurrences", "admissions", "moments", "kf_tickets", "lead_timers")


@dataclass(frozen=True, slots=True)
class Swept:
    """What one piece of work did, and where the next begins; ``after`` None where all is seen."""

    removed: int
    after: int | None


class Retention:
    """Old rows of one table after another."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def sweep(self, name: str, before: datetime, after: int) -> Swept:
        """Look at the next 2,000 rows of a table and remove those that are done and old."""
        rule = _RULES[name]
        table = rule.table
        may_go = table.c.id == table.c.id if rule.may_go is None else rule.may_go
        key = table.c.key if name == "outbox" else table.c.id
        found = (
            await self._connection.execute(
                select(table.c.id, key.label("name"), may_go.label("may_go"))
                .where(table.c.id > after, table.c[rule.moment] < before)
                .order_by(table.c.id)
                .limit(CHUNK)
            )
        ).all()
        going = {row.id: row.name for row in found if row.may_go}
        if name == "outbox":
            needed = await self._needed(going.values())
            going = {number: key for number, key in going.items() if key not in needed}
        if going:
            await self._connection.execute(delete(table).where(table.c.id.in_(list(going))))
        return Swept(len(going), found[-1].id if len(found) == CHUNK else None)

    async def _needed(self, keys: Collection[str]) -> frozenset[str]:
        """Return the keys that runs under way and tasks not yet closed still go by."""
        runs: dict[int, list[str]] = {}
        tasks: dict[str, list[str]] = {}
        for key in keys:
            kind, _, rest = key.partition(":")
            name = rest.split(":")[0]
            if kind == "sop" and name.isdigit():
                runs.setdefault(int(name), []).append(key)
            elif kind in ("cancel", "remind"):
                tasks.setdefault(name, []).append(key)
        running = select(enrolments.c.id).where(
            enrolments.c.id.in_(list(runs)), enrolments.c.state == "running"
        )
        open_tasks = select(send_tasks.c.msgid).where(
            send_tasks.c.msgid.in_(list(tasks)), send_tasks.c.state == "waiting"
        )
        needed: list[str] = []
        for number in (await self._connection.execute(running)).scalars() if runs else ():
            needed += runs[number]
        for msgid in (await self._connection.execute(open_tasks)).scalars() if tasks else ():
            needed += tasks[msgid]
        return frozenset(needed)
