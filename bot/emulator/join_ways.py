"""Join ways (加入群聊, §5.6): one code for up to five groups, and a new group when all are full."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.emulator import group_actions
from bot.emulator.join_way_book import JoinWay
from bot.emulator.scope import check_range
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_GROUPS, MAX_WAYS = 5, 500_000
TOO_MANY_GROUPS, TOO_MANY_WAYS = 41091, 41045
CONFIG_MISSING = 41043
QR_CODE = 2
BY_CODE = 3


def scans(world: World, config_id: str, external_userid: str) -> str:
    """Let a customer scan a join way's code; return the chat_id of the group he comes into.

    The first group with room takes him; are all full, a new one is opened if the way says so.
    """
    way = world.groups.join_ways.need(config_id)
    living = [group for group in world.groups.living() if group.chat_id in way.chat_ids]
    room = [group for group in living if len(group.members) < world.assumed.group_people]
    if any(external_userid in group.members for group in living):
        chat_id = next(group.chat_id for group in living if external_userid in group.members)
    elif room:
        chat_id = room[0].chat_id
    elif way.auto_create_room and living:
        chat_id = _open(world, way, living[0].owner, living[0].name)
    else:
        raise ApiError(group_actions.GROUP_FULL)
    group_actions.join(world, chat_id, [external_userid], join_scene=BY_CODE, state=way.state)
    return chat_id


def _open(world: World, way: JoinWay, owner: str, name: str) -> str:
    base = way.room_base_name or name
    group = group_actions.create(world, owner, f"{base}{way.room_base_id}")
    chat_ids = (*way.chat_ids, group.chat_id)[-MAX_GROUPS:]
    following = way.room_base_id + 1
    world.groups.join_ways.ways[way.config_id] = replace(
        way, chat_ids=chat_ids, room_base_id=following
    )
    return group.chat_id


async def _add(world: World, call: Call) -> Answer:
    if len(world.groups.join_ways.ways) + len(world.contacts.ways.ways) >= MAX_WAYS:
        raise ApiError(TOO_MANY_WAYS)
    way = _read(world, call, world.new_id(""))
    world.groups.join_ways.ways[way.config_id] = way
    return {"config_id": way.config_id}


async def _update(world: World, call: Call) -> Answer:
    way = _way(world, call)
    world.groups.join_ways.ways[way.config_id] = _read(world, call, way.config_id)
    return {}


async def _get(world: World, call: Call) -> Answer:
    return {"join_way": _way(world, call).as_json()}


async def _delete(world: World, call: Call) -> Answer:
    del world.groups.join_ways.ways[_way(world, call).config_id]
    return {}


def _read(world: World, call: Call, config_id: str) -> JoinWay:
    chat_ids = call.strings("chat_id_list", MAX_GROUPS, required=True, code=TOO_MANY_GROUPS)
    for chat_id in chat_ids:
        check_range(world, call, world.groups.need(chat_id).owner)
    return JoinWay(
        config_id,
        call.integer("scene", low=1, high=QR_CODE, code=41040),
        tuple(dict.fromkeys(chat_ids)),
        remark=call.text("remark", required=False)[:30],
        auto_create_room=call.flag("auto_create_room", True),
        room_base_name=call.short("room_base_name", 40),
        room_base_id=call.integer("room_base_id", 1, low=0),
        state=call.short("state", 30),
        mark_source=call.flag("mark_source", True),
    )


def _way(world: World, call: Call) -> JoinWay:
    return world.groups.join_ways.need(call.text("config_id", code=CONFIG_MISSING))


async def _scan(world: World, call: Call) -> Answer:
    return {"chat_id": scans(world, call.text("config_id"), call.text("external_userid"))}


APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/groupchat/add_join_way", _add),
    Api("POST", "externalcontact/groupchat/get_join_way", _get),
    Api("POST", "externalcontact/groupchat/update_join_way", _update),
    Api("POST", "externalcontact/groupchat/del_join_way", _delete),
)
CONTROLS: tuple[Api, ...] = (Api("POST", "groups/scan", _scan, token=False),)
