"""Many runs that begin at once: one statement for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.admission import NewRun
from bot.domain.subject import SubjectKind
from bot.storage.bulk import among, insert_rows
from bot.storage.tables import enrolments

_SHARED = ("script", "version", "subject_kind", "entered_at", "expires_at")


class Enrolling:
    """Beginnings of runs; a subject that is in a script already is passed over."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def begin(
        self,
        script: str,
        version: str,
        kind: SubjectKind,
        runs: Sequence[NewRun],
        now: datetime,
        expires_at: datetime,
    ) -> dict[str, int]:
        """Write runs, each for another subject; return the numbers of those that began."""
        shared = (script, version, kind, now, expires_at)
        rows = [(*run, *shared, now if run.state == "running" else None, 0) for run in runs]
        columns = (*NewRun._fields, *_SHARED, "due_at", "attempt")
        before = await self._newest()
        await insert_rows(self._connection, enrolments, columns, rows)
        return await self._began(script, before, [run.subject for run in runs])

    async def _newest(self) -> int:
        statement = select(enrolments.c.id).order_by(enrolments.c.id.desc()).limit(1)
        return int((await self._connection.execute(statement)).scalar_one_or_none() or 0)

    async def _began(self, script: str, after: int, subjects: Sequence[str]) -> dict[str, int]:
        """Return the runs of these subjects that are newer than a number."""
        rows = await self._connection.execute(
            select(enrolments.c.subject, enrolments.c.id).where(
                among(enrolments.c.subject, self._on_sqlite),
                enrolments.c.script == script,
                enrolments.c.id > after,
            ),
            {"among": list(subjects)},
        )
        return {row.subject: row.id for row in rows}
