"""What a JSON column holds comes back, also half of a character that some phone has sent."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from bot.storage.db import Database
from bot.storage.tables import ledger
from tests.make import NOON


@pytest.mark.parametrize(
    "facts",
    [{}, {"数": 2**63 - 1, "比": 0.1, "无": None, "列": [True, "a\\b"]}, {"话": "好\ud83d"}],
)
async def test_facts_come_back_as_they_were(
    database: Database, backend: str, facts: dict[str, Any]
) -> None:
    if backend == "postgresql" and "话" in facts:
        facts = {"话": "好"}  # PostgreSQL itself refuses half a character
    async with database.begin() as tx:
        await tx.ledger.add("tried", "wm1", NOON, **facts)
    async with database.read() as tx:
        rows = await tx.connection.execute(select(ledger.c.facts))
        assert rows.scalar_one() == facts
