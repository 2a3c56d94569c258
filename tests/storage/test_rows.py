"""Leads, people, talks, drafts, quota, versions, ledger and tokens as rows."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.clock import FakeClock
from bot.domain.delivery import Session
from bot.domain.draft import Asker
from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.domain.lead import Lead, Need, Signal, Stage
from bot.domain.people import Customer, GroupChat, GroupMember
from bot.storage.db import Database, Tx
from bot.storage.leads import Opening
from bot.storage.tokens import DatabaseTokens
from tests.make import ACCOUNT, CHAT, CUSTOMER, MINUTE, NOON, OWNER, notice, signal

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COLLEAGUE = RmId("wang.haoran")


async def open_lead(
    tx: Tx, of: Signal, *, rm: RmId = OWNER, stage: Stage = "new"
) -> tuple[Lead, bool]:
    return await tx.leads.open(of, Opening(rm, stage), NOON)


class TestLeads:
    async def test_one_is_open_at_most_for_a_customers_need(self, database: Database) -> None:
        async with database.begin() as tx:
            first, fresh = await open_lead(tx, signal(quote="想了解"))
            again, repeated = await open_lead(tx, signal(quote="怎么买", at=NOON + MINUTE))
            other, another = await open_lead(tx, signal(Need.EVENT))
            assert (fresh, repeated, another) == (True, False, True)
            assert first.id == again.id != other.id
            known = await tx.leads.get(first.id)
        assert known is not None
        assert [item.quote for item in known.evidence] == ["想了解", "怎么买"]
        assert (known.rm, known.stage, known.respond_by) == (OWNER, "new", NOON + 4 * HOUR)

    async def test_a_closed_one_makes_room_for_the_next(self, database: Database) -> None:
        async with database.begin() as tx:
            first, _ = await open_lead(tx, signal())
            await tx.leads.change(first.id, stage="invalid", closed_at=NOON, due_at=None)
            second, fresh = await open_lead(tx, signal(quote="又想了解"))
            assert fresh
            assert second.id != first.id
            assert [item.quote for item in second.evidence] == ["又想了解"]
            assert set(await tx.leads.counts()) == {
                ("理财咨询", "invalid", 1),
                ("理财咨询", "new", 1),
            }

    async def test_two_signals_at_once_open_one(self, database: Database, url: str) -> None:
        other = await Database.open(url, durable=False)

        async def say(mine: Database, quote: str) -> bool:
            async with mine.begin() as tx:
                return (await open_lead(tx, signal(quote=quote)))[1]

        try:
            fresh = await asyncio.gather(say(database, "一"), say(other, "二"))
        finally:
            await other.close()
        assert sorted(fresh) == [False, True]
        async with database.read() as tx:
            (lead,) = await tx.leads.open_for(CUSTOMER)
        assert {item.quote for item in lead.evidence} == {"一", "二"}

    @pytest.mark.parametrize(
        ("first", "second", "fresh", "product"),
        [
            ("", "国债", False, "国债"),
            ("国债", "", False, "国债"),
            ("国债", "国债", False, "国债"),
            ("国债", "基金", True, "基金"),
        ],
    )
    async def test_one_is_open_for_each_class_of_product(
        self, database: Database, first: str, second: str, fresh: bool, product: str
    ) -> None:
        async with database.begin() as tx:
            before, _ = await open_lead(tx, signal(product=first))
            after, is_fresh = await open_lead(tx, signal(product=second, at=NOON + MINUTE))
            assert (is_fresh, after.product) == (fresh, product)
            assert (after.id == before.id) is not fresh

    async def test_those_that_ask_first_are_found_for_their_group(self, database: Database) -> None:
        async with database.begin() as tx:
            asking, _ = await open_lead(tx, signal(ask_first=True), stage="asking")
            await open_lead(tx, signal(Need.EVENT))
            assert [lead.id for lead in await tx.leads.asking(CUSTOMER, CHAT)] == [asking.id]
            assert await tx.leads.asking(CUSTOMER, "wrOther") == []
            assert await tx.leads.asking(CustomerId("wmOther"), CHAT) == []


class TestPeople:
    async def test_what_wecom_says_is_refreshed_and_consent_is_kept(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            await tx.people.put_customer(Customer(id=CUSTOMER, name="李阿姨"), NOON)
            await tx.people.opt_out(CUSTOMER, NOON)
            await tx.people.pause_marketing(CUSTOMER, NOON + DAY)
            await tx.people.tag(CUSTOMER, ["国债提醒"])
            fresh = Customer(id=CUSTOMER, name="李女士", managers=(OWNER,), tags=frozenset({"a"}))
            await tx.people.put_customer(fresh, NOON + HOUR)
            known = await tx.people.customer(CUSTOMER)
            assert known is not None
            assert (known.name, known.managers, known.opted_out_at) == ("李女士", (OWNER,), NOON)
            assert known.refuses_marketing(NOON)
            await tx.people.opt_out(CUSTOMER, None)
            known = await tx.people.customer(CUSTOMER)
            assert known is not None
            assert known.refuses_marketing(NOON + HOUR)
            assert not known.refuses_marketing(NOON + DAY)
            assert await tx.people.seen_at(CUSTOMER) == NOON + HOUR

    async def test_a_group_comes_back_as_it_was_put_in(self, database: Database) -> None:
        group = GroupChat(
            id=GroupChatId("wrA"),
            name="梧桐街银龄安心群1",
            owner=OWNER,
            tags=frozenset({"银龄群"}),
            members=(GroupMember(id="wmLi", name="李"), GroupMember(id=OWNER, staff=True)),
        )
        async with database.begin() as tx:
            await tx.people.mark_group(group.id, NOON)
            ((chat, attempt),) = await tx.people.claim_groups(NOON)
            await tx.people.put_group(group, NOON)
            await tx.people.finish_group(chat, attempt)
            assert await tx.people.group(group.id) == group
            assert [member.id for member in group.customers] == ["wmLi"]
            assert await tx.people.claim_groups(NOON + DAY) == []


class TestTalk:
    async def test_a_session_is_mirrored_and_counts_what_was_sent(self, database: Database) -> None:
        async with database.begin() as tx:
            talk = tx.conversations
            assert await talk.session(CUSTOMER, ACCOUNT) is None
            assert await talk.hold(CUSTOMER, ACCOUNT) == Session()
            told = Session(state=3, servicer=OWNER, last_customer_at=NOON, rejected=True)
            await talk.mirror({(CUSTOMER, ACCOUNT): told})
            await talk.count_sent(CUSTOMER, ACCOUNT)
            await talk.count_sent(CUSTOMER, ACCOUNT)
            expected = told.model_copy(update={"sent": 2})
            assert await talk.hold(CUSTOMER, ACCOUNT) == expected
            assert await talk.session(CUSTOMER, ACCOUNT) == expected

    async def test_the_context_is_the_newest_turns_in_their_order(self, database: Database) -> None:
        async with database.begin() as tx:
            for number in range(12):
                await tx.conversations.add_turn(CUSTOMER, "客户", str(number), NOON)
            last = await tx.conversations.last_turns(CUSTOMER, 3)
            assert [turn.text for turn in last] == ["9", "10", "11"]

    async def test_a_draft_is_made_once_and_settled_once(self, database: Database) -> None:
        made = {
            "key": "draft:m1",
            "chat": CHAT,
            "owner": OWNER,
            "asker": Asker(id=CUSTOMER, name="王女士"),
            "question": "几点开门",
            "text": "九点",
            "citations": ("本行《营业时间》",),
        }
        async with database.begin() as tx:
            draft = await tx.drafts.add(**made, now=NOON)  # type: ignore[arg-type]
            assert draft is not None
            assert await tx.drafts.add(**made, now=NOON) is None  # type: ignore[arg-type]
            assert [one.text for one in await tx.drafts.waiting(CHAT)] == ["九点"]
            assert await tx.drafts.settle(draft.id, "sent", NOON)
            assert not await tx.drafts.settle(draft.id, "dropped", NOON)
            assert await tx.drafts.counts() == {"sent": 1}
            assert await tx.drafts.waiting(CHAT) == []


class TestVersions:
    async def test_the_newest_is_current_and_older_texts_stay(self, database: Database) -> None:
        async with database.begin() as tx:
            assert await tx.scripts.publish("s", "v1", "one", NOON)
            assert not await tx.scripts.publish("s", "v1", "one", NOON)
            assert await tx.scripts.publish("s", "v2", "two", NOON)
            assert await tx.scripts.publish("s", "v1", "one", NOON)
            assert await tx.scripts.current("s") == "v1"
            assert await tx.scripts.text("s", "v2") == "two"
            assert await tx.scripts.text("s", "v3") is None


async def test_the_ledger_counts_by_kind_subject_and_time(database: Database) -> None:
    async with database.begin() as tx:
        await tx.ledger.add("message_in", "a", NOON, plane="kf")
        await tx.ledger.add("message_in", "b", NOON + HOUR)
        await tx.ledger.add("handed_over", "a", NOON + HOUR, to=OWNER)
        assert await tx.ledger.counts() == {"message_in": 2, "handed_over": 1}
        assert await tx.ledger.count("message_in", since=NOON + MINUTE) == 1
        assert await tx.ledger.count("message_in", subject="a") == 1
        newest = await tx.ledger.newest(2)
        assert [(entry.kind, entry.facts) for entry in newest] == [
            ("handed_over", {"to": OWNER}),
            ("message_in", {}),
        ]


async def test_a_token_is_replaced_and_shared(database: Database) -> None:
    clock = FakeClock(NOON)
    tokens = DatabaseTokens(database, clock)
    assert await tokens.read("corp:secret") is None
    await tokens.write("corp:secret", "old", NOON)
    await tokens.write("corp:secret", "new", NOON + HOUR)
    assert await DatabaseTokens(database, clock).read("corp:secret") == ("new", NOON + HOUR)


async def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="offset-naive"):
        async with database.begin() as tx:
            await tx.inbox.add_notices([notice()], NOON.replace(tzinfo=None))
