"""Moments: a call makes a job, members publish by hand, customers answer."""

from __future__ import annotations

from typing import Any

import pytest

from bot.clock import FakeClock
from bot.emulator import contact
from bot.emulator.tags import add_tags
from bot.emulator.world import World

from .conftest import LI, MANAGER, OTHER, WANG, Api

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
PATH = "externalcontact"


@pytest.fixture
def tag(world: World) -> str:
    tag = add_tags(world, "意向", ["国债"])[0]
    for customer in (LI, WANG):
        contact.befriend(world, MANAGER, customer, quiet=True)
    world.contacts.need(MANAGER, LI).tags.append(tag)
    return tag


async def begin(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    job = await api.post(f"{PATH}/add_moment_task", body)
    assert job["errcode"] == 0, job
    result = await api.get(f"{PATH}/get_moment_task_result", jobid=job["jobid"])
    assert (result["status"], result["type"]) == (3, "add_moment_task")
    found: dict[str, Any] = result["result"]
    return found


async def test_a_moment_is_published_by_hand_and_seen_by_those_it_is_for(
    api: Api, world: World, tag: str
) -> None:
    ranges = {
        "sender_list": {"user_list": [MANAGER, "nobody"], "department_list": [9]},
        "external_contact_list": {"tag_list": [tag, "etBAD"]},
    }
    made = await begin(api, {"text": {"content": "国债发售"}, "visible_range": ranges})
    assert made["invalid_sender_list"] == {"user_list": ["nobody"], "department_list": [9]}
    assert made["invalid_external_contact_list"] == {"tag_list": ["etBAD"]}
    moment = {"moment_id": made["moment_id"]}
    one = {**moment, "userid": MANAGER}
    tasks = await api.post(f"{PATH}/get_moment_task", moment)
    assert tasks["task_list"] == [{"userid": MANAGER, "publish_status": 0}]
    able = await api.post(f"{PATH}/get_moment_customer_list", one)
    assert able["customer_list"] == [{"userid": MANAGER, "external_userid": LI}]
    assert (await api.post(f"{PATH}/get_moment_send_result", one))["customer_list"] == []
    assert (await api.steer("moments/publish", one))["customers"] == [LI]
    sent = await api.post(f"{PATH}/get_moment_send_result", one)
    assert sent["customer_list"] == [{"external_userid": LI}]
    assert world.deliveries.select("moment", LI)[0].text == "国债发售"
    await api.steer("moments/react", {**one, "who": LI})
    await api.steer("moments/react", {**one, "who": MANAGER, "text": "欢迎咨询"})
    refused = await api.control("moments/react", {**one, "who": WANG})
    assert refused["errcode"] == 40058
    said = await api.post(f"{PATH}/get_moment_comments", one)
    assert [item["external_userid"] for item in said["like_list"]] == [LI]
    assert [item["userid"] for item in said["comment_list"]] == [MANAGER]


async def test_lists_tell_the_corps_from_the_personal_and_cancelled_are_not_published(
    api: Api, world: World, tag: str
) -> None:
    made = await begin(api, {"text": {"content": "国债发售"}})
    own = {"userid": OTHER, "text": {"content": "周末愉快"}}
    personal = (await api.steer("moments/personal", own))["moment_id"]
    span = {"start_time": world.timestamp() - 9, "end_time": world.timestamp() + 9}
    found = {}
    for kind in (0, 1, 2):
        answer = await api.post(f"{PATH}/get_moment_list", {**span, "filter_type": kind})
        found[kind] = [item["moment_id"] for item in answer["moment_list"]]
    assert found == {0: [made["moment_id"]], 1: [personal], 2: [made["moment_id"], personal]}
    moment = {"moment_id": made["moment_id"]}
    assert await api.code(f"{PATH}/cancel_moment_task", moment) == 0
    assert (await api.steer("moments/publish", {**moment, "userid": MANAGER}))["customers"] == []
    longer = {**span, "start_time": 0}
    assert await api.code(f"{PATH}/get_moment_list", longer) == 40058


async def test_a_moments_parts_and_frequency_are_limited(
    api: Api, world: World, clock: FakeClock
) -> None:
    scene = world.media.put("image", "图.png", PNG, scene=1).media_id
    plain = world.media.put("image", "图.png", PNG).media_id
    link = {"msgtype": "link", "link": {"title": "表", "url": "https://b.example/"}}

    def picture(media_id: str) -> dict[str, Any]:
        return {"msgtype": "image", "image": {"media_id": media_id}}

    for attachments, code in (
        ([picture(scene)] * 9, 0),
        ([picture(scene)] * 10, 41064),
        ([picture(plain)], 41072),
        ([picture(scene), link], 41065),
        ([link, link], 41064),
        ([], 41089),
    ):
        body = {"attachments": attachments}
        assert await api.code(f"{PATH}/add_moment_task", body) == code
    body = {"text": {"content": "好"}}
    codes = [await api.code(f"{PATH}/add_moment_task", body) for _ in range(5)]
    assert codes == [0, 0, 0, 0, 45009]
    clock.advance(seconds=61)
    world.assumed.moment_job_s = 5
    job = await api.post(f"{PATH}/add_moment_task", body)
    running = await api.get(f"{PATH}/get_moment_task_result", jobid=job["jobid"])
    assert running["status"] == 1
    clock.advance(seconds=5)
    done = await api.get(f"{PATH}/get_moment_task_result", jobid=job["jobid"])
    assert done["status"] == 3
    clock.advance(days=1, seconds=1)
    await api.gettoken()
    gone = await api.get(f"{PATH}/get_moment_task_result", jobid=job["jobid"])
    assert gone["errcode"] == 40058
