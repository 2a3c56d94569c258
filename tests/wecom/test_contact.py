from datetime import timedelta

import pytest

from bot.errors import WeComError
from bot.wecom.answers import CorpTag, GroupMsgResult, GroupMsgTask, MsgTemplate
from bot.wecom.contact import ContactApi
from tests.wecom.conftest import START

PREFIX = "externalcontact/"


@pytest.fixture
def contact(client):
    return ContactApi(client)


async def test_a_member_without_customers_has_an_empty_list(wire, contact):
    wire.put(PREFIX + "list", {"external_userid": ["wm1"]}, {"errcode": 84061, "errmsg": "none"})
    assert await contact.list_customers("a") == ("wm1",)
    assert await contact.list_customers("b") == ()


async def test_a_customer_with_many_followers_is_read_to_the_end(wire, contact):
    tag = {"group_name": "兴趣", "tag_name": "存款", "type": 1, "tag_id": "et1"}
    wire.put(
        PREFIX + "get",
        {
            "external_contact": {"external_userid": "wm1", "name": "李女士", "type": 1},
            "follow_user": [{"userid": "a", "tags": [tag], "createtime": 9, "add_way": 1}],
            "next_cursor": "c",
        },
        {"external_contact": {}, "follow_user": [{"userid": "b"}]},
    )
    found = await contact.get_customer("wm1")
    assert found.external_contact.name == "李女士"
    assert [follow.userid for follow in found.follow_user] == ["a", "b"]
    assert found.follow_user[0].tags[0].tag_id == "et1"
    assert wire.queries(PREFIX + "get")[1]["cursor"] == "c"


async def test_members_customers_come_in_pages_and_in_hundreds_of_members(wire, contact):
    def item(n):
        return {
            "external_contact": {"external_userid": f"wm{n}"},
            "follow_info": {"userid": "u", "tag_id": ["et1", "et2"]},
        }

    path = PREFIX + "batch/get_by_user"
    wire.put(
        path,
        {"external_contact_list": [item(1)], "next_cursor": "c"},
        {"external_contact_list": [item(2)], "next_cursor": ""},
        {"external_contact_list": [item(3)]},
    )
    found = [one async for one in contact.batch_get_by_user([f"u{n}" for n in range(101)])]
    assert [one.external_contact.external_userid for one in found] == ["wm1", "wm2", "wm3"]
    assert found[0].tag_id == ("et1", "et2")
    assert [len(body["userid_list"]) for body in wire.bodies(path)] == [100, 100, 1]


async def test_a_cursor_that_stands_still_ends_the_reading(wire, contact):
    wire.put(
        PREFIX + "groupchat/list", {"group_chat_list": [{"chat_id": "wr"}], "next_cursor": "c"}
    )
    assert await contact.groupchat_list() == ["wr", "wr"]


async def test_groups_are_listed_for_owners_in_hundreds(wire, contact):
    path = PREFIX + "groupchat/list"
    wire.put(path, {"group_chat_list": [{"chat_id": "wr1"}]}, {"group_chat_list": []})
    assert await contact.groupchat_list([f"u{n}" for n in range(120)]) == ["wr1"]
    assert len(wire.bodies(path)[1]["owner_filter"]["userid_list"]) == 20


async def test_a_group_comes_with_its_members(wire, contact):
    member = {"userid": "wm1", "type": 2, "name": "李女士", "invitor": {"userid": "a"}}
    group = {
        "chat_id": "wr1",
        "owner": "a",
        "member_list": [member],
        "admin_list": [{"userid": "b"}],
    }
    wire.put(PREFIX + "groupchat/get", {"group_chat": group})
    found = await contact.groupchat_get("wr1")
    assert (found.owner, found.admin_list) == ("a", ("b",))
    assert (found.member_list[0].name, found.member_list[0].invitor) == ("李女士", "a")
    assert wire.bodies(PREFIX + "groupchat/get") == [{"chat_id": "wr1", "need_name": 1}]


async def test_tags_are_listed_without_deleted_ones_added_and_put_on(wire, contact):
    tags = [{"id": "et1", "name": "存款"}, {"id": "et2", "name": "旧", "deleted": True}]
    group = {"group_id": "eg1", "group_name": "兴趣", "tag": tags}
    wire.put(PREFIX + "get_corp_tag_list", {"tag_group": [group, group | {"deleted": True}]})
    wire.put(PREFIX + "add_corp_tag", {"tag_group": group})
    assert [one.tag for one in await contact.get_corp_tag_list()] == [(CorpTag("et1", "存款"),)]
    assert (await contact.add_corp_tag("兴趣", ["存款"])).group_id == "eg1"
    await contact.mark_tag("a", "wm1", ["et1"])
    assert wire.bodies(PREFIX + "mark_tag") == [
        {"userid": "a", "external_userid": "wm1", "add_tag": ["et1"]}
    ]


