"""Customers and groups that are handed on: 24 hours, refusals, limits, resignations."""

from __future__ import annotations

from typing import Any

import pytest

from bot.clock import FakeClock
from bot.emulator import contact, groups
from bot.emulator.world import World

from .conftest import LI, MANAGER, OTHER, WANG, Api, Receiver

PAIR = {"handover_userid": MANAGER, "takeover_userid": OTHER}


@pytest.fixture(autouse=True)
def friends(world: World) -> None:
    for customer in (LI, WANG):
        contact.befriend(world, MANAGER, customer, state="lobby", quiet=True)


async def begin(api: Api, *customers: str, path: str = "transfer_customer") -> list[int]:
    body = {**PAIR, "external_userid": list(customers)}
    answer = await api.post(f"externalcontact/{path}", body)
    assert answer["errcode"] == 0, answer
    return [item["errcode"] for item in answer["customer"]]


async def statuses(api: Api, path: str = "transfer_result") -> list[int]:
    answer = await api.post(f"externalcontact/{path}", PAIR)
    return [item["status"] for item in answer["customer"]]


async def told(world: World, receiver: Receiver) -> list[dict[str, Any]]:
    await world.callbacks.flush()
    return receiver.take()


async def test_a_customer_goes_over_after_a_day_unless_he_refuses(
    api: Api, world: World, receiver: Receiver, clock: FakeClock
) -> None:
    assert await begin(api, LI, WANG, "wmNOBODY") == [0, 0, 40096]
    assert await begin(api, LI) == [40129]
    await api.steer("transfers/refuse", {"external_userid": WANG, "takeover_userid": OTHER})
    assert await statuses(api) == [2, 3]
    clock.advance(hours=24)
    await api.gettoken()
    assert await statuses(api) == [1, 3]
    assert [friend.external_userid for friend in world.contacts.of_member(OTHER)] == [LI]
    assert [friend.external_userid for friend in world.contacts.of_member(MANAGER)] == [WANG]
    refused, gone, come = await told(world, receiver)
    assert (refused["ChangeType"], refused["FailReason"]) == ("transfer_fail", "customer_refused")
    assert (gone["ChangeType"], gone["Source"], gone["UserID"]) == (
        "del_external_contact",
        "DELETE_BY_TRANSFER",
        MANAGER,
    )
    assert (come["ChangeType"], come["UserID"], come["State"]) == (
        "add_external_contact",
        OTHER,
        "lobby",
    )
    shown = await api.get("externalcontact/get", external_userid=LI)
    assert shown["follow_user"][0]["add_way"] == 202


async def test_a_full_colleague_takes_nobody_over(
    api: Api, world: World, receiver: Receiver, clock: FakeClock
) -> None:
    world.assumed.customers_per_member = 0
    await begin(api, LI)
    clock.advance(hours=24)
    assert (await told(world, receiver))[0]["FailReason"] == "customer_limit_exceed"
    await api.gettoken()
    assert await statuses(api) == [4]


async def test_a_customer_is_handed_on_twice_in_ninety_days(
    api: Api, world: World, clock: FakeClock
) -> None:
    for _ in range(2):
        await begin(api, LI)
        await api.steer("transfers/refuse", {"external_userid": LI, "takeover_userid": OTHER})
    assert await begin(api, LI) == [40128]
    clock.advance(days=90, seconds=1)
    await api.gettoken()
    assert await begin(api, LI) == [0]
    wrong = {"handover_userid": MANAGER, "takeover_userid": MANAGER, "external_userid": [LI]}
    assert await api.code("externalcontact/transfer_customer", wrong) == 40130
    stranger = world.settle_customer("", "陌生人")
    assert await begin(api, stranger) == [40131]


async def test_who_resigned_leaves_customers_and_groups_to_others(
    api: Api, world: World, receiver: Receiver, clock: FakeClock
) -> None:
    group = groups.create(world, MANAGER, "城东群", [LI], quiet=True)
    body = {**PAIR, "external_userid": [LI]}
    assert await api.code("externalcontact/resigned/transfer_customer", body) == 40097
    await api.steer("members/resign", {"userid": MANAGER})
    listed = await api.post("externalcontact/get_unassigned_list", {"page_size": 1})
    assert [item["external_userid"] for item in listed["info"]] == [LI]
    rest = {"page_size": 1, "cursor": listed["next_cursor"]}
    rest_listed = await api.post("externalcontact/get_unassigned_list", rest)
    assert (rest_listed["is_last"], rest_listed["info"][0]["external_userid"]) == (True, WANG)
    assert await begin(api, LI, path="resigned/transfer_customer") == [0]
    clock.advance(hours=24)
    await api.gettoken()
    assert await statuses(api, "resigned/transfer_result") == [1]
    assert [event["ChangeType"] for event in await told(world, receiver)] == [
        "add_external_contact"
    ]
    assert group.status == 1
    moved = {"chat_id_list": [group.chat_id], "new_owner": OTHER}
    on_job = await api.post("externalcontact/groupchat/onjob_transfer", moved)
    assert on_job["failed_chat_list"][0]["errcode"] == 90502
    world.assumed.resigned_group_transfer_s = 3600
    assert await api.post("externalcontact/groupchat/transfer", moved) == {
        "errcode": 0,
        "errmsg": "ok",
        "failed_chat_list": [],
    }
    assert (group.status, group.owner) == (2, MANAGER)
    clock.advance(hours=1)
    event = (await told(world, receiver))[-1]
    assert (group.status, group.owner, event["UpdateDetail"]) == (3, OTHER, "change_owner")


async def test_a_group_is_handed_on_the_job_twice_in_ninety_days(api: Api, world: World) -> None:
    group = groups.create(world, MANAGER, "城东群", [LI], quiet=True)

    async def move(owner: str) -> list[int]:
        body = {"chat_id_list": [group.chat_id], "new_owner": owner}
        answer = await api.post("externalcontact/groupchat/onjob_transfer", body)
        return [item["errcode"] for item in answer["failed_chat_list"]]

    assert await move(MANAGER) == [90504]
    assert await move(OTHER) == []
    assert await move(MANAGER) == []
    assert await move(OTHER) == [40128]
    body = {"chat_id_list": [group.chat_id, "wrNONE"], "new_owner": OTHER}
    answer = await api.post("externalcontact/groupchat/transfer", body)
    assert [item["errcode"] for item in answer["failed_chat_list"]] == [90500, 90501]
