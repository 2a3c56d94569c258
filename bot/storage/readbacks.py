"""How far WeCom's lists of mass messages were read, and which messages have yet to be looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import outbox, readbacks, send_tasks

ChatType = Literal["group", "single"]
CHAT_TYPES: tuple[ChatType, ...] = ("group", "single")
_LIST = "list:"
_LEASE = timedelta(seconds=120)
_KEPT_FOR = timedelta(days=62)  # as long as a place in the ledger can count
_GAP = timedelta(seconds=0.5)  # two calls a second: what reads back never eats what answers


@dataclass(frozen=True, slots=True)
class Readback:
    """A list that is to be read on from ``made_at``, or one message with its owner read last."""

    id: str
    attempt: int
    chat_type: ChatType
    made_at: datetime
    cursor: str

    @property
    def is_list(self) -> bool:
        """Tell whether it is a list, and no message."""
        return self.id.startswith(_LIST)


class Readbacks:
    """A row for each list, and one for each message that somebody else made."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, since: datetime, now: datetime) -> None:
        """Let the lists be read from a moment on; a bot that ran before goes on where it was."""
        rows = [
            {"id": f"{_LIST}{one}", "chat_type": one, "made_at": since, "due_at": now}
            for one in CHAT_TYPES
        ]
        await insert_new(self._connection, readbacks, rows)

    async def claim(self, now: datetime) -> Readback | None:
        """Take the row whose turn it is."""
        statement = work.claim_statement(readbacks)
        rows = await work.claim(self._connection, statement, now, lease=_LEASE, limit=1)
        return next((_readback(row) for row in rows), None)

    async def hasten(self, now: datetime) -> None:
        """Have the lists read now: somebody has sent what is not known yet."""
        idle = (readbacks.c.holder == "", readbacks.c.due_at > now)
        await self._connection.execute(
            update(readbacks).where(readbacks.c.id.startswith(_LIST), *idle).values(due_at=now)
        )

    async def ours(self, msgids: Collection[str]) -> frozenset[str]:
        """Return which of these messages the bot made itself."""
        wanted = list(msgids)
        tasks = select(send_tasks.c.msgid).where(send_tasks.c.msgid.in_(wanted))
        letters = select(outbox.c.ref).where(outbox.c.ref.in_(wanted))
        rows = await self._connection.execute(tasks.union(letters))
        return frozenset(rows.scalars())

    async def list_read(
        self,
        readback: Readback,
        found: Sequence[tuple[str, datetime, datetime]],
        reached: datetime,
        again_at: datetime,
    ) -> bool:
        """Write how far a list was read, with (msgid, made at, look at it from) of what it held.

        False if the lease was lost: another has read on.
        """
        if not await work.finish(
            self._connection,
            readbacks,
            readback.id,
            readback.attempt,
            made_at=reached,
            due_at=again_at,
            reason="",
        ):
            return False
        rows = [
            {
                "id": msgid,
                "chat_type": readback.chat_type,
                "made_at": made_at,
                "due_at": due_at + number * _GAP,
            }
            for number, (msgid, made_at, due_at) in enumerate(found)
        ]
        await insert_new(self._connection, readbacks, rows)
        await self._connection.execute(
            delete(readbacks).where(
                readbacks.c.made_at < reached - _KEPT_FOR, readbacks.c.due_at.is_(None)
            )
        )
        return True

    async def read_on(
        self, readback: Readback, cursor: str, due_at: datetime | None, reason: str = ""
    ) -> bool:
        """Write up to which owner a message was read, and when it goes on; None: all is known."""
        return await work.finish(
            self._connection,
            readbacks,
            readback.id,
            readback.attempt,
            cursor=cursor,
            due_at=due_at,
            reason=reason[:160],
        )


def _readback(row: Any) -> Readback:
    return Readback(row.id, row.attempt, row.chat_type, row.made_at, row.cursor)
