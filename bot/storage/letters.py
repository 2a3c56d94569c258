"""Many messages into the outbox, and many entries into the ledger, in one statement each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import Terms
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
    urgent: bool
    body: str
    facts: str


Entry = tuple[str, str, Mapping[str, Any]]
"""What happened, to whom, and the facts of it, in words that hold no personal data."""

_to_json = json.JSONEncoder(ensure_ascii=False).encode
_OUTBOX = (*Letter._fields, "state", "created_at", "due_at", "attempt")
_LEDGER = ("at", "kind", "subject", "facts")


def seal(key: str, message: Outbound, terms: Terms) -> Letter:
    """Return a message with its key and the terms on which it may leave, ready to be stored."""
    return Letter(
        key=key,
        channel=CHANNEL_OF[message.kind],
        policy=POLICIES[message.kind].value,
        lane=lane_of(message, key),
        bucket=message.kind,
        urgent=is_urgent(message, terms),
        body=message.model_dump_json(),
        facts=terms.model_dump_json(),
    )


async def put_many(connection: AsyncConnection, letters: Sequence[Letter], now: datetime) -> int:
    """Add messages to the outbox as ``Outbox.put`` does; return how many keys were new."""
    rows = [(*letter, "ready", now, now, 0) for letter in letters]
    return await insert_rows(connection, outbox, _OUTBOX, rows)


async def add_entries(connection: AsyncConnection, entries: Sequence[Entry], at: datetime) -> None:
    """Add entries to the ledger as ``Ledger.add`` does, in their order."""
    rows = [(at, kind, subject, _to_json(facts)) for kind, subject, facts in entries]
    await insert_rows(connection, ledger, _LEDGER, rows)
