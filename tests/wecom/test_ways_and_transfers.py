"""Codes and transfers on the wire, field for field."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import WeComError
from bot.wecom.transfers import Outcome, TransferApi, Unassigned
from bot.wecom.ways import JoinWay, WayApi
from tests.wecom.conftest import START

PREFIX = "externalcontact/"


@pytest.fixture
def ways(client):
    return WayApi(client)


@pytest.fixture
def transfers(client):
    return TransferApi(client)


async def test_a_code_for_one_member_and_one_for_several(wire, ways):
    wire.put(PREFIX + "add_contact_way", {"config_id": "c1", "qr_code": "https://q"})
    made = await ways.add_contact_way("hall", ["a"], "大堂", skip_verify=True)
    assert made == ("c1", "https://q")
    await ways.add_contact_way("hall", ["a", "b"], "大堂", skip_verify=False)
    one, several = wire.bodies(PREFIX + "add_contact_way")
    assert one == {
        "type": 1,
        "scene": 2,
        "remark": "大堂",
        "skip_verify": True,
        "state": "hall",
        "user": ["a"],
    }
    assert (several["type"], several["user"], several["skip_verify"]) == (2, ["a", "b"], False)


async def test_a_code_is_read_changed_and_found_in_the_list(wire, ways):
    found = {"config_id": "c1", "state": "hall", "skip_verify": True, "user": ["a"]}
    wire.put(PREFIX + "get_contact_way", {"contact_way": found | {"qr_code": "https://q"}})
    way = await ways.get_contact_way("c1")
    assert (way.state, way.user, way.qr_code, way.skip_verify) == (
        "hall",
        ("a",),
        "https://q",
        True,
    )
    await ways.update_contact_way("c1", "hall", ["b"], "新", skip_verify=True)
    assert wire.bodies(PREFIX + "update_contact_way")[0]["config_id"] == "c1"
    wire.put(
        PREFIX + "list_contact_way",
        {"contact_way": [{"config_id": "c1"}], "next_cursor": "n"},
        {"contact_way": [{"config_id": "c2"}]},
    )
    assert await ways.list_contact_way(START, START + timedelta(days=1)) == ["c1", "c2"]
    first = wire.bodies(PREFIX + "list_contact_way")[0]
    assert first["end_time"] - first["start_time"] == 86400


@pytest.mark.parametrize("auto", [True, False])
async def test_a_code_into_groups_names_new_ones_only_where_it_makes_them(wire, ways, auto):
    wire.put(PREFIX + "groupchat/add_join_way", {"config_id": "j1"})
    room = JoinWay("", "grp", "群", auto, "安心群", 3, ("wr1",), "")
    assert await ways.add_join_way(room) == "j1"
    (body,) = wire.bodies(PREFIX + "groupchat/add_join_way")
    assert (body["chat_id_list"], body["auto_create_room"]) == (["wr1"], int(auto))
    assert ("room_base_name" in body) is auto
    wire.put(PREFIX + "groupchat/get_join_way", {"join_way": {**body, "qr_code": "https://q"}})
    assert (await ways.get_join_way("j1")).qr_code == "https://q"


async def test_a_code_into_groups_is_overwritten_as_a_whole(wire, ways):
    await ways.update_join_way(JoinWay("j1", "grp", "群", True, "", 1, ("wr1", "wr2"), ""))
    (body,) = wire.bodies(PREFIX + "groupchat/update_join_way")
    assert (body["config_id"], body["chat_id_list"]) == ("j1", ["wr1", "wr2"])


@pytest.mark.parametrize(("resigned", "path"), [(False, ""), (True, "resigned/")])
async def test_customers_are_asked_over_and_asked_after(wire, transfers, resigned, path):
    answer = {"customer": [{"external_userid": "wm1", "errcode": 0}]}
    wire.put(PREFIX + path + "transfer_customer", answer)
    asked = await transfers.transfer_customer("a", "b", ["wm1"], resigned=resigned, words="您好")
    assert asked == {"wm1": 0}
    (body,) = wire.bodies(PREFIX + path + "transfer_customer")
    assert (body["handover_userid"], body["takeover_userid"]) == ("a", "b")
    assert ("transfer_success_msg" in body) is not resigned  # only on the job WeCom takes words
    wire.put(
        PREFIX + path + "transfer_result",
        {"customer": [{"external_userid": "wm1", "status": 2}], "next_cursor": "n"},
        {"customer": [{"external_userid": "wm2", "status": 1}]},
    )
    found = await transfers.transfer_result("a", "b", resigned=resigned)
    assert found == [Outcome("wm1", 2), Outcome("wm2", 1)]


@pytest.mark.parametrize(("resigned", "call"), [(False, "onjob_transfer"), (True, "transfer")])
async def test_groups_that_were_refused_are_named(wire, transfers, resigned, call):
    path = f"{PREFIX}groupchat/{call}"
    wire.put(path, {"failed_chat_list": [{"chat_id": "wr2", "errcode": 90504}]})
    assert await transfers.transfer_groups(["wr1", "wr2"], "b", resigned=resigned) == {"wr2": 90504}
    assert wire.bodies(path) == [{"chat_id_list": ["wr1", "wr2"], "new_owner": "b"}]


async def test_who_left_is_listed_to_the_end(wire, transfers):
    one = {"handover_userid": "a", "external_userid": "wm1"}
    wire.put(
        PREFIX + "get_unassigned_list",
        {"info": [one], "next_cursor": "n"},
        {"info": [one | {"external_userid": "wm2"}]},
    )
    found = await transfers.get_unassigned_list()
    assert found == [Unassigned("a", "wm1"), Unassigned("a", "wm2")]


async def test_a_refusal_is_raised_with_its_code(wire, transfers):
    wire.put(PREFIX + "transfer_customer", {"errcode": 40097, "errmsg": "not resigned"})
    with pytest.raises(WeComError, match="40097"):
        await transfers.transfer_customer("a", "b", ["wm1"], resigned=False)
