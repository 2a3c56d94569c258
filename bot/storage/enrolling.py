"""Many runs that begin at once: one statement for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.admission import NewRun
from bot.domain.subject import SubjectKind
from bot.storage.bulk import among, insert_rows
from bot.storage.tables import enrolments

_SHARED = ("script", "version", "subject_kind", "entered_at", "expires_at")
_COLUMNS = (*NewRun._fields, *_SHARED, "due_at", "attempt")


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
        due, still = (*shared, now, 0), (*shared, None, 0)
        rows = [run + (due if run.state == "running" else still) for run in runs]
        before = await self._newest()
        new = await insert_rows(self._connection, enrolments, _COLUMNS, rows)
        subjects = [run.subject for run in runs]
        if self._on_sqlite and new == len(runs):
            # Nobody else writes meanwhile, and each new row has the number after the greatest.
            return dict(zip(subjects, range(before + 1, before + 1 + new), strict=True))
        return await self._began(script, before, subjects)

    async def _newest(self) -> int:
        return int((await self._connection.execute(_NEWEST)).scalar_one_or_none() or 0)

    async def _began(self, script: str, after: int, subjects: Sequence[str]) -> dict[str, int]:
        """Return the runs of these subjects that are newer than a number."""
        rows = await self._connection.execute(
            _newer(self._on_sqlite), {"among": subjects, "script": script, "after": after}
        )
        return {row.subject: row.id for row in rows}


_NEWEST = select(enrolments.c.id).order_by(enrolments.c.id.desc()).limit(1)


@lru_cache(maxsize=2)
def _newer(on_sqlite: bool) -> Select[Any]:
    return select(enrolments.c.subject, enrolments.c.id).where(
        among(enrolments.c.subject, on_sqlite),
        enrolments.c.script == bindparam("script"),
        enrolments.c.id > bindparam("after"),
    )
