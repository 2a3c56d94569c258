"""Callbacks may be lost: each night the bot compares everybody with WeCom."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from bot.emulator import contact, groups, tags
from bot.emulator.faults import Fault, Faults
from bot.emulator.world import World
from bot.storage.tables import customers
from bot.storage.tables import groups as group_rows
from bot.workers.people_pass import PeoplePass
from tests.journeys.town import Life
from tests.make import local

BATCH = "externalcontact/batch/get_by_user"
LIST = "externalcontact/groupchat/list"


@dataclass
class Counting(Faults):
    """Counts the calls of each API: every call asks for a slow fault once."""

    calls: Counter[str] = field(default_factory=Counter)

    def take(self, api: str, kind: str) -> Fault | None:  # type: ignore[override]
        if kind == "slow":
            self.calls[api] += 1
        return super().take(api, kind)  # type: ignore[arg-type]


@pytest.fixture
def calls(life: Life) -> Counter[str]:
    counting = life.world.faults = Counting()
    return counting.calls


async def friends_of(world: World) -> dict[str, tuple[set[str], set[str]]]:
    """Return managers and tags of every customer whom anybody serves, as WeCom has them."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for userid in world.members:
        for friend in world.contacts.of_member(userid):
            if not friend.deleted_by_customer:
                managers, names = found.setdefault(friend.external_userid, (set(), set()))
                managers.add(userid)
                shown = world.contacts.tags.shown(friend.tags)
                names |= {str(tag["tag_name"]) for tag in shown}
    return found


async def friends_here(life: Life) -> dict[str, tuple[set[str], set[str]]]:
    async with life.demo.bot.database.read() as tx:
        rows = await tx.connection.execute(customers.select())
        return {row.id: (set(row.managers), set(row.tags)) for row in rows if row.managers}


async def groups_here(life: Life) -> dict[str, tuple[str, str, set[str]]]:
    async with life.demo.bot.database.read() as tx:
        rows = await tx.connection.execute(group_rows.select())
        return {
            row.id: (row.name, row.owner, {member["id"] for member in row.members})
            for row in rows
            if not row.dismissed
        }


def groups_of(world: World) -> dict[str, tuple[str, str, set[str]]]:
    return {
        group.chat_id: (group.name, group.owner, set(group.members))
        for group in world.groups.living()
    }


def an_hour_of_changes(life: Life) -> None:
    """Let everything change that can."""
    world = life.world
    first, second, third = life.demo.town.groups
    new = [world.settle_customer("", f"新客{number}") for number in range(120)]
    for customer in new:
        contact.befriend(world, "zheng.yutong", customer, state="hall")
    contact.befriend(world, "wang.haoran", life.visitor)
    served = [v for v in life.demo.town.visitors if world.contacts.of_customer(v)]
    for customer in served[1:3]:
        (friend, *_) = world.contacts.of_customer(customer)
        contact.unfriend(world, friend.userid, customer, by="member")
    (tag,) = tags.add_tags(world, "兴趣", ["养生"])
    (friend, *_) = world.contacts.of_customer(served[4])
    world.contacts.note(world, friend.userid, served[4], {"tags": [tag]})
    groups.leave(world, first, sorted(world.groups.need(first).customers())[:3])
    groups.join(world, first, new[:4])
    groups.rename(world, first, "梧桐街银龄安心群·新")
    groups.change_owner(world, second, "xu.jiahe")
    groups.dismiss(world, third)
    groups.create(world, "li.min", "新开的群", new[5:9])


async def test_after_the_nightly_pass_everything_is_as_in_wecom(life: Life) -> None:
    assert await friends_here(life) == await friends_of(life.world)  # by the first pass
    life.world.faults.plan("contact", "lost", times=100_000)
    life.demo.clock.advance(minutes=1)
    an_hour_of_changes(life)
    await life.wait(60)
    life.world.faults.clear()
    assert len(life.world.callbacks.lost) > 120
    assert await friends_here(life) != await friends_of(life.world)
    await life.go_to("03:30", "2026-10-13")
    assert await friends_here(life) == await friends_of(life.world)
    assert await groups_here(life) == groups_of(life.world)
    assert await life.ledger("customer_added") == 121
    assert await life.ledger("customer_lost") == 2
    assert await life.ledger("people_compared") == 2


