"""What was handed to people is called back when its step is over, and counts if it was sent."""

from __future__ import annotations

import pytest

from bot.domain.happening import EventKind
from bot.domain.ids import GroupChatId
from bot.domain.mass_messages import MomentCancel
from bot.domain.script import SopScript
from bot.workers.owners import change_owner
from tests.domain.builders import head, script_of
from tests.engine.conftest import MONDAY
from tests.engine.hands import cards, press, stop_selling, tell, terminate, told, used
from tests.engine.test_token_runs import flow
from tests.engine.world import World
from tests.make import local

TEN_TO_NOON = '时间: "10:00-11:30"'
ALWAYS = "休息日: 照发\n"


def by_card(way: str = "提醒经理一键发", kind: str = "活动") -> SopScript:
    step = f"编号: a, 第几天: 1, {TEN_TO_NOON}, 类型: {kind}, 发送方式: {way}, 正文: 来听课"
    return flow(step, more=ALWAYS)


def by_moment() -> SopScript:
    step = f"编号: a, 第几天: 1, {TEN_TO_NOON}, 类型: 活动, 发送方式: 朋友圈, 正文: 朋友们好"
    return flow(step, more=ALWAYS)


async def begin(world: World, script: SopScript, *people: str) -> None:
    """Let people enter, and have what is due by half past ten handed over."""
    await world.publish(script)
    await world.people(*people)
    await world.enrol(script, *people, anchor=MONDAY.date())
    await world.until(local("10:40"))


async def test_who_has_a_card_is_told_when_the_customer_wants_no_more_of_it(world: World) -> None:
    await begin(world, by_card(), "wm1", "wm2")
    assert await world.outcome("wm1") == {"a": "waiting"}
    assert await used(world) == [("wm1", "private"), ("wm2", "private")]
    await stop_selling(world, "wm1")
    await world.until(local("10:50"))
    assert await world.outcome("wm1") == {"a": "marketing_refused"}
    (words,) = told(world)
    assert "「客户wm1」" in words
    assert "不想再收到营销内容" in words
    assert "wm2" not in words
    assert await world.outcome("wm2") == {"a": "waiting"}
    assert await used(world) == [("wm2", "private")]


async def test_a_card_that_was_sent_all_the_same_counts(world: World) -> None:
    await begin(world, by_card(), "wm1")
    (card,) = cards(world)
    await stop_selling(world, "wm1")
    await world.until(local("10:50"))
    assert await used(world) == []
    await press(world, card)
    (step,) = await world.steps("wm1")
    assert (step.state, step.reason) == ("confirmed", "")
    assert await used(world) == [("wm1", "private")]
    assert [one["step"] for one in await world.noted("step_confirmed")] == ["a"]
    await press(world, card)  # once is once
    assert len(await world.noted("step_confirmed")) == 1


async def test_a_card_pressed_after_its_time_counts(world: World) -> None:
    await begin(world, by_card(), "wm1")
    await world.until(local("15:00"))
    assert await world.outcome("wm1") == {"a": "owner_unconfirmed"}
    await press(world, cards(world)[0])
    (step,) = await world.steps("wm1")
    assert (step.state, step.reason) == ("confirmed", "")
    assert (await world.run("wm1")).state == "done"


@pytest.mark.parametrize("quicker", [False, True])
async def test_the_place_of_a_task_is_given_back_once_its_cancel_is_through(
    world: World, quicker: bool
) -> None:
    world.wire.confirm = 0
    await begin(world, by_card("企业群发"), "wm1")
    assert len(await used(world)) == 2
    if quicker:  # the manager presses before WeCom has the cancel
        world.wire.pressed_at = lambda msgid: local("10:40")  # type: ignore[method-assign]
    await stop_selling(world, "wm1")
    assert len(await used(world)) == 2
    await world.until(local("11:00"))
    assert await world.outcome("wm1") == {"a": "confirmed" if quicker else "marketing_refused"}
    assert len(await used(world)) == (2 if quicker else 0)


@pytest.mark.parametrize("kind", [EventKind.FRIEND_LOST, EventKind.REFUSED])
async def test_the_end_of_a_run_calls_its_cards_back(world: World, kind: EventKind) -> None:
    way_out = "出口: [{事件: " + kind.value + ", 停: 全部}]\n"
    script = flow(
        f"编号: a, 第几天: 1, {TEN_TO_NOON}, 类型: 活动, 发送方式: 提醒经理一键发, 正文: 来听课",
        more=ALWAYS + way_out,
    )
    await begin(world, script, "wm1")
    await tell(world, "wm1", kind)
    await world.until(local("10:50"))
    assert (await world.run("wm1")).state == "exited"
    assert len([words for words in told(world) if "「客户wm1」" in words]) == 1
    assert await used(world) == []


