"""Takes in what the bank's own systems tell of customers, a chunk in each transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import TypeVar

from bot.domain.happening import Happened
from bot.domain.subject import Raw
from bot.storage.db import Database
from bot.workers.content import StoredVersions
from bot.workers.happenings import Happenings

_CHUNK = 500  # with the question to every script two rows each
_BREATH_S = 0.002  # in which whoever waits to write gets the database
T = TypeVar("T")


async def take_facts(
    database: Database,
    rows: Iterable[tuple[str, Mapping[str, Raw | None]]],
    as_of: datetime,
    now: datetime,
    *,
    by: str,
) -> int:
    """Merge customers' data and have scripts asked about them; return how many changed."""
    changed = given = 0
    for chunk in _chunks(rows):
        async with database.begin() as tx:
            changed += await tx.facts.put(chunk, as_of)
            await tx.admissions.ask([customer for customer, _ in chunk], "customer", now)
        given += len(chunk)
        await asyncio.sleep(_BREATH_S)
    async with database.begin() as tx:
        told = {"rows": given, "changed": changed, "as_of": as_of.isoformat(), "by": by}
        await tx.ledger.add("facts_imported", "", now, **told)
    return changed


async def take_events(
    database: Database, rows: Iterable[Happened], now: datetime, *, by: str
) -> int:
    """Tell every run and script of events; return how many were not known before."""
    new = given = 0
    happenings = Happenings(StoredVersions().script)
    for chunk in _chunks(rows):
        async with database.begin() as tx:
            known = await tx.occurrences.known([one.key for one in chunk])
            fresh = [one for one in chunk if one.key not in known]
            await happenings.tell(tx, fresh, now)
        new += len(fresh)
        given += len(chunk)
        await asyncio.sleep(_BREATH_S)
    async with database.begin() as tx:
        await tx.ledger.add("events_imported", "", now, rows=given, new=new, by=by)
    return new


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk
