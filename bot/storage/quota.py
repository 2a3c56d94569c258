"""The shared contact ledger: which places of which subject are taken, and which are planned."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.quota import LEARNT, PERSONAL, Slot, slot_of
from bot.storage.bulk import among, insert_rows, update_rows
from bot.storage.tables import Moment, quota

_COLUMNS = ("subject", "class", "key", "at", "priority", "state", "source")
_SLOT = tuple(quota.c["class" if name == "kind" else name] for name in Slot._fields)


class QuotaRow(NamedTuple):
    """A place for one subject; ``key`` is its step's (``slot_key``)."""

    subject: str
    kind: str
    key: str
    at: datetime
    priority: int = 0


class Quota:
    """Places by subject and class.

    A place is planned when its step is put on a day, used once the gate lets the step leave, and
    gone where the step ends unsent. Whoever uses places holds the subjects' rows meanwhile
    (``Buckets.hold``), so that two senders never take the same last place.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def place_many(self, rows: Sequence[QuotaRow]) -> None:
        """Plan places; one that is planned already moves, one that is used stays as it is."""
        moved = [(row.at, row.priority, row.key, row.kind, "planned") for row in rows]
        by = ("key", "class", "state")
        await update_rows(self._connection, quota, by, ("at", "priority"), moved)
        await self._insert(rows, "planned", "")

    async def use_many(self, rows: Sequence[QuotaRow]) -> None:
        """Take places, those that nobody planned too; a used one moves to its new moment."""
        taken = [(row.at, row.priority, "used", row.key, row.kind) for row in rows]
        columns = ("at", "priority", "state")
        await update_rows(self._connection, quota, ("key", "class"), columns, taken)
        await self._insert(rows, "used", "")

    async def confirm_many(self, keys: Sequence[tuple[str, datetime]]) -> None:
        """Write when what took places was really sent; what has none is left without."""
        rows = [(at, key, "used") for key, at in keys]
        await update_rows(self._connection, quota, ("key", "state"), ("at",), rows)

    async def plan_again(self, keys: Iterable[str], at: datetime) -> None:
        """Turn used places back into planned ones at a moment: what took them did not leave."""
        statement = (
            update(quota)
            .where(among(quota.c.key, self._on_sqlite), quota.c.state == "used")
            .values(state="planned", at=at)
        )
        await self._connection.execute(statement, {"among": sorted(set(keys))})

    async def release_many(self, keys: Iterable[str]) -> None:
        """Give back what was planned or taken under these keys: nothing was sent."""
        statement = delete(quota).where(among(quota.c.key, self._on_sqlite))
        await self._connection.execute(statement, {"among": sorted(set(keys))})

    async def release(self, send_key: str) -> None:
        """Give back what a message took."""
        await self.release_many([slot_of(send_key)])

    async def slots_of(
        self, subjects: Collection[str], since: datetime, until: datetime
    ) -> dict[str, list[Slot]]:
        """Return every place of these subjects in ``[since, until)``, planned ones too."""
        found: dict[str, list[Slot]] = {subject: [] for subject in subjects}
        if found:
            given = {"among": sorted(found), "since": since, "until": until}
            rows = await self._connection.execute(_slots(self._on_sqlite), given)
            for subject, *slot in rows:
                found[subject].append(Slot(*slot))
        return found

    async def put_personal(self, rows: Sequence[QuotaRow]) -> int:
        """Write what people sent themselves; what is known already is passed over."""
        return await self._insert(rows, "used", PERSONAL)

    async def learn_full(self, rows: Sequence[QuotaRow]) -> None:
        """Write that WeCom lets no more reach these subjects (status 3, wecom_protocol §5.7)."""
        await self._insert(rows, "used", LEARNT)

    async def _insert(self, rows: Sequence[QuotaRow], state: str, source: str) -> int:
        values = [(*row, state, source) for row in rows]
        return await insert_rows(self._connection, quota, _COLUMNS, values)


@lru_cache(maxsize=2)
def _slots(on_sqlite: bool) -> Select[Any]:
    return select(quota.c.subject, *_SLOT).where(
        among(quota.c.subject, on_sqlite),
        quota.c.at >= bindparam("since", type_=Moment),
        quota.c.at < bindparam("until", type_=Moment),
    )
