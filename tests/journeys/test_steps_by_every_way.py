"""One-to-one steps, way by way: what the customer sees, whose hand it took, what is recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot.domain.runs import RunStep
from bot.emulator import broadcast, moment_hands
from bot.emulator.contact import befriend
from bot.emulator.world import Customer
from bot.storage.tables import outbox
from bot.workspace import Workspace
from tests.journeys.friends import HEAD, enter, manager_of, with_friends
from tests.journeys.town import Life, live
from tests.make import local

STEP = """\
护栏: {静默时段: ["20:30-09:00"]}
步骤:
  - 编号: s1
    第几天: 1
    时间: "10:00-11:30"
    类型: 关怀
"""
SAME = "有事直接找{经理.称呼}。"
NAMED = "{客户.称呼}您好，我是{经理.称呼}。"


@asynccontextmanager
async def town(
    workspace: Workspace, folder: Path, way: str, text: str = SAME, more: str = ""
) -> AsyncIterator[Life]:
    step = f'    发送方式: {way}\n    正文: "{text}"\n{more}'
    files = with_friends(workspace, folder / "w", HEAD + STEP + step)
    async with live(files, local("09:30"), groups=1, members=4) as life:
        yield life


async def friends_of_one(life: Life, count: int) -> tuple[str, list[str]]:
    """Give one manager so many customers; return them."""
    manager = manager_of(life)
    people = []
    for number in range(count):
        name = f"街坊{'甲乙丙丁戊'[number]}"
        person = life.world.add_customer(Customer(life.world.new_id("wm"), name))
        befriend(life.world, manager, person.external_userid)
        people.append(person.external_userid)
    await life.settle()
    return manager, people


async def enter_all(life: Life, people: Sequence[str]) -> None:
    """Let customers have entered the script just now."""
    async with life.demo.bot.database.begin() as tx:
        for person in people:
            await enter(tx, life, person)
    await life.settle()


async def step(life: Life, person: str) -> RunStep:
    return await life.step(person, "s1")


async def calls(life: Life, kind: str) -> int:
    """Return how many calls the messages of a kind took."""
    async with life.demo.bot.database.read() as tx:
        rows = await tx.connection.execute(outbox.select().where(outbox.c.bucket == kind))
        return len({row.ref for row in rows if row.state == "sent"})


async def test_a_mass_message_for_many_customers_is_one_task_one_press_and_each_read_back(
    workspace: Workspace, tmp_path: Path
) -> None:
    async with town(workspace, tmp_path, "企业群发") as life:
        manager, people = await friends_of_one(life, 4)
        await enter_all(life, people)
        await life.go_to("10:05")
        (task,) = life.world.broadcasts.todo(manager)
        assert sorted(task.tasks[manager].outcomes) == sorted(people)
        assert await calls(life, "customer_broadcast") == 1
        assert life.new("single") == []  # no program speaks as the manager
        life.world.contacts.need(manager, people[3]).deleted_by_customer = True
        broadcast.confirm(life.world, task.msgid, manager)
        await life.go_to("10:45")
        assert len(life.new("single", people[0])) == 1
        assert {(await step(life, one)).state for one in people[:3]} == {"confirmed"}
        lost = await step(life, people[3])
        assert (lost.state, lost.reason) == ("failed", "not_friend")


async def test_words_with_a_name_in_them_are_a_task_for_each(
    workspace: Workspace, tmp_path: Path
) -> None:
    async with town(workspace, tmp_path, "企业群发", NAMED) as life:
        manager, people = await friends_of_one(life, 2)
        await enter_all(life, people)
        await life.go_to("10:05")
        for task in life.world.broadcasts.todo(manager):
            broadcast.confirm(life.world, task.msgid, manager)
        await life.go_to("10:45")
        (said,) = life.new("single", people[1])
        assert said.text.startswith("街坊乙您好")
        assert await calls(life, "customer_broadcast") == 2


async def test_a_manager_posts_one_moment_for_all_who_came_to_the_step(
    workspace: Workspace, tmp_path: Path
) -> None:
    async with town(workspace, tmp_path, "朋友圈") as life:
        manager, people = await friends_of_one(life, 3)
        await enter_all(life, people[:2])
        await life.go_to("10:05")
        (moment,) = life.world.moments.moments.values()
        assert moment.members == [manager]
        assert {(await step(life, one)).state for one in people[:2]} == {"waiting"}
        moment_hands.publish(life.world, moment.moment_id, manager)
        await life.go_to("10:30")
        assert {(await step(life, one)).state for one in people[:2]} == {"confirmed"}
        await enter_all(life, people[2:])  # whoever comes later has seen it too
        await life.go_to("10:45")
        assert (await step(life, people[2])).state == "confirmed"
        assert len(life.world.moments.moments) == 1


async def test_a_moment_that_nobody_posts_is_taken_back_and_its_steps_are_over(
    workspace: Workspace, tmp_path: Path
) -> None:
    async with town(workspace, tmp_path, "朋友圈") as life:
        manager, people = await friends_of_one(life, 1)
        await enter_all(life, people)
        await life.go_to("11:40")
        (moment,) = life.world.moments.moments.values()
        assert moment.cancelled
        assert moment_hands.publish(life.world, moment.moment_id, manager) == []
        ended = await step(life, people[0])
        assert (ended.state, ended.reason) == ("skipped", "owner_unconfirmed")


async def test_kf_speaks_by_itself_where_the_customer_wrote_and_else_the_next_way_is_taken(
    workspace: Workspace, tmp_path: Path
) -> None:
    ways = "[微信客服, 提醒经理一键发]"
    async with town(workspace, tmp_path, ways, NAMED) as life:
        manager, people = await friends_of_one(life, 2)
        await life.asks("你好", people[0])
        await enter_all(life, people)
        life.new()
        await life.go_to("10:05")
        (said,) = life.new("kf", people[0])
        assert said.text.startswith("街坊甲您好")
        assert (await step(life, people[0])).state == "confirmed"
        other = await step(life, people[1])
        assert (other.state, other.way) == ("waiting", "提醒经理一键发")
        (card,) = life.cards(manager, f"step:{other.id}:")
        await life.press(card, "sent")
        assert (await step(life, people[1])).state == "confirmed"


async def test_kf_is_silent_while_a_person_has_the_session(
    workspace: Workspace, tmp_path: Path
) -> None:
    async with town(workspace, tmp_path, "微信客服") as life:
        _, people = await friends_of_one(life, 1)
        await enter_all(life, people)
        await life.go_to("09:58")
        await life.asks("转人工", people[0])
        life.new()
        await life.go_to("10:05")
        assert life.answers(people[0]) == []
        ended = await step(life, people[0])
        assert (ended.state, ended.reason) == ("skipped", "person_has_session")


async def test_a_task_for_the_manager_is_done_by_a_press_or_overdue(
    workspace: Workspace, tmp_path: Path
) -> None:
    more = "    时限: 1个工作日\n"
    text = "请给{客户.称呼}打一个电话。"
    async with town(workspace, tmp_path, "提醒经理", text, more) as life:
        manager, people = await friends_of_one(life, 2)
        await enter_all(life, people)
        await life.go_to("10:05")
        first, second = [(await step(life, one)) for one in people]
        (card,) = life.cards(manager, f"step:{first.id}:")
        await life.press(card, "done")
        assert (await step(life, people[0])).state == "confirmed"
        await life.go_to("17:59", "2026-10-13")
        assert (await step(life, people[1])).state == "waiting"
        await life.go_to("18:05", "2026-10-13")
        late = await step(life, people[1])
        assert (late.state, late.reason) == ("skipped", "task_overdue")
        assert second.id == late.id
