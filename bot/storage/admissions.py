"""Decisions on who enters which script, who waits for it, and the errands of entry.

A row without a subject is an errand of its script's, named by its key; one without a script asks
every script about its subject. Rows with ``due_at`` are work (durable_core, rule 1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Select, func, literal_column, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.subject import SubjectKind
from bot.storage.bulk import among, insert_rows, update_rows, upsert_rows
from bot.storage.letters import to_json
from bot.storage.tables import Moment, admissions, enrolments, scripts

State = Literal["entered", "held_out", "refused", "retry", "waiting", "asked", "answered", "errand"]
BY_HAND = "by hand"  # the key of a wish that a person has
ErrandName = Literal["gate", "sweep", "list", "dates", "backfill"]
_KEY = ("script", "subject", "key")
_DECIDED = ("state", "reason", "verdicts", "rank", "data_as_of", "at", "due_at", "attempt")
_ALIKE = ("state", "reason")
_WAITS = admissions.c.state == literal_column("'waiting'")  # a literal: by it the index is found


class Decision(NamedTuple):
    """What was decided of one subject and script, as it is stored.

    ``at`` is since when it stands so, ``due_at`` when it is asked about again.
    """

    state: State
    reason: str
    verdicts: str
    rank: int
    data_as_of: datetime | None
    at: datetime
    due_at: datetime | None
    attempt: int
    script: str
    subject: str
    key: str


class Waiting(NamedTuple):
    """A row that is work, or a decision that was made."""

    id: int
    script: str
    subject: str
    key: str
    state: State
    reason: str
    verdicts: dict[str, Any]
    rank: int
    at: datetime
    due_at: datetime | None
    attempt: int


_COLUMNS = tuple(admissions.c[name] for name in Waiting._fields)


class Admissions:
    """One row for each script, subject and anchor's occurrence."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def put(self, decisions: Sequence[Decision]) -> int:
        """Write decisions over those before, unless they say the same; return how many it wrote."""
        return await upsert_rows(
            self._connection, admissions, _KEY, _DECIDED, decisions, unless_alike=_ALIKE
        )

    async def ask(self, subjects: Iterable[str], kind: SubjectKind, now: datetime) -> None:
        """Have every script asked about subjects of whom something changed, each once."""
        wanted = sorted(set(subjects))
        if not wanted:
            return
        rows = [("asked", "", "{}", 0, None, now, now, 0, "", id, kind) for id in wanted]
        await upsert_rows(self._connection, admissions, _KEY, _DECIDED, rows)
        await self._connection.execute(
            update(admissions)
            .where(
                among(admissions.c.subject, self._on_sqlite),
                admissions.c.state == "retry",
                admissions.c.due_at > now,
            )
            .values(due_at=now),
            {"among": wanted},
        )

    async def ask_by_hand(self, script: str, subjects: Iterable[str], now: datetime) -> None:
        """Have one script asked about subjects that a person names."""
        wanted = sorted(set(subjects))
        rows = [("asked", "", "{}", 0, None, now, now, 0, script, id, BY_HAND) for id in wanted]
        await upsert_rows(self._connection, admissions, _KEY, _DECIDED, rows)

    async def answer_by_hand(
        self, script: str, answers: Iterable[tuple[str, str, str]], now: datetime
    ) -> None:
        """Write what (subject, state, reason) came of wishes of a person's."""
        rows = [
            (
                *("answered", reason, to_json({"state": state}), 0, None, now, None, 0),
                *(script, subject, BY_HAND),
            )
            for subject, state, reason in answers
        ]
        await upsert_rows(self._connection, admissions, _KEY, _DECIDED, rows)

    async def answers_by_hand(
        self, script: str, subjects: Iterable[str]
    ) -> dict[str, dict[str, str]]:
        """Return what came of wishes of a person's, as far as they were worked on."""
        rows = await self._connection.execute(
            select(admissions.c.subject, admissions.c.reason, admissions.c.verdicts).where(
                among(admissions.c.subject, self._on_sqlite),
                admissions.c.script == script,
                admissions.c.key == BY_HAND,
                admissions.c.state == "answered",
            ),
            {"among": sorted(set(subjects))},
        )
        return {row.subject: {"state": row.verdicts["state"], "reason": row.reason} for row in rows}

    async def take(self, now: datetime, *, limit: int) -> list[Waiting]:
        """Take what is due, for as long as this transaction lasts."""
        return await self._read(
            select(*_COLUMNS)
            .where(admissions.c.due_at <= now)
            .order_by(admissions.c.due_at, admissions.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

    async def next_of(self, script: str, after: tuple[int, int], limit: int) -> list[Waiting]:
        """Take those who wait to enter a script and come after (rank, number), in that order."""
        here = tuple_(admissions.c.rank, admissions.c.id)
        return await self._read(
            select(*_COLUMNS)
            .where(admissions.c.script == script, _WAITS, here > tuple_(*after))
            .order_by(admissions.c.rank, admissions.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

    async def waiting(self, script: str) -> int:
        """Count those who wait to enter a script."""
        statement = select(func.count()).where(admissions.c.script == script, _WAITS)
        return int((await self._connection.execute(statement)).scalar_one())

    async def of_subject(self, subject: str) -> list[Waiting]:
        """Return every decision about a subject, the newest first."""
        return await self._read(
            select(*_COLUMNS)
            .where(
                admissions.c.subject == subject,
                admissions.c.state.not_in(["asked", "answered", "errand"]),
            )
            .order_by(admissions.c.at.desc(), admissions.c.id.desc())
        )

    async def known(
        self, script: str, subjects: Collection[str]
    ) -> dict[tuple[str, str], tuple[str, str]]:
        """Return by (subject, key) in which state decisions are, each with its reason."""
        rows = await self._connection.execute(
            select(
                admissions.c.subject, admissions.c.key, admissions.c.state, admissions.c.reason
            ).where(admissions.c.script == script, among(admissions.c.subject, self._on_sqlite)),
            {"among": sorted(subjects)},
        )
        return {(row.subject, row.key): (row.state, row.reason) for row in rows}

    async def finish(self, ids: Sequence[int]) -> None:
        """Write that rows were worked on: they are no work any more."""
        await update_rows(
            self._connection, admissions, ("id",), ("due_at",), [(None, one) for one in ids]
        )

    async def put_off(self, row: Waiting, until: datetime | None) -> None:
        """Try a row again later that could not be worked on; None: not by itself."""
        await update_rows(
            self._connection,
            admissions,
            ("id",),
            ("due_at", "attempt"),
            [(until, row.attempt + 1, row.id)],
        )

    async def errands(self, script: str) -> dict[str, Waiting]:
        """Return a script's errands by their names."""
        mine = (admissions.c.script == script, admissions.c.subject == "")
        return {row.key: row for row in await self._read(select(*_COLUMNS).where(*mine))}

    async def all_errands(self) -> dict[tuple[str, str], Waiting]:
        """Return every errand by script and name."""
        rows = await self._read(select(*_COLUMNS).where(admissions.c.state == "errand"))
        return {(row.script, row.key): row for row in rows}

    async def errand(
        self,
        script: str,
        name: str,
        due_at: datetime | None,
        now: datetime,
        **facts: str | int | float,
    ) -> None:
        """Write when an errand of a script's is due, and how far it has come."""
        row = ("errand", "", to_json(facts), 0, None, now, due_at, 0, script, "", name)
        await upsert_rows(self._connection, admissions, _KEY, _DECIDED, [row])

    async def hurry(self, script: str, name: ErrandName, due_at: datetime, now: datetime) -> None:
        """Have an errand of a script's done by ``due_at``; how far it has come is kept."""
        row = ("errand", "", "{}", 0, None, now, due_at, 0, script, "", name)
        if await insert_rows(self._connection, admissions, _DECIDED + _KEY, [row]):
            return
        mine = (
            admissions.c.script == script,
            admissions.c.subject == "",
            admissions.c.key == name,
        )
        later = or_(admissions.c.due_at.is_(None), admissions.c.due_at > due_at)
        await self._connection.execute(update(admissions).where(*mine, later).values(due_at=due_at))

    async def entered(self, script: str, since: datetime | None) -> int:
        """Count the runs of a script that began since a moment, or ever; held out ones apart."""
        conditions = [enrolments.c.script == script, enrolments.c.state != "held_out"]
        if since is not None:
            conditions.append(enrolments.c.entered_at >= since)
        statement = select(func.count()).where(*conditions)
        return int((await self._connection.execute(statement)).scalar_one())

    async def published_at(self, script: str) -> datetime | None:
        """Return when a script was published for the first time."""
        statement = select(func.min(scripts.c.published_at, type_=Moment)).where(
            scripts.c.id == script
        )
        moment: datetime | None = (await self._connection.execute(statement)).scalar_one()
        return moment

    async def _read(self, statement: Select[Any]) -> list[Waiting]:
        return [Waiting(*row) for row in await self._connection.execute(statement)]