async def test_terminate_tells_each_owner_once_for_all_cards(world: World) -> None:
    way = "发送方式: 提醒群主侧边栏一键发"
    step = f"编号: a, 第几天: 1, {TEN_TO_NOON}, 类型: 服务, {way}, 正文: 一"
    script = script_of(head(id="trial", rest="照发", weekly=7) + f"步骤:\n  - {{{step}}}\n")
    await world.publish(script)
    await world.groups("wr1", "wr2")
    await world.enrol(script, "wr1", "wr2", anchor=MONDAY.date())
    await world.until(local("10:40"))
    assert len(cards(world)) == 2
    assert await terminate(world, "trial") == 2
    await world.until(local("10:50"))
    assert await world.outcome("wr1") == {"a": "terminated"}
    (words,) = told(world)
    assert "「群wr1」、「群wr2」" in words
    assert "已经终止" in words
    await press(world, cards(world)[0])
    assert sorted([await world.outcome("wr1"), await world.outcome("wr2")], key=str) == [
        {"a": "confirmed"},
        {"a": "terminated"},
    ]


async def test_a_task_for_a_manager_is_called_back_as_one(world: World) -> None:
    await begin(world, by_card("提醒经理", "服务"), "wm1")
    assert await terminate(world, "客户:wm1") == 1
    await world.until(local("10:50"))
    (words,) = told(world)
    assert "不用办了" in words
    await press(world, cards(world)[0], "done")
    assert await world.outcome("wm1") == {"a": "confirmed"}


async def test_a_moment_nobody_waits_for_is_taken_back(world: World) -> None:
    world.wire.confirm = 0
    await begin(world, by_moment(), "wm1", "wm2")
    assert await world.outcome("wm1") == {"a": "waiting"}
    await terminate(world, "客户:wm1")
    await world.until(local("10:50"))
    assert not _cancelled(world)  # the other still waits for it
    await terminate(world, "trial")
    await world.until(local("11:00"))
    assert _cancelled(world)
    assert await world.rows("SELECT state FROM moments") == [("over",)]
    assert await used(world) == []


async def test_a_moment_posted_for_others_counts_for_who_has_left(world: World) -> None:
    world.wire.pressed_at = lambda msgid: local("10:55")  # type: ignore[method-assign]
    await begin(world, by_moment(), "wm1", "wm2")
    await terminate(world, "客户:wm1")
    await world.until(local("12:00"))
    assert await world.outcome("wm1") == {"a": "confirmed"}
    assert await world.outcome("wm2") == {"a": "confirmed"}
    assert await used(world) == [("wm1", "moment"), ("wm2", "moment")]


async def test_a_run_that_ends_while_its_card_is_on_its_way_calls_it_back(world: World) -> None:
    send = world.wire.send

    async def end_meanwhile(*args: object, **named: object) -> object:
        receipt = await send(*args, **named)  # type: ignore[arg-type]
        if len(cards(world)) == 1 and not told(world):
            await terminate(world, "trial")
        return receipt

    world.wire.send = end_meanwhile  # type: ignore[method-assign,assignment]
    await begin(world, by_card(), "wm1")
    assert await world.outcome("wm1") == {"a": "terminated"}
    assert len(told(world)) == 1


@pytest.mark.parametrize("sent", [False, True])
async def test_an_old_owner_is_told_that_the_new_one_is_asked_instead(
    world: World, sent: bool
) -> None:
    step = f"编号: a, 第几天: 1, {TEN_TO_NOON}, 类型: 服务, 发送方式: 提醒群主侧边栏一键发"
    steps = f"步骤:\n  - {{{step}, 正文: 一}}\n"
    script = script_of(head(id="trial", rest="照发", weekly=7) + steps)
    await world.publish(script)
    await world.groups("wr1")
    await world.enrol(script, "wr1", anchor=MONDAY.date())
    await world.until(local("10:40"))
    before = world.owner.userid
    other = next(m.userid for m in world.content.bank.staff if m.userid != before)
    async with world.database.begin() as tx:
        group = await tx.people.group(GroupChatId("wr1"))
        assert group is not None
        await tx.connection.exec_driver_sql(f"UPDATE groups SET owner = '{other}'")
        moved = group.model_copy(update={"owner": other})
        await change_owner(tx, world.content, moved, before, world.clock.now())
    if sent:  # by the old owner, who says so a little late
        await press(world, cards(world)[0])
    await world.until(local("10:59"))
    (words,) = told(world)
    assert "换了群主" in words
    assert await world.outcome("wr1") == {"a": "confirmed" if sent else "waiting"}
    assert [card.to for card in cards(world)] == ([before] if sent else [before, other])


def _cancelled(world: World) -> bool:
    return any(isinstance(message, MomentCancel) for _, message in world.wire.sent)
