"""Trouble told in words that nobody foresaw brings a person all the same."""

from __future__ import annotations

from sqlalchemy import select

from bot.answering.red_flags import red_flag
from bot.storage.tables import ledger
from tests.journeys.town import Life
from tests.probes.test_meaning import UNFORESEEN


async def test_trouble_that_only_the_meaning_tells_calls_a_person(life: Life) -> None:
    assert red_flag(UNFORESEEN) is None
    (answer,) = await life.asks(UNFORESEEN)
    assert "110" in answer
    (lead,) = await life.leads()
    assert lead.need.value == "红线"
    assert life.state() == 3
    async with life.demo.bot.database.read() as tx:
        query = select(ledger.c.facts).where(ledger.c.kind == "answer_red_flag")
        ((facts,),) = (await tx.connection.execute(query)).all()
    assert facts["reason"] == "被骗:meaning"
