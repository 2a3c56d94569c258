"""Who knows whom, and lists that are read page by page, on both databases."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.delivery import Terms
from bot.domain.ids import GroupChatId, RmId
from bot.domain.messages import TagChange
from bot.domain.people import Customer, Follow, GroupChat, known_by
from bot.storage.db import Database, Tx
from bot.storage.people import tag_lane
from bot.storage.polls import HEAD, Poll
from tests.make import CHAT, CUSTOMER, MINUTE, NOON, OWNER, SECOND

OTHER = RmId("wang.haoran")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def follow(manager: RmId = OWNER, *tags: str, state: str = "", since=NOON) -> Follow:  # type: ignore[no-untyped-def]
    return Follow(manager=manager, since=since, state=state, tags=frozenset(tags))


async def unsent(tx: Tx, key: str, **change: tuple[str, ...]) -> None:
    message = TagChange(manager=OWNER, customer=CUSTOMER, **change)
    terms = Terms(purpose="control", subject=CUSTOMER)
    await tx.outbox.put(key, message, terms, NOON, lane=tag_lane(CUSTOMER))


class TestFollows:
    async def test_a_customers_managers_and_tags_are_those_of_all_relations(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            older = follow(OTHER, "存款", since=NOON - DAY)
            assert await tx.follows.put_page(OTHER, {CUSTOMER: older}, NOON) == [CUSTOMER]
            page = {CUSTOMER: follow(OWNER, "国债", state="hall")}
            assert await tx.follows.put_page(OWNER, page, NOON) == [CUSTOMER]
            assert await tx.follows.put_page(OWNER, page, NOON) == []
            await tx.people.refresh({CUSTOMER: "李女士"}, NOON, asked=True)
            known = await tx.people.customer(CUSTOMER)
            assert known is not None
            assert (known.name, known.managers) == ("李女士", (OWNER, OTHER))
            assert (known.tags, known.state) == ({"存款", "国债"}, "hall")
            assert await tx.follows.counts() == {OWNER: 1, OTHER: 1}

    async def test_an_older_word_never_wins(self, database: Database) -> None:
        async with database.begin() as tx:
            await tx.follows.put_page(OWNER, {CUSTOMER: follow(OWNER, "新")}, NOON + MINUTE)
            await tx.follows.put_page(OWNER, {CUSTOMER: follow(OWNER, "旧")}, NOON)
            assert (await tx.follows.replace(CUSTOMER, [], NOON)).gone == ()
            (kept,) = (await tx.follows.of([CUSTOMER]))[CUSTOMER]
            assert kept.tags == {"新"}

    async def test_who_deleted_the_manager_stays_lost_until_one_adds_the_other_again(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            await tx.follows.add(CUSTOMER, follow(), NOON)
            assert await tx.follows.lose(CUSTOMER, OWNER, NOON + MINUTE)
            assert not await tx.follows.lose(CUSTOMER, OWNER, NOON + MINUTE)
            # The manager's own list still has the customer, with the old date.
            await tx.follows.put_page(OWNER, {CUSTOMER: follow(OWNER, "a")}, NOON + HOUR)
            assert await tx.follows.of_manager(OWNER) == []
            assert await tx.follows.add(CUSTOMER, follow(since=NOON + HOUR), NOON + HOUR)
            assert await tx.follows.of_manager(OWNER) == [CUSTOMER]
            assert await tx.follows.remove(CUSTOMER, OWNER) == "friends"
            assert await tx.follows.remove(CUSTOMER, OWNER) == ""

    async def test_a_full_reading_tells_who_came_and_who_went(self, database: Database) -> None:
        async with database.begin() as tx:
            await tx.follows.add(CUSTOMER, follow(OTHER), NOON)
            found = known_by(Customer(id=CUSTOMER, name="李女士"), [follow(OWNER, "国债")])
            difference = await tx.people.learn(found, NOON + MINUTE)
            assert [one.manager for one in difference.new] == [OWNER]
            assert difference.gone == (OTHER,)
            known = await tx.people.customer(CUSTOMER)
            assert known is not None
            assert (known.managers, known.tags) == ((OWNER,), {"国债"})


class TestTags:
    async def test_what_wecom_was_not_told_yet_is_not_lost_when_its_list_is_read(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            await tx.follows.add(CUSTOMER, follow(OWNER, "旧"), NOON)
            await tx.people.refresh({CUSTOMER: "李女士"}, NOON)
            await unsent(tx, "t1", add=("国债",))
            await unsent(tx, "t2", remove=("旧",))
            await tx.people.learn(
                known_by(Customer(id=CUSTOMER), [follow(OWNER, "旧", "存款")]), NOON
            )
            assert (await tx.people.customer(CUSTOMER) or Customer(id=CUSTOMER)).tags == {
                "国债",
                "存款",
            }
            await tx.people.put_customer(Customer(id=CUSTOMER, tags=frozenset({"旧"})), NOON)
            assert (await tx.people.customer(CUSTOMER) or Customer(id=CUSTOMER)).tags == {"国债"}

    async def test_what_wecom_took_stays_until_it_says_otherwise(self, database: Database) -> None:
        async with database.begin() as tx:
            await tx.follows.add(CUSTOMER, follow(), NOON)
            await unsent(tx, "t1", add=("国债",))
            (claimed,) = await tx.outbox.claim(NOON, limit=9, urgent=False)
            await tx.outbox.settle(claimed.id, claimed.attempt, "sent", NOON)
            await tx.follows.tagged(CUSTOMER, OWNER, ("国债",), ())
            await tx.people.refresh({CUSTOMER: ""}, NOON)
            assert (await tx.people.customer(CUSTOMER) or Customer(id=CUSTOMER)).tags == {"国债"}
            await tx.people.learn(known_by(Customer(id=CUSTOMER), [follow()]), NOON + SECOND)
            assert (await tx.people.customer(CUSTOMER) or Customer(id=CUSTOMER)).tags == set()


class TestMarks:
    async def test_a_mark_while_somebody_reads_is_worked_on_after_it(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            await tx.people.mark_customers([CUSTOMER], NOON)
            await tx.people.mark_group(CHAT, NOON)
            ((customer, attempt),) = await tx.people.claim_customers(NOON)
            ((chat, fence),) = await tx.people.claim_groups(NOON)
            await tx.people.mark_customers([CUSTOMER], NOON + SECOND)
            await tx.people.mark_group(CHAT, NOON + SECOND)
            assert not await tx.people.finish_customer(customer, attempt)
            await tx.people.finish_group(chat, fence)
            assert len(await tx.people.claim_customers(NOON + SECOND)) == 1
            assert len(await tx.people.claim_groups(NOON + SECOND)) == 1

    async def test_an_earlier_mark_stands(self, database: Database) -> None:
        async with database.begin() as tx:
            await tx.people.mark_customers([CUSTOMER], NOON)
            await tx.people.mark_customers([CUSTOMER], NOON + HOUR)
            assert len(await tx.people.claim_customers(NOON)) == 1

    async def test_living_groups_that_no_list_showed_are_found(self, database: Database) -> None:
        async with database.begin() as tx:
            for name in ("wrA", "wrB", "wrC"):
                group = GroupChat(id=GroupChatId(name), name=name, owner=OWNER, version="v1")
                await tx.people.put_group(group, NOON - HOUR)
            gone = GroupChat(id=GroupChatId("wrD"), name="D", owner=OWNER, dismissed=True)
            await tx.people.put_group(gone, NOON - HOUR)
            await tx.people.mark_group(GroupChatId("wrB"), NOON + HOUR)
            await tx.people.put_group(
                GroupChat(id=GroupChatId("wrC"), name="C", owner=OWNER), NOON + SECOND
            )
            assert await tx.people.unlisted_groups(NOON) == ["wrA"]
            assert await tx.people.owner_of("wrA") == OWNER
            assert (await tx.people.group(GroupChatId("wrA")) or gone).version == "v1"


async def claimed(tx: Tx, at=NOON) -> Poll:  # type: ignore[no-untyped-def]
    poll = await tx.polls.claim(at)
    assert poll is not None
    return poll


class TestPolls:
    async def test_a_pass_goes_list_by_list_one_at_a_time(self, database: Database) -> None:
        async with database.begin() as tx:
            await tx.polls.begin(NOON)
            await tx.polls.begin(NOON)
            head = await claimed(tx)
            assert await tx.polls.start_pass(head, ["a", "b"], NOON)
            assert await tx.polls.next_list(head, NOON)
            seen = []
            while (poll := await tx.polls.claim(NOON)) is not None:
                assert await tx.polls.claim(NOON) is None
                seen.append(poll.id)
                assert await tx.polls.finish(poll, NOON)
                if not await tx.polls.next_list(poll, NOON):
                    await tx.polls.end_pass(NOON, NOON + DAY)
            assert seen == ["customers:a", "customers:b", "groups:00000"]
            assert await tx.polls.last_pass() == NOON
            assert (await claimed(tx, NOON + DAY)).id == HEAD

    async def test_a_checkpoint_outlives_its_process(self, database: Database) -> None:
        async with database.begin() as tx:
            await tx.polls.begin(NOON)
            await tx.polls.start_pass(await claimed(tx), ["a"], NOON)
            await tx.polls.next_list(Poll(HEAD, 1, "", NOON, None), NOON)
            poll = await claimed(tx)
            assert await tx.polls.read_on(poll, "page-2", NOON)
            died = await claimed(tx)
            assert died.cursor == "page-2"
        async with database.begin() as tx:
            again = await claimed(tx, NOON + timedelta(minutes=3))
            assert (again.id, again.cursor, again.pass_at) == ("customers:a", "page-2", NOON)
            assert not await tx.polls.read_on(died, "page-3", NOON)

    async def test_calls_keep_to_two_a_second_after_a_first_handful(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            await tx.polls.begin(NOON)
            await tx.polls.start_pass(await claimed(tx), ["a"], NOON)
            await tx.polls.next_list(Poll(HEAD, 1, "", NOON, None), NOON)
            now, calls = NOON, []
            for number in range(60):
                while (poll := await tx.polls.claim(now)) is None:
                    now += timedelta(milliseconds=100)
                calls.append(now)
                await tx.polls.read_on(poll, str(number), now)
            assert calls[15] == NOON
            late = [one for one in calls if one > NOON + timedelta(seconds=1)]
            for one in late:
                span = [x for x in late if one <= x < one + timedelta(seconds=10)]
                assert len(span) <= 20

    async def test_a_tag_that_changes_while_a_pass_is_under_way_starts_it_again(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            await tx.polls.begin(NOON)
            head = await claimed(tx)
            await tx.polls.start_pass(head, [], NOON)
            await tx.polls.hasten(NOON)
            await tx.polls.end_pass(NOON, NOON + DAY)
            await tx.polls.start_pass(await claimed(tx), [], NOON)
            await tx.polls.end_pass(NOON, NOON + DAY)
            assert await tx.polls.claim(NOON) is None
            await tx.polls.hasten(NOON + MINUTE)
            assert (await claimed(tx, NOON + MINUTE)).id == HEAD

    async def test_owners_come_in_hundreds(self, database: Database) -> None:
        managers = [f"u{number:03d}" for number in range(130)]
        async with database.begin() as tx:
            await tx.polls.begin(NOON)
            await tx.polls.start_pass(await claimed(tx), managers, NOON)
            second = Poll("groups:00001", 1, "", NOON, None)
            assert await tx.polls.owners(second) == managers[100:]
