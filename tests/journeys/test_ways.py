"""渠道活码 and 入群活码 are made from the bank's file: each once, and kept as the file has them."""

from __future__ import annotations

import pytest

from bot.emulator import join_ways
from bot.emulator.faults import ANY_API
from bot.storage.tables import contact_ways
from bot.storage.ways import MadeWay
from tests.journeys.town import Life, edit

ADD, ADD_JOIN = "externalcontact/add_contact_way", "externalcontact/groupchat/add_join_way"
HALL = "  - {名称: 大堂易拉宝, 标识: hall-b01, 员工: [li.min]}"
JOIN = "  - {名称: 银龄群, 标识: grp-b01, 群: [%s], 新群名: 银龄安心群, 起始序号: 9}"
FILE = "sop/_workspace.yaml"


async def write(life: Life, *contact: str, join: str = "") -> None:
    """Put codes into the bank's file, in place of those that were there."""
    lines = ["渠道活码:", *contact] if contact else []
    lines += ["入群活码:", join] if join else []
    path = life.demo.workspace.root / FILE
    text = path.read_text("utf-8").split("\n# codes\n")[0].rstrip()
    path.write_text(text + "\n\n# codes\n" + "\n".join(lines) + "\n", "utf-8")
    assert await life.demo.bot.content_worker.reload(), life.demo.bot.content.problems
    await life.settle()


async def made(life: Life) -> list[MadeWay]:
    async with life.demo.bot.database.read() as tx:
        return await tx.ways.all()


def there(life: Life) -> list[tuple[str, tuple[str, ...], str]]:
    return [(w.state, w.users, w.remark) for w in life.world.contacts.ways.ways.values()]


async def test_a_code_is_made_once_and_changed_where_the_file_changes(life: Life) -> None:
    await write(life, HALL)
    (way,) = await made(life)
    assert (way.status, way.wanted.state) == ("ready", "hall-b01")
    assert way.link.startswith("https://")
    await life.demo.restart()
    await life.settle()
    assert there(life) == [("hall-b01", ("li.min",), "大堂易拉宝")]
    await write(life, HALL.replace("[li.min]", "[li.min, wang.haoran]"))
    assert there(life) == [("hall-b01", ("li.min", "wang.haoran"), "大堂易拉宝")]
    (changed,) = await made(life)
    assert (changed.config_id, changed.link) == (way.config_id, way.link)


async def test_one_that_is_no_longer_in_the_file_is_listed_and_left_alone(life: Life) -> None:
    await write(life, HALL)
    await write(life)
    assert [way.status for way in await made(life)] == ["orphan"]
    assert len(there(life)) == 1
    await write(life, HALL)
    assert [way.status for way in await made(life)] == ["ready"]
    assert len(there(life)) == 1


async def test_one_that_somebody_changed_or_deleted_is_mended_the_next_day(life: Life) -> None:
    await write(life, HALL)
    book = life.world.contacts.ways.ways
    (config_id,) = book
    del book[config_id]
    await life.wait(25 * 60)
    assert there(life) == [("hall-b01", ("li.min",), "大堂易拉宝")]
    assert config_id not in book


async def test_staff_who_are_away_are_left_out_of_a_branchs_code(life: Life) -> None:
    await write(life, HALL.replace("员工: [li.min]", "网点: b01"))
    assert set(there(life)[0][1]) == {"li.min", "wang.haoran", "zhao.xiulan"}
    edit(
        life.demo.workspace,
        FILE,
        "{userid: li.min, 姓名: 李敏, 称呼: 李经理, 角色: 客户经理, 网点: b01, 在岗: true}",
        "{userid: li.min, 姓名: 李敏, 称呼: 李经理, 角色: 客户经理, 网点: b01, 在岗: false}",
    )
    assert await life.demo.bot.content_worker.reload()
    await life.settle()
    assert set(there(life)[0][1]) == {"wang.haoran", "zhao.xiulan"}


