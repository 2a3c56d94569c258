"""Answers that WeCom fetches bit by bit: any process writes one, any process gives it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.insert import insert_new
from bot.storage.tables import streams


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer as far as it is written, and when its question was asked."""

    content: str
    finished: bool
    at: datetime


class Streams:
    """The content so far of each stream, by the id WeCom asks with."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(self, id: str, at: datetime) -> bool:
        """Begin a stream; False where it was begun before."""
        row = {"id": id, "content": "", "finished": False, "at": at}
        return bool(await insert_new(self._connection, streams, [row]))

    async def write(self, id: str, content: str, *, finished: bool) -> bool:
        """Put the whole content so far; False where the stream is finished or unknown."""
        result = await self._connection.execute(
            update(streams)
            .where(streams.c.id == id, streams.c.finished.is_(False))
            .values(content=content, finished=finished)
        )
        return bool(result.rowcount)

    async def get(self, id: str) -> Streamed | None:
        """Return a stream; None where there is none."""
        row = (
            await self._connection.execute(select(streams).where(streams.c.id == id))
        ).one_or_none()
        return None if row is None else Streamed(row.content, row.finished, row.at)

    async def drop_before(self, moment: datetime) -> int:
        """Forget the streams that were begun before a moment; nobody asks after them."""
        result = await self._connection.execute(delete(streams).where(streams.c.at < moment))
        return int(result.rowcount)
