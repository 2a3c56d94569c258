import pytest

from bot.errors import WeComError
from bot.wecom.kf import KfApi, KfCustomer, Servicer, ServiceState, SyncPage

KF = "wk1"


@pytest.fixture
def kf(client):
    return KfApi(client)


async def test_a_page_carries_its_cursor_and_an_empty_one_may_have_more(wire, kf):
    wire.put("kf/sync_msg", {"next_cursor": "c1", "has_more": 1, "msg_list": []})
    assert await kf.sync_msg(KF, "", "t") == SyncPage("c1", True, [])
    assert wire.bodies("kf/sync_msg") == [{"open_kfid": KF, "limit": 1000, "token": "t"}]


async def test_an_expired_doorbell_token_is_left_out_and_the_page_still_comes(wire, kf):
    page = {"next_cursor": "c2", "has_more": 0, "msg_list": [{"msgid": "m"}]}
    wire.put("kf/sync_msg", {"errcode": 95007, "errmsg": "invalid msg token"}, page)
    assert await kf.sync_msg(KF, "c1", "old", 10) == SyncPage("c2", False, [{"msgid": "m"}])
    assert wire.bodies("kf/sync_msg")[1] == {"open_kfid": KF, "limit": 10, "cursor": "c1"}


async def test_another_error_is_not_repeated(wire, kf):
    wire.put("kf/sync_msg", {"errcode": 45009, "errmsg": "api freq out of limit"})
    with pytest.raises(WeComError):
        await kf.sync_msg(KF, "c1", "t")
    assert wire.count("kf/sync_msg") == 1


async def test_an_answer_without_a_cursor_keeps_the_old_one(wire, kf):
    wire.put("kf/sync_msg", {"has_more": 0})
    assert (await kf.sync_msg(KF, "c9", "")).next_cursor == "c9"


async def test_messages_return_their_ids(wire, kf):
    wire.put("kf/send_msg", {"msgid": "m1"})
    wire.put("kf/send_msg_on_event", {"msgid": "m2"})
    assert await kf.send_msg({"touser": "wm1", "open_kfid": KF}) == "m1"
    assert await kf.send_msg_on_event({"code": "c"}) == "m2"


async def test_a_session_is_read_and_moved(wire, kf):
    wire.put("kf/service_state/get", {"service_state": 3, "servicer_userid": "zhang"})
    wire.put("kf/service_state/trans", {"msg_code": "code"})
    assert await kf.service_state(KF, "wm1") == ServiceState(3, "zhang")
    assert await kf.trans(KF, "wm1", 3, "zhang") == "code"
    await kf.trans(KF, "wm1", 2)
    assert wire.bodies("kf/service_state/trans") == [
        {"open_kfid": KF, "external_userid": "wm1", "service_state": 3, "servicer_userid": "zhang"},
        {"open_kfid": KF, "external_userid": "wm1", "service_state": 2},
    ]


async def test_accounts_are_read_to_the_end(wire, kf):
    first = [{"open_kfid": f"wk{n}", "name": "n", "manage_privilege": True} for n in range(100)]
    last = [{"open_kfid": "wk100", "name": "n", "manage_privilege": False}]
    wire.put("kf/account/list", {"account_list": first}, {"account_list": last})
    accounts = await kf.list_accounts()
    assert len(accounts) == 101
    assert accounts[0].manage_privilege
    assert not accounts[100].manage_privilege
    assert wire.bodies("kf/account/list")[1] == {"offset": 100, "limit": 100}


async def test_customers_are_asked_for_a_hundred_at_a_time(wire, kf):
    context = {"scene": "lobby", "scene_param": "a"}
    known = {"external_userid": "wm0", "nickname": "李女士", "enter_session_context": context}
    wire.put("kf/customer/batchget", {"customer_list": [known]}, {"customer_list": []})
    found = await kf.customer_batchget([f"wm{n}" for n in range(150)])
    assert found == [KfCustomer("wm0", "李女士", "", 0, "", "lobby", "a")]
    sizes = [len(body["external_userid_list"]) for body in wire.bodies("kf/customer/batchget")]
    assert sizes == [100, 50]


async def test_servicers_are_members_with_their_state(wire, kf):
    servicers = [{"userid": "a", "status": 0}, {"userid": "b", "status": 1}, {"department_id": 2}]
    wire.put("kf/servicer/list", {"servicer_list": servicers})
    assert await kf.servicers(KF) == [Servicer("a", True), Servicer("b", False)]


async def test_a_link_is_made_for_a_scene(wire, kf):
    wire.put("kf/add_contact_way", {"url": "https://example.test/kf/1?enc_scene=x"})
    assert await kf.add_contact_way(KF, "lobby") == "https://example.test/kf/1?enc_scene=x"
    assert wire.bodies("kf/add_contact_way") == [{"open_kfid": KF, "scene": "lobby"}]