@pytest.mark.parametrize("kind", ["lost_answer", "crash"])
async def test_one_whose_making_was_interrupted_is_found_and_not_made_twice(
    life: Life, kind: str
) -> None:
    if kind == "lost_answer":
        life.world.faults.plan(ADD, "lost_answer")
    await write(life, HALL)
    if kind == "crash":  # as if the process had died between the call and the write
        async with life.demo.bot.database.begin() as tx:
            values = {"status": "making", "config_id": "", "due_at": life.demo.clock.now()}
            begun = {"begun_at": life.demo.clock.now()}
            await tx.connection.execute(contact_ways.update().values(**values, **begun))
        await life.demo.restart()
    await life.wait(2)
    assert len(there(life)) == 1
    (way,) = await made(life)
    assert (way.status, way.config_id) == ("ready", *life.world.contacts.ways.ways)


async def test_one_that_surely_was_not_made_is_made_later(life: Life) -> None:
    life.world.faults.plan(ADD, "errcode", errcode=-1)
    await write(life, HALL)
    assert [way.status for way in await made(life)] == ["planned"]
    await life.wait(2)
    assert [way.status for way in await made(life)] == ["ready"]
    assert len(there(life)) == 1


async def test_one_that_wecom_refuses_stands_still_with_the_reason(life: Life) -> None:
    life.world.faults.plan(ADD, "errcode", errcode=41045)
    await write(life, HALL)
    await life.wait(120)
    (way,) = await made(life)
    assert (way.status, way.reason) == ("failed", "wecom_41045")
    assert there(life) == []
    async with life.demo.bot.database.begin() as tx:
        assert await tx.ways.retry("大堂易拉宝", life.demo.clock.now()) == 1
    await life.settle()
    assert [one.status for one in await made(life)] == ["ready"]


async def test_a_code_into_groups_finds_them_by_name(life: Life) -> None:
    name = life.world.groups.need(life.chat).name
    await write(life, join=JOIN % name)
    (way,) = await made(life)
    (there_is,) = life.world.groups.join_ways.ways.values()
    assert (way.status, way.config_id) == ("ready", there_is.config_id)
    assert (there_is.chat_ids, there_is.state) == ((life.chat,), "grp-b01")
    assert (there_is.room_base_name, there_is.room_base_id) == ("银龄安心群", 9)
    assert way.link == there_is.as_json()["qr_code"]
    newcomer = life.world.settle_customer("", "王阿姨")
    assert join_ways.scans(life.world, there_is.config_id, newcomer) == life.chat


async def test_a_group_there_is_none_of_is_waited_for(life: Life) -> None:
    await write(life, join=JOIN % "还没建的群")
    (way,) = await made(life)
    assert (way.status, "还没建的群" in way.reason) == ("planned", True)
    life.world.groups.need(life.chat).name = "还没建的群"
    await life.go_to("03:30", "2026-10-13")
    assert [one.status for one in await made(life)] == ["ready"]


async def test_nobody_can_tell_what_became_of_a_code_into_groups(life: Life) -> None:
    """WeCom has no list of join ways: in doubt a person looks, and says go on."""
    name = life.world.groups.need(life.chat).name
    life.world.faults.plan(ADD_JOIN, "lost_answer")
    await write(life, join=JOIN % name)
    await life.wait(60)
    assert [way.status for way in await made(life)] == ["unknown"]
    assert len(life.world.groups.join_ways.ways) == 1
    async with life.demo.bot.database.begin() as tx:
        await tx.ways.retry("银龄群", life.demo.clock.now())
    await life.settle()
    assert [way.status for way in await made(life)] == ["ready"]
    assert len(life.world.groups.join_ways.ways) == 2


async def test_while_wecom_is_down_nothing_is_lost(life: Life) -> None:
    life.world.faults.plan(ANY_API, "errcode", errcode=-1, times=500)
    await write(life, HALL)
    await life.wait(5)
    life.world.faults.clear()
    await life.wait(5)
    assert [way.status for way in await made(life)] == ["ready"]
    assert len(there(life)) == 1