async def test_who_was_there_before_the_bot_was_not_added(life: Life) -> None:
    assert await life.ledger("customer_added") == 0
    assert await life.ledger("customer_lost") == 0
    assert len(await friends_here(life)) > 30


async def pass_of(life: Life) -> PeoplePass:
    (worker,) = [one for one in life.demo.bot.workers if isinstance(one, PeoplePass)]
    return worker


async def test_a_pass_that_is_killed_goes_on_where_it_was(life: Life, calls: Counter[str]) -> None:
    managers = len(life.world.members)
    for number in range(250):
        customer = life.world.settle_customer("", f"客户{number}")
        contact.befriend(life.world, "li.min", customer, quiet=True)
    pages = sum(
        max(1, -(-len(life.world.contacts.of_member(userid)) // 100))
        for userid in life.world.members
    )
    life.demo.clock.jump(local("02:31", "2026-10-13"))
    calls.clear()
    for _ in range(9):  # the head, and eight pages
        assert await (await pass_of(life)).step() == 1
    assert calls[BATCH] == 8
    await life.demo.restart()
    await life.wait(10)
    assert await friends_here(life) == await friends_of(life.world)
    assert (calls["externalcontact/get_follow_user_list"], calls[BATCH]) == (1, pages)
    assert pages > managers
    assert await life.ledger("people_compared") == 2


async def test_one_that_dies_in_the_middle_of_a_call_makes_that_one_again(
    life: Life, calls: Counter[str]
) -> None:
    life.demo.clock.jump(local("02:31", "2026-10-13"))
    for _ in range(5):
        await (await pass_of(life)).step()
    async with life.demo.bot.database.begin() as tx:  # claimed, and never heard of again
        assert await tx.polls.claim(life.demo.clock.now()) is not None
    calls.clear()
    await life.demo.restart()
    await life.wait(10)
    assert calls[BATCH] == len(life.world.members) - 4
    assert await life.ledger("people_compared") == 2


async def test_too_many_calls_make_it_pause_and_then_go_on(life: Life, calls: Counter[str]) -> None:
    life.demo.clock.jump(local("02:31", "2026-10-13"))
    life.world.faults.plan(BATCH, "errcode", errcode=45009)
    calls.clear()
    await life.settle()
    assert calls[BATCH] == 1
    await life.wait(4)
    assert calls[BATCH] == 1
    await life.wait(6)
    assert calls[BATCH] == len(life.world.members) + 1
    assert await life.ledger("people_compared") == 2


async def test_a_list_that_is_refused_makes_nobody_lost(life: Life) -> None:
    life.demo.clock.jump(local("02:31", "2026-10-13"))
    before = await friends_here(life)
    life.world.faults.plan(BATCH, "errcode", errcode=60111, times=99)
    await life.wait(10)
    life.world.faults.clear()
    assert await friends_here(life) == before
    assert await life.ledger("customer_lost") == 0
    assert await life.ledger("people_compared") == 2


async def test_a_customer_whom_the_list_skips_is_asked_for_before_counting_as_lost(
    life: Life,
) -> None:
    """A list that moves while it is paged through leaves somebody out who is still there."""
    customer = life.visitor
    (friend,) = life.world.contacts.of_customer(customer)
    kept = life.world.contacts._by_member[friend.userid].pop(customer)
    life.demo.clock.jump(local("02:31", "2026-10-13"))
    await life.settle()
    life.world.contacts._by_member[friend.userid][customer] = kept
    await life.wait(5)
    assert friend.userid in (await friends_here(life))[customer][0]
    assert await life.ledger("customer_lost") == 0
