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
        row = {
            "id": script,
            "version": version,
            "text": text,
            "published_at": now,
            "current": True,
        }
        if not await insert_new(self._connection, scripts, [row]):
            await self._connection.execute(
                update(scripts)
                .where(scripts.c.id == script, scripts.c.version == version)
                .values(current=True)
            )
        return True

    async def current(self, script: str) -> str | None:
        """Return the current version's hash."""
        statement = select(scripts.c.version).where(scripts.c.id == script, scripts.c.current)
        version: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return version

    async def text(self, script: str, version: str) -> str | None:
        """Return a version's text."""
        statement = select(scripts.c.text).where(
            scripts.c.id == script, scripts.c.version == version
        )
        text: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return text
