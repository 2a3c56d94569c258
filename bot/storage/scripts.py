"""Published versions of scripts: the very text, unchanged for ever."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.insert import insert_new
from bot.storage.tables import scripts


class Scripts:
    """Versions by content hash; one of each script is current."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def publish(self, script: str, version: str, text: str, now: datetime) -> bool:
        """Make a version the current one; False where it is already."""
        if await self.current(script) == version:
            return False
        await self._connection.execute(
            update(scripts).where(scripts.c.id == script).values(current=False)
        )
        if not await self.keep(script, version, text, now, current=True):
            await self._connection.execute(
                update(scripts)
                .where(scripts.c.id == script, scripts.c.version == version)
                .values(current=True)
            )
        return True

    async def keep(
        self, script: str, version: str, text: str, now: datetime, *, current: bool = False
    ) -> bool:
        """Store a version for runs to be bound to; False where it is there already."""
        row = {
            "id": script,
            "version": version,
            "text": text,
            "published_at": now,
            "current": current,
        }
        return bool(await insert_new(self._connection, scripts, [row]))

    async def currents(self) -> dict[str, str]:
        """Return the current version's hash of every script."""
        rows = await self._connection.execute(
            select(scripts.c.id, scripts.c.version).where(scripts.c.current)
        )
        return {row.id: row.version for row in rows}

    async def current(self, script: str) -> str | None:
        """Return the current version's hash."""
        statement = select(scripts.c.version).where(scripts.c.id == script, scripts.c.current)
        version: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return version

    async def versions(self, script: str) -> list[str]:
        """Return every version that was ever published of a script, the newest first."""
        rows = await self._connection.execute(
            select(scripts.c.version)
            .where(scripts.c.id == script)
            .order_by(scripts.c.published_at.desc(), scripts.c.version)
        )
        return [row.version for row in rows]

    async def text(self, script: str, version: str) -> str | None:
        """Return a version's text."""
        statement = select(scripts.c.text).where(
            scripts.c.id == script, scripts.c.version == version
        )
        text: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return text
