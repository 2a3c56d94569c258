"""How far WeCom's lists of people were read: a pass goes on where a process left it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import polls

HEAD = "people"
CUSTOMERS, GROUPS = "customers:", "groups:"
OWNERS_A_CALL = 100
_LEASE = timedelta(seconds=120)
_GAP = timedelta(seconds=0.5)  # two calls a second: what reconciles never eats what answers
_BURST = 20


@dataclass(frozen=True, slots=True)
class Poll:
    """A list that is to be read on; ``pass_at`` is when the pass it belongs to began."""

    id: str
    attempt: int
    cursor: str
    pass_at: datetime | None
    paced_to: datetime | None

    @property
    def manager(self) -> str:
        """Return whose customers are listed."""
        return self.id.removeprefix(CUSTOMERS)


class Polls:
    """One row for each list; one row at most is due, so that all processes keep one pace."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, now: datetime) -> None:
        """Let the first pass begin now, unless there ever was one."""
        await insert_new(self._connection, polls, [{"id": HEAD, "due_at": now, "attempt": 0}])

    async def hasten(self, due_at: datetime) -> None:
        """Let the next pass begin by ``due_at``; one that is under way is gone through again."""
        await self._connection.execute(
            update(polls).where(polls.c.id == HEAD, polls.c.due_at > due_at).values(due_at=due_at)
        )
        under_way = polls.c.id == HEAD, polls.c.due_at.is_(None)
        await self._connection.execute(update(polls).where(*under_way).values(reason=_AGAIN))

    async def claim(self, now: datetime) -> Poll | None:
        """Take the list whose turn it is."""
        statement = work.claim_statement(polls)
        rows = await work.claim(self._connection, statement, now, lease=_LEASE, limit=1)
        return next((_poll(row) for row in rows), None)

    async def start_pass(self, head: Poll, managers: Sequence[str], now: datetime) -> bool:
        """Plan a pass over these managers' customers and groups; False if the lease was lost."""
        if not await work.finish(
            self._connection, polls, HEAD, head.attempt, pass_at=now, done_at=None, reason=""
        ):
            return False
        await self._connection.execute(delete(polls).where(polls.c.id != HEAD))
        chunks = range(0, len(managers), OWNERS_A_CALL)
        ids = [f"{CUSTOMERS}{manager}" for manager in managers]
        ids += [f"{GROUPS}{number:05d}" for number, _ in enumerate(chunks)]
        rows = [{"id": one, "pass_at": now, "attempt": 0} for one in ids]
        await insert_new(self._connection, polls, rows)
        return True

    async def read_on(self, poll: Poll, cursor: str, now: datetime) -> bool:
        """Write how far a list was read and that it goes on; False if the lease was lost."""
        paced, due = _pace(poll.paced_to, now)
        return await work.finish(
            self._connection,
            polls,
            poll.id,
            poll.attempt,
            due_at=due,
            cursor=cursor,
            paced_to=paced,
            reason="",
        )

    async def finish(self, poll: Poll, now: datetime, reason: str = "") -> bool:
        """Write that a list was read to its end, or why it could not be."""
        return await work.finish(
            self._connection, polls, poll.id, poll.attempt, done_at=now, reason=reason
        )

    async def put_off(self, poll: Poll, due_at: datetime, reason: str) -> None:
        """Try the same page again later."""
        await work.finish(
            self._connection, polls, poll.id, poll.attempt, due_at=due_at, reason=reason
        )

    async def next_list(self, before: Poll, now: datetime) -> bool:
        """Let the next list of the pass be read, at the pace; False where there is none."""
        statement = (
            select(polls.c.id)
            .where(polls.c.id != HEAD, polls.c.done_at.is_(None))
            .order_by(polls.c.id)
            .limit(1)
        )
        following = (await self._connection.execute(statement)).scalar_one_or_none()
        if following is None:
            return False
        paced, due = _pace(before.paced_to, now)
        await self._connection.execute(
            update(polls).where(polls.c.id == following).values(due_at=due, paced_to=paced)
        )
        return True

    async def end_pass(self, now: datetime, again_at: datetime) -> None:
        """Write that every list was read, and when the next pass begins."""
        head = (
            await self._connection.execute(
                select(polls.c.reason, polls.c.pass_at).where(polls.c.id == HEAD)
            )
        ).one()
        # The head's own cursor is when the last pass that came to its end had begun.
        began = "" if head.pass_at is None else head.pass_at.isoformat()
        due_at = now if head.reason == _AGAIN else again_at
        await self._connection.execute(
            update(polls)
            .where(polls.c.id == HEAD)
            .values(done_at=now, due_at=due_at, reason="", cursor=began)
        )

    async def owners(self, poll: Poll) -> list[str]:
        """Return the managers whose groups a list of groups is about."""
        number = int(poll.id.removeprefix(GROUPS))
        statement = (
            select(polls.c.id)
            .where(polls.c.id.startswith(CUSTOMERS))
            .order_by(polls.c.id)
            .offset(number * OWNERS_A_CALL)
            .limit(OWNERS_A_CALL)
        )
        rows = await self._connection.execute(statement)
        return [str(row.id).removeprefix(CUSTOMERS) for row in rows]

    async def complete(self) -> bool:
        """Tell whether every list of the pass was read without a refusal."""
        refused = select(polls.c.id).where(polls.c.id != HEAD, polls.c.reason != "").limit(1)
        return (await self._connection.execute(refused)).first() is None

    async def last_pass(self) -> datetime | None:
        """Return when the last pass began that came to its end; None where there was none."""
        statement = select(polls.c.cursor).where(polls.c.id == HEAD)
        began: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return datetime.fromisoformat(began) if began else None


_AGAIN = "again"


def _poll(row: Any) -> Poll:
    return Poll(row.id, row.attempt, row.cursor, row.pass_at, row.paced_to)


def _pace(paced_to: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return how far the calls so far reach, and when the next one may be made."""
    reach = max(paced_to or now, now) + _GAP
    return reach, max(now, reach - _BURST * _GAP)
