"""Messages that leave in one call: claimed together, and written together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement, Integer, String, Update, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.storage import work
from bot.storage.bulk import among
from bot.storage.outbox import LEASE, Envelope, Outbox
from bot.storage.tables import Moment, doubts, outbox

_READY, _SENDING = "ready", "sending"


class Parcels:
    """Whole batches of the outbox; each row is fenced by its own attempt, as it is alone."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def join(
        self, lead: Envelope, now: datetime, *, limit: int, lease: timedelta = LEASE
    ) -> list[Envelope]:
        """Claim what is due of a claimed message's batch, the rows that were claimed first apart.

        Beside a message that may have left already come those that were in the same call, and
        beside one that surely did not come only such as never were in any.
        """
        values: dict[str, Any] = {"batch": lead.batch}
        if lead.was_sending:
            values["tried"] = lead.tried_at
        statement = _join(lead.was_sending)
        rows = await work.claim(
            self._connection, statement, now, lease=lease, limit=limit, **values
        )
        return await Outbox(self._connection).read(rows, now)

    async def mark_leaving(self, envelopes: Iterable[Envelope], now: datetime) -> None:
        """Write that from now on these may have left; a later claim finds them so."""
        fresh = [one.id for one in envelopes if not one.was_sending]
        await self._change(fresh, None, tried_at=now)

    async def settle(
        self,
        envelopes: Sequence[Envelope],
        state: str,
        now: datetime,
        *,
        reason: str = "",
        ref: str = "",
    ) -> list[Envelope]:
        """Write one end of several messages; return those that nobody else had taken since."""
        values = {"state": state, "reason": reason[:160], "ref": ref, "settled_at": now}
        return await self._finish(envelopes, due_at=None, **values)

    async def hold(
        self,
        envelopes: Sequence[Envelope],
        until: datetime,
        reason: str,
        *,
        unsure: bool,
        batch: str | None = None,
    ) -> list[Envelope]:
        """Try several messages again later; ``batch`` is their new one, if they get another."""
        values: dict[str, Any] = {"state": _SENDING if unsure else _READY, "reason": reason[:160]}
        if not unsure:
            values["tried_at"] = None
        if batch is not None:
            values["batch"] = batch
        return await self._finish(envelopes, due_at=until, **values)

    async def put_back(
        self, envelopes: Sequence[Envelope], until: datetime, reason: str
    ) -> list[Envelope]:
        """Undo claims in their own transaction, for rows that had not begun to leave."""
        values = {"state": _READY, "reason": reason[:160], "tried_at": None}
        return await self._finish(envelopes, due_at=until, attempt=outbox.c.attempt - 1, **values)

    async def _finish(self, envelopes: Sequence[Envelope], **values: Any) -> list[Envelope]:
        by_attempt: dict[int, list[int]] = {}
        for one in envelopes:
            by_attempt.setdefault(one.attempt, []).append(one.id)
        ours: set[int] = set()
        for attempt, ids in by_attempt.items():
            ours.update(await self._change(ids, attempt, holder="", **values))
        return [one for one in envelopes if one.id in ours]

    async def _change(self, ids: Sequence[int], mine: int | None, **values: Any) -> list[int]:
        if not ids:
            return []
        sums = {name: value for name, value in values.items() if isinstance(value, ClauseElement)}
        plain = tuple(name for name in values if name not in sums)
        statement = _change(plain, mine is not None, self._on_sqlite)
        if sums:
            statement = statement.values(**sums)
        given = {"among": list(ids), "mine": mine} | {f"to_{name}": values[name] for name in plain}
        return list((await self._connection.execute(statement, given)).scalars())

    async def under_way(self, envelopes: Sequence[Envelope]) -> bool:
        """Tell whether others of a batch are being sent, or are asked after just now."""
        batch = envelopes[0].batch
        in_hand = select(outbox.c.id).where(
            outbox.c.batch == batch,
            outbox.c.batch != "",
            outbox.c.due_at.is_not(None),
            outbox.c.state == _SENDING,
        )
        in_doubt = (
            select(outbox.c.id)
            .join(doubts, doubts.c.outbox == outbox.c.id)
            .where(doubts.c.due_at.is_not(None), outbox.c.batch == batch)
        )
        found = set((await self._connection.execute(in_hand.union_all(in_doubt))).scalars())
        return not found.issubset(one.id for one in envelopes)

    async def others_of(self, refs: Sequence[str], batch: str) -> frozenset[str]:
        """Return those of WeCom's ids that belong to messages of other batches.

        What has no batch is alone: every id that is known is another's then.
        """
        statement = select(outbox.c.ref).where(outbox.c.ref.in_(list(refs)))
        if batch:
            statement = statement.where(outbox.c.batch != batch)
        return frozenset((await self._connection.execute(statement)).scalars())


@lru_cache(maxsize=64)
def _change(columns: tuple[str, ...], fenced: bool, on_sqlite: bool) -> ReturningUpdate[Any]:
    conditions = [among(outbox.c.id, on_sqlite)]
    if fenced:
        # What is over stays over, even for one who never heard that his commit came through.
        conditions += [outbox.c.attempt == bindparam("mine"), outbox.c.due_at.is_not(None)]
    new = {name: bindparam(f"to_{name}", type_=outbox.c[name].type) for name in columns}
    return update(outbox).where(*conditions).values(new).returning(outbox.c.id)


@lru_cache(maxsize=2)
def _join(was_sending: bool) -> Update:
    state = _SENDING if was_sending else _READY
    conditions = [
        outbox.c.batch == bindparam("is_batch"),
        outbox.c.batch != "",
        outbox.c.due_at <= bindparam("now", type_=Moment),
        outbox.c.state == state,
    ]
    if was_sending:
        conditions.append(outbox.c.tried_at == bindparam("is_tried", type_=Moment))
    picked = (
        select(outbox.c.id)
        .where(*conditions)
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    values = {
        "due_at": bindparam("until", type_=Moment),
        "attempt": outbox.c.attempt + 1,
        "state": _SENDING,
        "holder": bindparam("claimer", type_=String),
    }
    return (
        update(outbox)
        .where(outbox.c.id.in_(select(picked.c.id)))
        .values(**values)
        .returning(outbox)
    )
