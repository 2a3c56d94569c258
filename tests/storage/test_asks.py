"""Drafts that staff ask for, as rows; and what the sidebar reads of other tables."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.lead import Evidence, Need, Signal
from bot.storage.db import Database
from bot.storage.leads import Opening
from bot.storage.retention import Retention
from bot.storage.tables import conversations
from tests.make import ACCOUNT, CHAT, CUSTOMER, MINUTE, NOON, OWNER


async def test_an_ask_is_taken_once_and_told_once(database: Database) -> None:
    async with database.begin() as tx:
        number = await tx.asks.put(by=OWNER, customer=CUSTOMER, chat="", question="几点", now=NOON)
        assert await tx.asks.count(OWNER, NOON) == 1
        assert await tx.asks.count(OWNER, NOON + MINUTE) == 0
        assert await tx.due() == {"asks": NOON}
    async with database.begin() as tx:
        (ask,) = await tx.asks.claim(NOON)
        assert (ask.id, ask.state, ask.by) == (number, "waiting", OWNER)
        assert await tx.asks.claim(NOON) == []
    async with database.begin() as tx:
        (late,) = await tx.asks.claim(NOON + 2 * MINUTE)
        assert not await tx.asks.settle(ask, "none", words="x"), "another has it by now"
        assert await tx.asks.settle(late, "ready", draft=7)
        assert not await tx.asks.settle(late, "none"), "it is over"
    async with database.read() as tx:
        found = await tx.asks.get(number)
        assert found is not None
        assert (found.state, found.draft, found.words) == ("ready", 7, "")
        assert await tx.asks.get(number + 1) is None
        assert await tx.due() == {}


async def test_old_asks_go_and_waiting_ones_stay(database: Database) -> None:
    old = NOON - timedelta(days=40)
    async with database.begin() as tx:
        for _ in range(2):
            await tx.asks.put(by=OWNER, customer=CUSTOMER, chat="", question="几点", now=old)
        (ask,) = await tx.asks.claim(old)
        await tx.asks.settle(ask, "none", words="没有")
    async with database.begin() as tx:
        swept = await Retention(tx.connection).sweep("asks", NOON - timedelta(days=30), 0)
    assert swept.removed == 1


async def test_leads_of_a_team_a_pool_and_a_group_come_by_their_time(database: Database) -> None:
    async with database.begin() as tx:
        numbers = []
        for order, (rm, branch, chat) in enumerate(
            ((OWNER, "b01", ""), ("", "b01", CHAT), ("", "b02", ""), ("zhoulan", "b01", CHAT))
        ):
            said = Evidence(quote="想问", at=NOON - order * MINUTE, source="微信客服")
            signal = Signal(customer=f"wm{order}", need=Need.SERVICE, evidence=said, chat=chat)  # type: ignore[arg-type]
            opening = Opening(rm=rm, branch=branch)  # type: ignore[arg-type]
            lead, _ = await tx.leads.open(signal, opening, NOON)
            numbers.append(lead.id)
    own, pooled, elsewhere, other = numbers
    async with database.read() as tx:

        async def ids(*holders: str, pools: tuple[str, ...] = (), limit: int = 9) -> list[int]:
            found = await tx.workbench.leads_of(holders, pools=pools, limit=limit)
            return [lead.id for lead in found]

        assert await ids(OWNER) == [own]
        assert await ids(OWNER, pools=("b01",)) == [pooled, own]
        assert await ids(OWNER, "zhoulan", pools=("b01", "b02"), limit=3) == [
            other,
            elsewhere,
            pooled,
        ]
        assert await ids() == []
        assert [lead.id for lead in await tx.workbench.leads_in(CHAT, limit=9)] == [other, pooled]


async def test_who_spoke_and_who_serves(database: Database) -> None:
    async with database.begin() as tx:
        assert not await tx.workbench.ever_heard(CHAT)
        await tx.conversations.add_turn(CHAT, "wmA", "好", NOON - MINUTE)
        await tx.conversations.add_turn(CHAT, "wmB", "好", NOON)
        await tx.conversations.add_turn(CHAT, "wmB", "好", NOON)
        assert await tx.workbench.serving(CUSTOMER) == ""
        row = {"customer": CUSTOMER, "account": ACCOUNT, "state": 3, "servicer": OWNER, "sent": 0}
        await tx.connection.execute(conversations.insert().values(**row))
    async with database.read() as tx:
        assert await tx.workbench.ever_heard(CHAT)
        assert await tx.workbench.speakers(CHAT, NOON) == {"wmB"}
        assert await tx.workbench.speakers(CHAT, NOON - MINUTE) == {"wmA", "wmB"}
        assert await tx.workbench.serving(CUSTOMER) == OWNER
        assert await tx.workbench.drafts_waiting(OWNER) == []
        assert await tx.workbench.names(["wmA"]) == {}
