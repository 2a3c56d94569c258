"""What was asked to be approved, and what was decided: a row for each content of a script."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.approval import Decision, State
from bot.storage.insert import insert_new
from bot.storage.tables import approvals

_FIELDS = tuple(Decision.model_fields)
# The hash that a row is bound to stands in the column "version".
_COLUMNS = tuple(approvals.c["version" if name == "substance" else name] for name in _FIELDS)
_OF_SCRIPTS = select(*_COLUMNS).where(approvals.c.script.in_(bindparam("scripts", expanding=True)))


def _decision(row: Row[Any]) -> Decision:
    return Decision.model_validate(dict(zip(_FIELDS, row, strict=True)))


class Approvals:
    """Decisions by (script, substance); who decides again overrides what was."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, scripts: Sequence[str]) -> dict[tuple[str, str], Decision]:
        """Return everything asked or decided about some scripts, by (script, substance)."""
        rows = await self._connection.execute(_OF_SCRIPTS, {"scripts": list(scripts)})
        found = [_decision(row) for row in rows]
        return {(each.script, each.substance): each for each in found}

    async def get(self, script: str, substance: str) -> Decision | None:
        """Return what was asked or decided about one content."""
        return (await self.of([script])).get((script, substance))

    async def mark(self) -> tuple[int, datetime | None]:
        """Return what changes whenever something is asked or decided."""
        newest = select(func.count(), func.max(approvals.c.decided_at))
        row = (await self._connection.execute(newest)).one()
        return row[0], row[1]

    async def ask(
        self,
        script: str,
        substance: str,
        *,
        author: str,
        text: str,
        now: datetime,
        content_id: str = "",
    ) -> bool:
        """Ask for a content's approval; False where it was asked for, or decided, before."""
        row = {
            "script": script,
            "version": substance,
            "content_id": content_id,
            "author": author,
            "state": "asked",
            "text": text,
            "asked_at": now,
        }
        return bool(await insert_new(self._connection, approvals, [row]))

    async def signed(self, script: str, substance: str, author: str) -> None:
        """Write who brought a content forward; whoever did so may not approve it."""
        await self._connection.execute(
            update(approvals)
            .where(approvals.c.script == script, approvals.c.version == substance)
            .values(author=author)
        )

    async def decide(
        self,
        script: str,
        substance: str,
        state: State,
        *,
        approver: str,
        now: datetime,
        content_id: str = "",
        expires_on: date | None = None,
        why: str = "",
    ) -> None:
        """Write what was decided about a content that was asked for."""
        await self._connection.execute(
            update(approvals)
            .where(approvals.c.script == script, approvals.c.version == substance)
            .values(
                state=state,
                approver=approver,
                content_id=content_id,
                decided_at=now,
                expires_on=expires_on,
                why=why[:256],
            )
        )