async def test_a_mass_message_becomes_a_task_for_its_sender(wire, contact):
    path = PREFIX + "add_msg_template"
    wire.put(path, {"msgid": "g1", "fail_list": ["wr9"]})
    link = {"msgtype": "link", "link": {"title": "t", "url": "https://example.test"}}
    made = await contact.add_msg_template("group", "a", ["wr1"], "您好", [link])
    assert made == MsgTemplate("g1", ("wr9",))
    await contact.add_msg_template("single", "a", ["wm1"], "您好")
    assert wire.bodies(path) == [
        {
            "chat_type": "group",
            "sender": "a",
            "chat_id_list": ["wr1"],
            "text": {"content": "您好"},
            "attachments": [link],
        },
        {
            "chat_type": "single",
            "sender": "a",
            "external_userid": ["wm1"],
            "text": {"content": "您好"},
        },
    ]


@pytest.mark.parametrize(
    ("receivers", "content", "attachments"),
    [
        ([], "好", []),
        (["wr"] * 2001, "好", []),
        (["wr"], "", []),
        (["wr"], "好" * 1334, []),
        (["wr"], "好", [{"msgtype": "file"}] * 10),
    ],
    ids=["nobody", "too many", "empty", "4002 bytes", "ten attachments"],
)
async def test_a_mass_message_wecom_would_refuse_is_not_sent(
    wire, contact, receivers, content, attachments
):
    with pytest.raises(ValueError, match=r"receivers|text|attachments"):
        await contact.add_msg_template("group", "a", receivers, content, attachments)
    assert wire.calls == []


async def test_results_are_read_to_the_end(wire, contact):
    wire.put(
        PREFIX + "get_groupmsg_task",
        {"task_list": [{"userid": "a", "status": 2, "send_time": 5}], "next_cursor": "c"},
        {"task_list": [{"userid": "b", "status": 0}]},
    )
    sent = {"userid": "a", "chat_id": "wr1", "status": 3}
    wire.put(PREFIX + "get_groupmsg_send_result", {"send_list": [sent]})
    assert await contact.get_groupmsg_task("g1") == [
        GroupMsgTask("a", 2, 5),
        GroupMsgTask("b", 0, 0),
    ]
    assert await contact.get_groupmsg_send_result("g1", "a") == [
        GroupMsgResult("a", "", "wr1", 3, 0)
    ]


async def test_the_list_of_mass_messages_names_who_made_them(wire, contact):
    path = PREFIX + "get_groupmsg_list_v2"
    own = {"msgid": "g2", "creator": "a", "create_type": 1, "text": {"content": "好"}}
    wire.put(path, {"group_msg_list": [{"msgid": "g1"}, own]})
    found = await contact.get_groupmsg_list_v2("group", START, START + timedelta(days=1))
    assert [(one.msgid, one.creator, one.content) for one in found] == [
        ("g1", "", ""),
        ("g2", "a", "好"),
    ]
    body = wire.bodies(path)[0]
    assert body["end_time"] - body["start_time"] == 86_400


async def test_reminders_and_cancels_tell_when_they_are_refused(wire, contact):
    wire.put(PREFIX + "cancel_groupmsg_send", {"errcode": 41093, "errmsg": "cancelled"})
    await contact.remind_groupmsg_send("g1")
    with pytest.raises(WeComError) as refused:
        await contact.cancel_groupmsg_send("g1")
    assert refused.value.errcode == 41093
    assert wire.bodies(PREFIX + "remind_groupmsg_send") == [{"msgid": "g1"}]


async def test_welcomes_for_friends_and_for_groups(wire, contact):
    wire.put(PREFIX + "group_welcome_template/add", {"template_id": "t1"})
    await contact.send_welcome_msg("code", "您好")
    link = {"msgtype": "link", "link": {"title": "t", "url": "https://example.test"}}
    assert await contact.group_welcome_template_add("您好", link, notify=False) == "t1"
    assert wire.bodies(PREFIX + "send_welcome_msg") == [
        {"welcome_code": "code", "text": {"content": "您好"}}
    ]
    assert wire.bodies(PREFIX + "group_welcome_template/add") == [
        {"text": {"content": "您好"}, "notify": 0, "link": link["link"]}
    ]


async def test_members_with_customers_are_listed(wire, contact):
    wire.put(PREFIX + "get_follow_user_list", {"follow_user": ["a", "b"]})
    assert await contact.get_follow_user_list() == ("a", "b")
