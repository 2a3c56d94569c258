"""Many messages into the outbox, and many entries into the ledger, in one statement each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic_core import to_json as _to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.batches import batch_of
from bot.domain.delivery import Terms
from bot.domain.merging import MEMBER, member_batch
from bot.domain.messages import CHANNEL_OF, POLICIES, Outbound
from bot.storage.bulk import insert_rows
from bot.storage.outbox import is_urgent, lane_of
from bot.storage.tables import ledger, outbox


class Letter(NamedTuple):
    """A message as it lies in the outbox: ``seal`` makes it."""

    key: str
    channel: str
    policy: str
    lane: str
    bucket: str
    batch: str
    urgent: bool
    body: str
    facts: str


# What is written together with others of its batch is not due before they are all there.
GATHERED_FOR = timedelta(seconds=10)
Entry = tuple[str, str, Mapping[str, Any] | str]
"""What happened, to whom, and the facts of it, in words that hold no personal data; or as JSON."""

_OUTBOX = (*Letter._fields, "state", "created_at", "due_at", "attempt")
_LEDGER = ("at", "kind", "subject", "facts")


def to_json(facts: object) -> str:
    """Return facts as the text of a JSON column; the standard library takes five times as long."""
    return _to_json(facts).decode()


def seal(key: str, message: Outbound, terms: Terms) -> Letter:
    """Return a message with its key and the terms on which it may leave, ready to be stored."""
    return Letter(
        key=key,
        channel=CHANNEL_OF[message.kind],
        policy=POLICIES[message.kind].value,
        lane=lane_of(message, key),
        bucket=message.kind,
        batch=batch_of(message, terms) or member_batch(message, terms),
        urgent=is_urgent(message, terms),
        body=message.model_dump_json(),
        facts=terms.model_dump_json(exclude_defaults=True),
    )


async def put_many(connection: AsyncConnection, letters: Sequence[Letter], now: datetime) -> int:
    """Add messages to the outbox as ``Outbox.put`` does; return how many keys were new.

    Those of a batch are due a few seconds later: a wave of runs is written piece by piece, and
    what it sends by one sender leaves in one call.
    """
    later = now + GATHERED_FOR
    rows = [(*one, "ready", now, later if _gathered(one) else now, 0) for one in letters]
    return await insert_rows(connection, outbox, _OUTBOX, rows)


def _gathered(letter: Letter) -> bool:
    return bool(letter.batch) and not letter.batch.startswith(MEMBER)


async def add_entries(connection: AsyncConnection, entries: Sequence[Entry], at: datetime) -> None:
    """Add entries to the ledger as ``Ledger.add`` does, in their order."""
    rows = [
        (at, kind, subject, facts if isinstance(facts, str) else to_json(facts))
        for kind, subject, facts in entries
    ]
    await insert_rows(connection, ledger, _LEDGER, rows)
