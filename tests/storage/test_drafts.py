"""Drafts as rows: who asked, what was said in their place, until when they wait."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.draft import LIVES_FOR, Asker, Draft
from bot.storage.db import Database, Tx
from tests.make import CHAT, CUSTOMER, NOON, OWNER

MINUTE = timedelta(minutes=1)
ASKER = Asker(id=CUSTOMER, name="王女士")


async def put(tx: Tx, key: str, at: datetime = NOON, owner: str = OWNER) -> Draft:
    draft = await tx.drafts.add(
        key=key,
        chat=CHAT,
        owner=owner,
        asker=ASKER,
        question="几点开门",
        text="九点",
        citations=(),
        now=at,
    )
    assert draft is not None
    return draft


async def test_who_asks_the_same_is_added(database: Database) -> None:
    async with database.begin() as tx:
        draft = await put(tx, "draft:1")
        assert [one.name for one in draft.askers] == ["王女士"]
        await tx.drafts.join(draft, Asker(id="wm2", name="李先生"))
    async with database.read() as tx:
        (found,) = await tx.drafts.since(CHAT, NOON)
        assert found.names == "王女士、李先生"


async def test_a_press_is_corrected_once_by_what_was_said(database: Database) -> None:
    async with database.begin() as tx:
        draft = (await put(tx, "draft:1")).id
        assert await tx.drafts.settle(draft, "sent", NOON)
        assert not await tx.drafts.settle(draft, "edited", NOON, said="九点半")
        assert [one.id for one in await tx.drafts.unseen(CHAT, NOON, NOON)] == [draft]
        assert await tx.drafts.unseen(CHAT, NOON, NOON + MINUTE) == []
        assert await tx.drafts.settle(draft, "edited", NOON, said="九点半", marked=True)
        assert not await tx.drafts.settle(draft, "sent", NOON, said="九点", marked=True)
        assert await tx.drafts.unseen(CHAT, NOON, NOON) == []
        assert await tx.drafts.was_sent(CHAT, CUSTOMER, NOON)


async def test_what_waited_for_its_time_is_taken_once(database: Database) -> None:
    async with database.begin() as tx:
        old, used = await put(tx, "draft:1"), await put(tx, "draft:2")
        await put(tx, "draft:3", NOON + MINUTE)
        await tx.drafts.settle(used.id, "sent", NOON)
        assert await tx.due() == {"drafts": NOON + LIVES_FOR}
    async with database.begin() as tx:
        assert [one.id for one in await tx.drafts.claim_old(NOON + LIVES_FOR)] == [old.id]
        assert await tx.drafts.claim_old(NOON + LIVES_FOR) == []
        assert await tx.drafts.settle(old.id, "expired", NOON + LIVES_FOR)


async def test_drafts_are_counted_for_each_owner_by_how_their_key_begins(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await put(tx, "ask:1", owner="li.min")
        await put(tx, "ask:2", owner="li.min")
        await put(tx, "ask:3", NOON - MINUTE, owner="li.min")
        await put(tx, "asking", owner="li.min")
        await put(tx, "ask:4", owner="wang.haoran")
    async with database.read() as tx:
        assert await tx.drafts.made_by_key("ask:", {"li.min", "nobody"}, NOON) == {"li.min": 2}
        assert await tx.drafts.made_by_key("ask:", set(), NOON) == {}
        assert await tx.drafts.of_key("ask:5") is None
