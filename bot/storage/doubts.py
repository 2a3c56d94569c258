"""Messages that may or may not have left, to be asked after."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Integer, String, Update, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.doubt import Doubt
from bot.storage import work
from bot.storage.bulk import among
from bot.storage.insert import insert_new
from bot.storage.outbox import Envelope, read_row
from bot.storage.tables import Moment, doubts, outbox


@dataclass(frozen=True, slots=True)
class OpenDoubt:
    """A doubt that this worker holds."""

    id: int
    attempt: int
    outbox: int
    doubt: Doubt


class Doubts:
    """One for each message at most."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(self, message: int, tried_at: datetime, now: datetime, due_at: datetime) -> None:
        """Begin to ask after a message, or to ask again after one that was sent once more."""
        row = {
            "outbox": message,
            "tried_at": tried_at,
            "opened_at": now,
            "due_at": due_at,
            "attempt": 0,
        }
        if not await insert_new(self._connection, doubts, [row]):
            await self._connection.execute(
                update(doubts)
                .where(doubts.c.outbox == message)
                .values(opened_at=now, absent_at=None, due_at=due_at, attempt=0)
            )

    async def claim(
        self, now: datetime, *, limit: int = 10, lease: timedelta = timedelta(seconds=300)
    ) -> list[OpenDoubt]:
        """Take doubts whose next look has come."""
        statement = work.claim_statement(doubts)
        rows = await work.claim(self._connection, statement, now, lease=lease, limit=limit)
        return [_open(row) for row in rows]

    async def join(
        self,
        batch: str,
        now: datetime,
        *,
        limit: int = 2000,
        lease: timedelta = timedelta(seconds=300),
    ) -> list[OpenDoubt]:
        """Take the doubts about the other messages of a batch that are to be looked at now."""
        rows = await work.claim(
            self._connection, _join(), now, lease=lease, limit=limit, batch=batch
        )
        return [_open(row) for row in rows]

    async def look_again(self, held: OpenDoubt, at: datetime, absent_at: datetime | None) -> None:
        """Write when to ask next."""
        await work.finish(
            self._connection, doubts, held.id, held.attempt, due_at=at, absent_at=absent_at
        )

    async def close(self, held: OpenDoubt, *, resent: bool = False) -> bool:
        """End a doubt; False where another worker holds it by now."""
        return await work.finish(
            self._connection,
            doubts,
            held.id,
            held.attempt,
            resent=held.doubt.resent + int(resent),
        )

    async def messages(self, held: Sequence[OpenDoubt]) -> dict[int, Envelope]:
        """Return the messages in doubt by the numbers of the doubts.

        One that is settled by now, or that nobody can read, is left out.
        """
        on_sqlite = self._connection.dialect.name == "sqlite"
        statement = select(outbox).where(among(outbox.c.id, on_sqlite), outbox.c.state == "unknown")
        rows = await self._connection.execute(statement, {"among": [one.outbox for one in held]})
        doubt_of = {one.outbox: one.id for one in held}
        found = {}
        for row in rows:
            with suppress(ValidationError):
                found[doubt_of[row.id]] = read_row(row)
        return found

    async def settle(self, message: int, ref: str, now: datetime) -> bool:
        """Write that a message in doubt was sent after all."""
        return await self._end(message, state="sent", reason="", ref=ref, settled_at=now)

    async def send_again(self, message: int, now: datetime) -> bool:
        """Put a message that surely did not leave back among those that wait."""
        return await self._end(
            message, state="ready", reason="not_made", tried_at=None, due_at=now, settled_at=None
        )

    async def _end(self, message: int, **values: Any) -> bool:
        result = await self._connection.execute(
            update(outbox)
            .where(outbox.c.id == message, outbox.c.state == "unknown")
            .values(**values)
        )
        return bool(result.rowcount)

    async def forget(self, message: int) -> None:
        """Ask no longer after a message: a person has decided."""
        await self._connection.execute(
            update(doubts).where(doubts.c.outbox == message).values(due_at=None, holder="")
        )


def _open(row: Any) -> OpenDoubt:
    doubt = Doubt(
        tried_at=row.tried_at,
        opened_at=row.opened_at,
        absent_at=row.absent_at,
        looks=row.attempt,
        resent=row.resent,
    )
    return OpenDoubt(row.id, row.attempt, row.outbox, doubt)


@lru_cache(maxsize=1)
def _join() -> Update:
    picked = (
        select(doubts.c.id)
        .join(outbox, outbox.c.id == doubts.c.outbox)
        .where(
            outbox.c.batch == bindparam("is_batch"),
            doubts.c.due_at <= bindparam("now", type_=Moment),
        )
        .order_by(doubts.c.due_at, doubts.c.id)
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(skip_locked=True, of=doubts)
        .cte("picked")
    )
    values = {
        "due_at": bindparam("until", type_=Moment),
        "attempt": doubts.c.attempt + 1,
        "holder": bindparam("claimer", type_=String),
    }
    return (
        update(doubts)
        .where(doubts.c.id.in_(select(picked.c.id)))
        .values(**values)
        .returning(doubts)
    )
