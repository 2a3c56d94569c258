"""What is to leave, what left, and what became of it. Nothing is sent except from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.batches import batch_of
from bot.domain.delivery import Terms
from bot.domain.merging import MEMBER, member_batch
from bot.domain.messages import CHANNEL_OF, POLICIES, URGENT_KINDS, KfHandover, KfReply, Outbound
from bot.log import logger
from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import outbox

log = logger(__name__)
LEASE = timedelta(seconds=120)  # well above the longest a send may take: see the sender
QUEUED, STOPPED = "rate", "stopped"  # reasons for which a message waits
_CHUNK = 2000
_OUTBOUND: TypeAdapter[Any] = TypeAdapter(Outbound, config=ConfigDict(hide_input_in_errors=True))


@dataclass(frozen=True, slots=True)
class Envelope:
    """A claimed message; ``tried_at`` tells since when it may have left already, if it may."""

    id: int
    attempt: int
    key: str
    channel: str
    policy: str
    message: Outbound
    terms: Terms
    batch: str
    urgent: bool
    reason: str
    created_at: datetime
    tried_at: datetime | None

    @property
    def was_sending(self) -> bool:
        """Tell that a worker died or timed out while sending it."""
        return self.tried_at is not None


def lane_of(message: Outbound, key: str) -> str:
    """Return the lane of a message for which none was named.

    Everything said to one customer shares one: the five messages (wecom_protocol §4.5) are then
    counted one after the other. A script's own words do not: an answer never waits behind them.
    """
    match message:
        case KfReply() | KfHandover():
            return f"kf:{message.customer}"
        case _:
            return key


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
        # Messages of a lane leave one after the other, so only what has its own may join others.
        batch = "" if lane else batch_of(message, terms) or member_batch(message, terms)
        row = {
            "key": key,
            "channel": CHANNEL_OF[message.kind],
            "policy": POLICIES[message.kind].value,
            "lane": lane or lane_of(message, key),
            "bucket": message.kind,
            "batch": batch,
            "urgent": is_urgent(message, terms),
            "body": _OUTBOUND.dump_python(message, mode="json"),
            "facts": terms.model_dump(mode="json"),
            "state": "ready",
            "created_at": now,
            "due_at": due_at or now,
            "attempt": 0,
        }
        return bool(await insert_new(self._connection, outbox, [row]))

    async def claim(
        self,
        now: datetime,
        *,
        limit: int = 10,
        urgent: bool,
        lease: timedelta = LEASE,
        without: tuple[str, ...] = (),
    ) -> list[Envelope]:
        """Take due messages, the first of each lane; one that nobody can read is buried.

        ``without`` names channels that only another process can send by.
        """
        statement = work.claim_statement(
            outbox, state="sending", in_lanes=True, more=("urgent",), without=without
        )
        rows = await work.claim(
            self._connection, statement, now, lease=lease, limit=limit, urgent=urgent
        )
        return await self.read(rows, now)

    async def claim_past_others(
        self, kind: str, now: datetime, *, limit: int = 10, lease: timedelta = LEASE
    ) -> list[Envelope]:
        """Take due messages of one kind, even where something before them in their lane waits."""
        statement = work.claim_statement(
            outbox, state="sending", in_lanes=True, more=("bucket",), past_waiting=True
        )
        rows = await work.claim(
            self._connection, statement, now, lease=lease, limit=limit, bucket=kind
        )
        return await self.read(rows, now)

    async def read(self, rows: Sequence[Row[Any]], now: datetime) -> list[Envelope]:
        """Return claimed rows as messages; one that nobody can read is buried."""
        envelopes = []
        for row in rows:
            try:
                envelopes.append(read_row(row))
            except ValidationError as error:  # one row that nobody can read stops only itself
                log.error("message_not_read", key=row.key, kind=row.bucket)
                what = error.errors(include_input=False, include_url=False)[0]
                reason = f"unreadable: {what['type']} {'.'.join(map(str, what['loc']))}"
                await self.settle(row.id, row.attempt, "dead", now, reason=reason[:160])
        return envelopes

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
        """Write the end of a message: sent, skipped, failed, dead or unknown."""
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
    ) -> bool:
        """Try again later; ``unsure`` remembers that it may have arrived already."""
        return await self._rest(row_id, attempt, until, reason, unsure)

    async def put_back(self, envelope: Envelope, until: datetime, reason: str) -> bool:
        """Undo a claim in its own transaction: it was not the row's turn, so no try is spent."""
        spent = envelope.attempt - 1
        unsure = envelope.was_sending
        return await self._rest(envelope.id, envelope.attempt, until, reason, unsure, attempt=spent)

    async def _rest(
        self,
        row_id: int,
        mine: int,
        until: datetime,
        reason: str,
        unsure: bool,
        **values: Any,
    ) -> bool:
        state = "sending" if unsure else "ready"
        if not unsure:
            values["tried_at"] = None
        return await work.finish(
            self._connection,
            outbox,
            row_id,
            mine,
            due_at=until,
            state=state,
            reason=reason[:160],
            **values,
        )

    async def wake(self, reason: str, kinds: Iterable[str], now: datetime) -> int:
        """Make due at once up to 2,000 messages that wait for a reason; return how many."""
        waiting = (
            select(outbox.c.id)
            .where(
                outbox.c.reason == reason,
                outbox.c.due_at > now,
                outbox.c.holder == "",  # what is just being sent was woken before
                outbox.c.bucket.in_(list(kinds)),
            )
            .limit(_CHUNK)
        )
        result = await self._connection.execute(
            update(outbox).where(outbox.c.id.in_(waiting)).values(due_at=now)
        )
        return int(result.rowcount)

    async def waiting(self, kinds: Iterable[str]) -> int:
        """Count the messages of some kinds that have not left."""
        statement = select(func.count()).where(
            outbox.c.due_at.is_not(None), outbox.c.bucket.in_(list(kinds))
        )
        return int((await self._connection.execute(statement)).scalar_one())

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

    async def counts(self) -> dict[str, int]:
        """Return how many messages are in each state."""
        rows = await self._connection.execute(
            select(outbox.c.state, func.count()).group_by(outbox.c.state)
        )
        return {row[0]: row[1] for row in rows}


def is_urgent(message: Outbound, terms: Terms) -> bool:
    """Tell whether a message goes before what can wait."""
    spoken = terms.purpose in ("answer", "notice", "handover")
    return spoken or terms.urgent or message.kind in URGENT_KINDS


def read_row(row: Row[Any]) -> Envelope:
    """Return a stored message; raise ``ValidationError`` where nobody can read it."""
    message = _OUTBOUND.validate_python(row.body)
    terms = Terms.model_validate(row.facts)
    return Envelope(
        id=row.id,
        attempt=row.attempt,
        key=row.key,
        channel=row.channel,
        policy=row.policy,
        message=message,
        terms=terms,
        batch="" if row.batch.startswith(MEMBER) else row.batch,  # in no call with others
        urgent=row.urgent,
        reason=row.reason,
        created_at=row.created_at,
        tried_at=row.tried_at,
    )
