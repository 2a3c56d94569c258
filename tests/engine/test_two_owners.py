"""Two owners have a card of one step: the first press closes both, and nothing is sent twice."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from bot.domain.events import CardPressed
from bot.domain.ids import GroupChatId
from bot.domain.staff_messages import StaffCard, StaffCardUpdate
from bot.errors import Undeliverable
from bot.workers.owners import change_owner
from tests.domain.builders import head, script_of
from tests.engine.conftest import MONDAY
from tests.engine.hands import cards, staff_desk, told
from tests.engine.world import World
from tests.make import local

STEP = '编号: a, 第几天: 1, 时间: "10:00-11:30", 类型: 服务, 正文: 一'


class Owners(NamedTuple):
    old: str
    new: str


@pytest.fixture
async def owners(world: World) -> Owners:
    """Give the old owner his card, and then the group to somebody else."""
    steps = f"步骤:\n  - {{{STEP}, 发送方式: 提醒群主侧边栏一键发}}\n"
    script = script_of(head(id="trial", rest="照发", weekly=7) + steps)
    await world.publish(script)
    await world.groups("wr1")
    await world.enrol(script, "wr1", anchor=MONDAY.date())
    await world.until(local("10:40"))
    old = world.owner.userid
    new = next(one.userid for one in world.content.bank.staff if one.userid != old)
    async with world.database.begin() as tx:
        group = await tx.people.group(GroupChatId("wr1"))
        assert group is not None
        await tx.connection.exec_driver_sql(f"UPDATE groups SET owner = '{new}'")
        moved = group.model_copy(update={"owner": new})
        await change_owner(tx, world.content, moved, old, world.clock.now())
    return Owners(old, new)


async def press(world: World, card: StaffCard, verb: str) -> str:
    """Press a button; return what the card says then."""
    key = next(each.key for each in card.card.buttons if each.key.endswith(f":{verb}"))
    now = world.clock.now()
    code = f"code-{card.task}-{now}"
    event = CardPressed(by=card.to, key=key, task=card.task, response_code=code, at=now)
    async with world.database.begin() as tx:
        await staff_desk(world).carry_out(tx, event, now)
    await world.until(now.replace(second=now.second + 10))
    updates = [one for _, one in world.wire.sent if isinstance(one, StaffCardUpdate)]
    return next((one.replace for one in updates if one.response_code == code), "")


async def state(world: World) -> tuple[str, str]:
    (step,) = await world.steps("wr1")
    return step.state, step.reason


async def test_the_old_owners_press_closes_the_new_ones_card(world: World, owners: Owners) -> None:
    await world.until(local("10:50"))
    before, after = cards(world)
    assert (before.to, after.to) == owners
    assert await press(world, before, "sent") == "已完成"
    assert await state(world) == ("confirmed", "")
    words = told(world)[-1]
    assert "「群wr1」" in words
    assert "同事已经办好了" in words
    assert await press(world, after, "sent") == "已由同事办好"
    assert [one["by"] for one in await world.noted("step_confirmed")] == [owners.old]
    assert [one["by"] for one in await world.noted("step_done_again")] == [owners.new]
    assert len(cards(world)) == 2


async def test_the_new_owners_press_closes_the_old_ones_card(world: World, owners: Owners) -> None:
    await world.until(local("10:50"))
    before, after = cards(world)
    already = len(told(world))  # the old owner was told when the group changed hands
    assert await press(world, after, "sent") == "已完成"
    assert await press(world, before, "skip") == "已由同事办好"
    assert await press(world, after, "skip") == "已完成"
    assert await state(world) == ("confirmed", "")
    assert len(told(world)) == already
    assert not await world.noted("step_done_again")


async def test_the_old_owner_cannot_put_off_what_the_new_one_has(
    world: World, owners: Owners
) -> None:
    (before,) = cards(world)
    assert await press(world, before, "skip") == "已转给新群主"
    await world.until(local("10:50"))
    assert await press(world, before, "skip") == "已转给新群主"
    assert await state(world) == ("waiting", "")
    assert await press(world, cards(world)[1], "skip") == "今天不发"
    assert await state(world) == ("skipped", "owner_declined")


async def test_a_press_before_the_new_card_has_left_keeps_it_back(
    world: World, owners: Owners
) -> None:
    (before,) = cards(world)
    while (await state(world))[0] != "queued":
        assert world.clock.now() < local("10:50")
        world.clock.advance(minutes=1)
        await world.runs.step()
    assert await press(world, before, "sent") == "已完成"
    await world.until(local("10:59"))
    assert cards(world) == [before]
    assert await state(world) == ("confirmed", "")
    assert (await world.run("wr1")).state == "done"


async def test_a_press_while_the_new_card_leaves_closes_it(world: World, owners: Owners) -> None:
    (before,) = cards(world)
    send = world.wire.send

    async def press_meanwhile(key: str, message: object, **named: object) -> object:
        if isinstance(message, StaffCard) and len(cards(world)) == 1:
            button = before.card.buttons[0].key
            now = world.clock.now()
            event = CardPressed(by=before.to, key=button, task=before.task, at=now)
            async with world.database.begin() as tx:
                await staff_desk(world).carry_out(tx, event, now)
        return await send(key, message, **named)  # type: ignore[arg-type]

    world.wire.send = press_meanwhile  # type: ignore[method-assign,assignment]
    await world.until(local("10:59"))
    assert [card.to for card in cards(world)] == list(owners)
    assert await state(world) == ("confirmed", "")
    assert len(await world.noted("step_confirmed")) == 1
    assert "同事已经办好了" in told(world)[-1]
    assert (await world.run("wr1")).state == "done"


async def test_a_step_that_is_done_stays_so_whatever_becomes_of_the_second_card(
    world: World, owners: Owners
) -> None:
    (before,) = cards(world)
    send = world.wire.send

    async def press_and_refuse(key: str, message: object, **named: object) -> object:
        if isinstance(message, StaffCard):
            button = before.card.buttons[0].key
            now = world.clock.now()
            event = CardPressed(by=before.to, key=button, task=before.task, at=now)
            async with world.database.begin() as tx:
                await staff_desk(world).carry_out(tx, event, now)
            raise Undeliverable("wecom_81013")
        return await send(key, message, **named)  # type: ignore[arg-type]

    world.wire.send = press_and_refuse  # type: ignore[method-assign,assignment]
    await world.until(local("10:59"))
    assert await state(world) == ("confirmed", "")
    assert not await world.noted("step_failed")
