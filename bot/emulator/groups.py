"""The customer group API (list, get, welcome material) and the players' side over HTTP.

There is no API that speaks in a customer group: its words come from people and mass messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.emulator import group_welcome
from bot.emulator.group_actions import (
    attach_welcome,
    change_owner,
    create,
    deliver,
    dismiss,
    join,
    leave,
    owner_says,
    rename,
    says,
    set_notice,
)
from bot.emulator.group_book import CUSTOMER, Group, GroupBook, GroupLine, GroupMember
from bot.emulator.paging import page
from bot.emulator.scope import check_range, visible_members
from bot.emulator.wire import Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

TOO_MANY_PEOPLE = 81017
MOST_WITHOUT_FILTER = 1000
SHOWN_LINES = 200


async def _list(world: World, call: Call) -> dict[str, object]:
    limit = call.integer("limit", low=1, high=1000)
    status = call.integer("status_filter", 0, low=0, high=3)
    owners = call.inside("owner_filter", required=False).strings("userid_list", 100)
    for userid in owners:
        check_range(world, call, userid)
    visible = visible_members(world, call)
    if not owners and len(visible) > MOST_WITHOUT_FILTER:
        raise ApiError(TOO_MANY_PEOPLE)
    wanted = set(owners or visible)
    found = [
        group
        for group in world.groups.living()
        if group.owner in wanted and (not status or group.status == status)
    ]
    part, following = page(found, call.text("cursor", required=False), limit)
    answer: dict[str, object] = {
        "group_chat_list": [{"chat_id": group.chat_id, "status": group.status} for group in part]
    }
    return answer | ({"next_cursor": following} if following else {})


async def _get(world: World, call: Call) -> dict[str, object]:
    group = world.groups.need(call.text("chat_id"))
    check_range(world, call, group.owner)
    named = call.flag("need_name")
    members = [_member_json(world, member, named) for member in group.members.values()]
    return {
        "group_chat": {
            "chat_id": group.chat_id,
            "name": group.name,
            "owner": group.owner,
            "create_time": int(group.created_at.timestamp()),
            "notice": group.notice,
            "member_list": members,
            "admin_list": [{"userid": userid} for userid in group.admins],
            "member_version": group.member_version,
        }
    }


def _member_json(world: World, member: GroupMember, named: bool) -> dict[str, object]:
    fields: dict[str, object] = {
        "userid": member.id,
        "type": member.kind,
        "join_time": int(member.joined_at.timestamp()),
        "join_scene": member.join_scene,
        "group_nickname": "",
    }
    if member.invitor:
        fields["invitor"] = {"userid": member.invitor}
    if member.state:
        fields["state"] = member.state
    if member.kind == CUSTOMER:
        customer = world.customers[member.id]
        name = customer.nickname
        if customer.unionid:
            fields["unionid"] = customer.unionid
    else:
        name = world.members[member.id].name
    return fields | ({"name": name} if named else {})


async def _create(world: World, call: Call) -> dict[str, object]:
    people, admins = call.strings("people"), call.strings("admins")
    chat_id = call.text("chat_id", required=False)
    owner, name = call.text("owner"), call.text("name")
    return {"chat_id": create(world, owner, name, people, admins=admins, chat_id=chat_id).chat_id}


async def _join(world: World, call: Call) -> dict[str, object]:
    join(
        world,
        call.text("chat_id"),
        call.strings("people", required=True),
        join_scene=call.integer("join_scene", 3, low=1, high=3),
        invitor=call.text("invitor", required=False),
        state=call.text("state", required=False),
    )
    return {}


async def _leave(world: World, call: Call) -> dict[str, object]:
    people = call.strings("people", required=True)
    leave(world, call.text("chat_id"), people, quit_scene=int(call.flag("removed")))
    return {}


async def _say(world: World, call: Call) -> dict[str, object]:
    msgtype = call.text("msgtype", required=False) or "text"
    sender, text = call.text("sender"), call.text("text")
    says(world, call.text("chat_id"), sender, text, msgtype=msgtype)
    return {}


async def _owner_say(world: World, call: Call) -> dict[str, object]:
    owner_says(world, call.text("chat_id"), call.text("text"), sidebar=call.flag("sidebar"))
    return {}


async def _rename(world: World, call: Call) -> dict[str, object]:
    rename(world, call.text("chat_id"), call.text("name"))
    return {}


async def _set_notice(world: World, call: Call) -> dict[str, object]:
    set_notice(world, call.text("chat_id"), call.text("notice"))
    return {}


async def _change_owner(world: World, call: Call) -> dict[str, object]:
    change_owner(world, call.text("chat_id"), call.text("owner"))
    return {}


async def _dismiss(world: World, call: Call) -> dict[str, object]:
    dismiss(world, call.text("chat_id"))
    return {}


async def _attach_welcome(world: World, call: Call) -> dict[str, object]:
    attach_welcome(world, call.text("chat_id"), call.text("template_id", required=False))
    return {}


async def _state(world: World, call: Call) -> dict[str, object]:
    return {
        "groups": [
            {
                "chat_id": group.chat_id,
                "name": group.name,
                "owner": group.owner,
                "people": list(group.members),
                "welcome_template": group.welcome_template,
            }
            for group in world.groups.living()
        ]
    }


async def _lines(world: World, call: Call) -> dict[str, object]:
    group = world.groups.need(call.param("chat_id"))
    return {"lines": [line.as_json() for line in group.lines[-SHOWN_LINES:]]}


APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/groupchat/list", _list),
    Api("POST", "externalcontact/groupchat/get", _get),
    *group_welcome.APIS,
)
CONTROLS: tuple[Api, ...] = (
    Api("POST", "groups/create", _create, token=False),
    Api("POST", "groups/join", _join, token=False),
    Api("POST", "groups/leave", _leave, token=False),
    Api("POST", "groups/say", _say, token=False),
    Api("POST", "groups/owner_say", _owner_say, token=False),
    Api("POST", "groups/rename", _rename, token=False),
    Api("POST", "groups/notice", _set_notice, token=False),
    Api("POST", "groups/owner", _change_owner, token=False),
    Api("POST", "groups/dismiss", _dismiss, token=False),
    Api("POST", "groups/welcome", _attach_welcome, token=False),
    Api("GET", "groups/list", _state, token=False),
    Api("GET", "groups/lines", _lines, token=False),
)
__all__ = [
    "APIS",
    "CONTROLS",
    "Group",
    "GroupBook",
    "GroupLine",
    "GroupMember",
    "attach_welcome",
    "change_owner",
    "create",
    "deliver",
    "dismiss",
    "join",
    "leave",
    "owner_says",
    "rename",
    "says",
    "set_notice",
]
