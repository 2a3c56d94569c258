"""The statistics of members and groups, and a mass message that nobody sends for too long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FakeClock
from bot.emulator import contact, groups
from bot.emulator.days import stamp
from bot.emulator.world import World

from .conftest import LI, MANAGER, OTHER, WANG, Api


@pytest.fixture
def day(clock: FakeClock) -> int:
    return stamp((clock.now() + timedelta(hours=8)).date())


async def test_a_members_day_is_counted(api: Api, world: World, clock: FakeClock, day: int) -> None:
    for customer in (LI, WANG):
        contact.befriend(world, MANAGER, customer, quiet=True)
    await api.steer("contacts/apply", {"userid": MANAGER, "external_userid": LI})
    contact.says(world, MANAGER, LI, "在吗", by="customer")
    clock.advance(minutes=3)
    contact.says(world, MANAGER, LI, "在的", by="member")
    contact.says(world, MANAGER, WANG, "您好", by="customer")
    contact.unfriend(world, MANAGER, WANG, by="customer")
    clock.advance(days=1)
    await api.gettoken()
    span = {"userid": [MANAGER], "start_time": day, "end_time": day}
    answer = await api.post("externalcontact/get_user_behavior_data", span)
    assert answer["behavior_data"] == [
        {
            "stat_time": day,
            "chat_cnt": 1,
            "message_cnt": 1,
            "negative_feedback_cnt": 1,
            "new_apply_cnt": 1,
            "new_contact_cnt": 2,
            "reply_percentage": 50.0,
            "avg_reply_time": 3,
        }
    ]
    for more, code in (
        ({"userid": []}, 40058),
        ({"end_time": day + 86400}, 40058),
        ({"start_time": day - 30 * 86400}, 40058),
        ({"userid": ["nobody"]}, 60111),
    ):
        path = "externalcontact/get_user_behavior_data"
        assert await api.code(path, {**span, **more}) == code


async def test_groups_are_counted_by_owner_and_by_day(
    api: Api, world: World, clock: FakeClock, day: int
) -> None:
    first = groups.create(world, MANAGER, "一群", [LI, WANG], quiet=True)
    groups.create(world, OTHER, "二群", [LI], quiet=True)
    groups.says(world, first.chat_id, LI, "您好")
    groups.owner_says(world, first.chat_id, "您好")
    clock.advance(days=1)
    groups.says(world, first.chat_id, WANG, "早")
    clock.advance(days=1)
    await api.gettoken()
    span = {
        "day_begin_time": day,
        "day_end_time": day,
        "owner_filter": {"userid_list": [OTHER, MANAGER]},
        "order_by": 4,
    }
    answer = await api.post("externalcontact/groupchat/statistic", span)
    assert [item["owner"] for item in answer["items"]] == [MANAGER, OTHER]
    assert answer["items"][0]["data"] == {
        "new_chat_cnt": 1,
        "chat_total": 1,
        "chat_has_msg": 1,
        "new_member_cnt": 2,
        "member_total": 2,
        "member_has_msg": 2,
        "msg_total": 2,
        "migrate_trainee_chat_cnt": 0,
    }
    one = await api.post("externalcontact/groupchat/statistic", {**span, "limit": 1})
    assert (one["total"], one["next_offset"], len(one["items"])) == (2, 1, 1)
    both = {**span, "day_end_time": day + 86400}
    days = await api.post("externalcontact/groupchat/statistic_group_by_day", both)
    assert [(item["stat_time"], item["data"]["msg_total"]) for item in days["items"]] == [
        (day, 2),
        (day + 86400, 1),
    ]
    missing = {"day_begin_time": day}
    assert await api.code("externalcontact/groupchat/statistic", missing) == 40058


async def test_a_mass_message_nobody_sends_closes_after_its_days(
    api: Api, world: World, clock: FakeClock
) -> None:
    contact.befriend(world, MANAGER, LI, quiet=True)
    chosen = {"assumed.broadcast_days": 7, "broadcasts.dispatch_s": 60}
    await api.steer("settings", {"settings": chosen})
    body = {"external_userid": [LI], "sender": MANAGER, "text": {"content": "国债"}}
    msgid = (await api.post("externalcontact/add_msg_template", body))["msgid"]
    assert await api.code("externalcontact/get_groupmsg_task", {"msgid": msgid}) == 41063
    clock.advance(seconds=60)
    assert await api.code("externalcontact/get_groupmsg_task", {"msgid": msgid}) == 0
    clock.advance(days=7)
    results = await api.steer("broadcasts/confirm", {"msgid": msgid, "userid": MANAGER})
    assert results["results"] == {}
    assert len(world.deliveries) == 0
