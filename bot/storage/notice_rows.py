"""How callbacks are stored: one statement for all that arrived together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.domain.events import Notice
from bot.storage.tables.columns import microseconds

# One step of SQLite for the whole batch: between steps its thread would have to win the
# interpreter back from the event loop, which costs more than the insert.
_SQLITE = """\
INSERT INTO notices ("key", channel, lane, body, received_at, due_at, attempt)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
       json_extract(value, '$[3]'), ?, ?, 0
FROM json_each(?) WHERE true ON CONFLICT DO NOTHING
"""
_POSTGRESQL = """\
INSERT INTO notices ("key", channel, lane, body, received_at, due_at, attempt)
SELECT new.*, $5::bigint, $5::bigint, 0
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS new
ON CONFLICT DO NOTHING
"""


def insert_notices(
    items: Sequence[Notice], now: datetime, on_sqlite: bool
) -> tuple[str, tuple[Any, ...]]:
    """Return a statement that stores callbacks, passing over known keys, and its values.

    A NUL is left out of the words, for neither database keeps it; XML forbids it anyway.
    """
    rows = [(item.key, item.channel, item.lane, item.body.replace("\0", "")) for item in items]
    if on_sqlite:
        at = microseconds(now)
        return _SQLITE, (at, at, json.dumps(rows, ensure_ascii=False))
    columns = [list(column) for column in zip(*rows, strict=True)]
    return _POSTGRESQL, (*columns, microseconds(now))
