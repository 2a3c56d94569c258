"""Work that waits, and work that stands still until a person decides: listed by table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Table, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.tables import (
    admissions,
    doubts,
    enrolments,
    events,
    notices,
    occurrences,
    outbox,
    send_tasks,
)
from bot.storage.work import POISON_ATTEMPTS

GAVE_UP = "gave_up"  # the reason of a row that keeps none: the log has it
LetterState = Literal["dead", "unknown", "waiting"]


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of work; ``place`` names it, such as ``outbox:123``."""

    place: str
    state: LetterState
    kind: str
    subject: str
    reason: str
    attempts: int
    since: datetime
    due_at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """How a table's rows are told apart and described; ``reason`` is empty for a table of none."""

    table: Table
    since: str
    reason: str
    dead: ColumnElement[bool]
    describe: Callable[[Row[Any]], tuple[str, str, str]]  # kind, subject, text
    unknown: ColumnElement[bool] | None = None

    def condition(self, state: LetterState) -> ColumnElement[bool] | None:
        """Return what rows in a state fulfil; None where this table has no such state."""
        if state == "dead":
            return self.dead
        return self.table.c.due_at.is_not(None) if state == "waiting" else self.unknown


def _of_event(row: Row[Any]) -> tuple[str, str, str]:
    body = row.body if isinstance(row.body, Mapping) else {}
    return str(body.get("kind", "")), row.lane, _words(body)


def _of_message(row: Row[Any]) -> tuple[str, str, str]:
    facts = row.facts if isinstance(row.facts, Mapping) else {}
    body = row.body if isinstance(row.body, Mapping) else {}
    return row.bucket, str(facts.get("subject") or body.get("to") or ""), _words(body)


def _words(body: Mapping[str, Any]) -> str:
    """Return what a body says, without the fields that are ids."""
    said = [
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in body.items()
        if name in ("text", "content", "contents", "card", "title", "description", "change")
    ]
    return " ".join(said)


def _over(table: Table) -> ColumnElement[bool]:
    """Return the condition of a row that was given up while its state goes on."""
    return and_(table.c.due_at.is_(None), table.c.error != "")


def _tried_out(table: Table) -> ColumnElement[bool]:
    """Return the condition of a row that failed so often that nobody tries it any more."""
    return and_(table.c.due_at.is_(None), table.c.attempt >= POISON_ATTEMPTS)


def _of_entry(row: Row[Any]) -> tuple[str, str, str]:
    """Describe who was to be let in; a row without a subject is an errand of its script's."""
    kind = f"errand_{row.key}" if row.state == "errand" else row.state
    return kind, row.subject or row.script, row.script


SHELVES: dict[str, Shelf] = {
    "notices": Shelf(
        notices,
        "received_at",
        "error",
        notices.c.state == "dead",
        lambda row: (row.channel, row.lane, row.body),
    ),
    "events": Shelf(events, "received_at", "error", events.c.state == "dead", _of_event),
    "outbox": Shelf(
        outbox,
        "created_at",
        "reason",
        outbox.c.state == "dead",
        _of_message,
        outbox.c.state == "unknown",
    ),
    "enrolments": Shelf(
        enrolments,
        "entered_at",
        "error",
        and_(enrolments.c.state == "running", _over(enrolments)),
        lambda row: (row.script, row.subject, ""),
    ),
    "send_tasks": Shelf(
        send_tasks,
        "created_at",
        "error",
        and_(send_tasks.c.state == "waiting", _over(send_tasks)),
        lambda row: (row.owner, row.chat, row.msgid),
    ),
    "admissions": Shelf(admissions, "at", "", _tried_out(admissions), _of_entry),
    "occurrences": Shelf(
        occurrences,
        "arrived_at",
        "",
        _tried_out(occurrences),
        lambda row: (row.kind, row.subject, row.key),
    ),
}


class Letters:
    """Reads rows of work as people look at them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(
        self, tables: Sequence[str], states: Sequence[LetterState], limit: int
    ) -> list[Letter]:
        """Return rows in these states, the oldest first in each table."""
        found: list[Letter] = []
        for name in tables:
            for state in states:
                condition = SHELVES[name].condition(state)
                if condition is None or len(found) >= limit:
                    continue
                table = SHELVES[name].table
                rows = await self._connection.execute(
                    select(table).where(condition).order_by(table.c.id).limit(limit - len(found))
                )
                found += [_letter(name, state, row) for row in rows]
        return found

    async def count(self, tables: Sequence[str], states: Sequence[LetterState]) -> int:
        """Count rows in these states."""
        total = 0
        for name in tables:
            for state in states:
                condition = SHELVES[name].condition(state)
                if condition is not None:
                    statement = select(func.count()).select_from(SHELVES[name].table)
                    total += (
                        await self._connection.execute(statement.where(condition))
                    ).scalar_one()
        return total

    async def one(self, name: str, number: int) -> Letter | None:
        """Return a row that waits, is dead or unknown; None where there is no such row."""
        table = SHELVES[name].table
        states: tuple[LetterState, ...] = ("dead", "unknown", "waiting")
        for state in states:
            condition = SHELVES[name].condition(state)
            if condition is None:
                continue
            row = (
                await self._connection.execute(select(table).where(table.c.id == number, condition))
            ).one_or_none()
            if row is not None:
                return _letter(name, state, row)
        return None

    async def doubt_of(self, message: int) -> tuple[int, datetime | None] | None:
        """Return how often WeCom was asked after a message, and when it is asked next."""
        row = (
            await self._connection.execute(select(doubts).where(doubts.c.outbox == message))
        ).one_or_none()
        return None if row is None else (row.attempt, row.due_at)


def _letter(name: str, state: LetterState, row: Row[Any]) -> Letter:
    shelf = SHELVES[name]
    kind, subject, text = shelf.describe(row)
    return Letter(
        place=f"{name}:{row.id}",
        state=state,
        kind=kind,
        subject=subject,
        reason=getattr(row, shelf.reason) if shelf.reason else GAVE_UP * (state == "dead"),
        attempts=row.attempt,
        since=getattr(row, shelf.since),
        due_at=row.due_at,
        text=text,
    )
