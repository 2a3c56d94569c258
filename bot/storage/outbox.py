"""What is to leave, what left, and what became of it. Nothing is sent except from here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import Terms
from bot.domain.messages import CHANNEL_OF, POLICIES, Outbound
from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import buckets, outbox

_OUTBOUND: TypeAdapter[Any] = TypeAdapter(Outbound, config=ConfigDict(hide_input_in_errors=True))
_RATE_A_SECOND = 10_000 / 60  # wecom_protocol §1.2: per corp and API
_CAPACITY = 500.0
_RESERVE = 0.2  # kept for answers to customers


@dataclass(frozen=True, slots=True)
class Envelope:
    """A claimed message; ``was_sending`` tells that a worker died or timed out while sending."""

    id: int
    attempt: int
    key: str
    channel: str
    policy: str
    message: Outbound
    terms: Terms
    was_sending: bool
    created_at: datetime


class Outbox:
    """Rows with a key, a policy and a lane."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(
        self,
        key: str,
        message: Outbound,
        terms: Terms,
        now: datetime,
        *,
        lane: str = "",
        due_at: datetime | None = None,
    ) -> bool:
        """Add a message; False where one of this key was ever added before."""
        row = {
            "key": key,
            "channel": CHANNEL_OF[message.kind],
            "policy": POLICIES[message.kind].value,
            "lane": lane or key,
            "bucket": message.kind,
            "urgent": terms.purpose in ("answer", "notice") or terms.urgent,
            "body": _OUTBOUND.dump_python(message, mode="json"),
            "facts": terms.model_dump(mode="json"),
            "state": "ready",
            "created_at": now,
            "due_at": due_at or now,
            "attempt": 0,
        }
        return bool(await insert_new(self._connection, outbox, [row]))

    async def claim(
        self, now: datetime, *, limit: int = 10, lease: timedelta = timedelta(seconds=120)
    ) -> list[Envelope]:
        """Take due messages whose API has room; answers to customers go first."""
        sending = select(outbox.c.id).where(outbox.c.state == "sending", outbox.c.due_at <= now)
        was_sending = {row.id for row in await self._connection.execute(sending)}
        statement = work.claim_statement(outbox, state="sending", in_lanes=True, more=("urgent",))
        rows: list[Any] = []
        for urgent in (True, False):
            due = await work.claim(
                self._connection, statement, now, lease=lease, limit=limit, urgent=urgent
            )
            if rows := await self._within_rates(due, was_sending, now):
                break
        return [
            Envelope(
                id=row.id,
                attempt=row.attempt,
                key=row.key,
                channel=row.channel,
                policy=row.policy,
                message=_OUTBOUND.validate_python(row.body),
                terms=Terms.model_validate(row.facts),
                was_sending=row.id in was_sending,
                created_at=row.created_at,
            )
            for row in rows
        ]

    async def _within_rates(
        self, rows: list[Any], was_sending: set[int], now: datetime
    ) -> list[Any]:
        """Take a token for each row; put back what there is no token for."""
        granted = []
        wanted: dict[str, list[Any]] = {}
        for row in rows:
            wanted.setdefault(row.bucket, []).append(row)
        for name in sorted(wanted):  # always in one order, so that two workers never wait in a ring
            of_bucket = wanted[name]
            tokens, again = await self._tokens(name, now)
            room = tokens if of_bucket[0].urgent else tokens - _CAPACITY * _RESERVE
            fits = max(0, min(len(of_bucket), int(room)))
            granted += of_bucket[:fits]
            if fits:
                await self._connection.execute(
                    update(buckets)
                    .where(buckets.c.name == name)
                    .values(tokens=tokens - fits, filled_at=now)
                )
            for row in of_bucket[fits:]:
                unsure = row.id in was_sending
                await self.put_back(row.id, row.attempt, again, "rate", unsure=unsure)
        return sorted(granted, key=lambda row: int(row.id))

    async def _tokens(self, name: str, now: datetime) -> tuple[float, datetime]:
        """Return a bucket's tokens, and when to look again if they are too few."""
        again = now + timedelta(seconds=1)
        row = (
            await self._connection.execute(
                select(buckets).where(buckets.c.name == name).with_for_update()
            )
        ).one_or_none()
        if row is None:
            fresh = {"name": name, "tokens": _CAPACITY, "filled_at": now}
            await insert_new(self._connection, buckets, [fresh])
            return _CAPACITY, again
        if row.blocked_until is not None and row.blocked_until > now:
            return 0.0, row.blocked_until
        seconds = max(0.0, (now - row.filled_at).total_seconds())
        return min(_CAPACITY, row.tokens + seconds * _RATE_A_SECOND), again

    async def block(self, name: str, until: datetime, now: datetime) -> None:
        """Stop using an API until WeCom's limit is over (45009)."""
        await insert_new(
            self._connection, buckets, [{"name": name, "tokens": 0.0, "filled_at": now}]
        )
        await self._connection.execute(
            update(buckets).where(buckets.c.name == name).values(blocked_until=until)
        )

    async def settle(
        self,
        row_id: int,
        attempt: int,
        state: str,
        now: datetime,
        *,
        reason: str = "",
        ref: str = "",
    ) -> bool:
        """Write the end of a message: sent, skipped, failed or unknown."""
        return await work.finish(
            self._connection,
            outbox,
            row_id,
            attempt,
            state=state,
            reason=reason,
            ref=ref,
            settled_at=now,
        )

    async def hold(
        self, row_id: int, attempt: int, until: datetime, reason: str, *, unsure: bool = False
    ) -> None:
        """Try again later; ``unsure`` remembers that it may have arrived already."""
        await self._rest(row_id, attempt, until, reason, unsure)

    async def put_back(
        self, row_id: int, attempt: int, until: datetime, reason: str, *, unsure: bool = False
    ) -> None:
        """Undo a claim of this very transaction: it was not the row's turn, so no try is spent."""
        spent = outbox.c.attempt - 1
        await self._rest(row_id, attempt, until, reason, unsure, attempt=spent)

    async def _rest(
        self,
        row_id: int,
        mine: int,
        until: datetime,
        reason: str,
        unsure: bool,
        **values: Any,
    ) -> None:
        state = "sending" if unsure else "ready"
        await work.finish(
            self._connection,
            outbox,
            row_id,
            mine,
            due_at=until,
            state=state,
            reason=reason,
            **values,
        )

    async def void(self, keys: Iterable[str], reason: str, now: datetime) -> int:
        """Take back messages that have not begun to leave."""
        result = await self._connection.execute(
            update(outbox)
            .where(outbox.c.key.in_(list(keys)), outbox.c.state == "ready")
            .values(state="void", reason=reason, due_at=None, settled_at=now)
        )
        return int(result.rowcount)

    async def state_of(self, key: str) -> tuple[str, str, str] | None:
        """Return (state, reason, ref) of a message."""
        row = (
            await self._connection.execute(
                select(outbox.c.state, outbox.c.reason, outbox.c.ref).where(outbox.c.key == key)
            )
        ).one_or_none()
        return None if row is None else (row.state, row.reason, row.ref)

    async def fail_by_ref(self, ref: str, reason: str, now: datetime) -> None:
        """Settle a message the other way that WeCom had accepted and then could not deliver."""
        await self._connection.execute(
            update(outbox)
            .where(outbox.c.ref == ref, outbox.c.state == "sent")
            .values(state="failed", reason=reason, settled_at=now)
        )

    async def counts(self) -> dict[str, int]:
        """Return how many messages are in each state."""
        rows = await self._connection.execute(
            select(outbox.c.state, func.count()).group_by(outbox.c.state)
        )
        return {row[0]: row[1] for row in rows}
