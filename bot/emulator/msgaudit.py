"""The archive's HTTP helpers (§8.1): seats, consent, internal groups, robots.

They take the token of the archive's own secret; another app's is refused (48002).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.emulator.archive import ARCHIVE_AGENT, NOT_ENABLED
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_PAIRS = 100
TOO_MANY, NO_USER, NOT_INTERNAL, EXPIRED = 301060, 301061, 301059, 301052
NOT_ITS_API = 48002


def _open(world: World, call: Call) -> None:
    if not world.archive.secret:
        raise ApiError(NOT_ENABLED)
    if call.agent_id != ARCHIVE_AGENT:
        raise ApiError(NOT_ITS_API)
    if world.archive.expired:
        raise ApiError(EXPIRED)


async def _seats(world: World, call: Call) -> Answer:
    _open(world, call)
    wanted = call.integer("type", 0, low=0, high=3)
    book = world.archive
    seats = sorted(world.members) if book.seats is None else sorted(book.seats)
    return {"ids": [uid for uid in seats if wanted in (0, book.editions.get(uid, 1))]}


async def _single(world: World, call: Call) -> Answer:
    _open(world, call)
    found = []
    for pair in map(call.of, call.objects("info", MAX_PAIRS, required=True, code=TOO_MANY)):
        userid, external = pair.text("userid"), pair.text("exteranalopenid")
        if userid not in world.members or external not in world.customers:
            raise ApiError(NO_USER, userid)
        status, at = world.archive.consent.status(userid, external)
        found.append(
            {
                "status_change_time": at,
                "userid": userid,
                "exteranalopenid": external,
                "agree_status": status,
            }
        )
    return {"agreeinfo": found}


async def _room(world: World, call: Call) -> Answer:
    _open(world, call)
    group = world.groups.need(call.text("roomid"))
    found = []
    for customer in group.customers():
        status, at = world.archive.consent.status(group.chat_id, customer)
        found.append(
            {"status_change_time": at, "exteranalopenid": customer, "agree_status": status}
        )
    return {"agreeinfo": found}


async def _group(world: World, call: Call) -> Answer:
    _open(world, call)
    chat = world.chats.chats.get(call.text("roomid"))
    if chat is None:
        raise ApiError(NOT_INTERNAL)
    created = int(chat.created_at.timestamp())
    members = [{"memberid": userid, "jointime": created} for userid in chat.userlist]
    return {
        "roomname": chat.name,
        "creator": chat.owner,
        "room_create_time": created,
        "notice": "",
        "members": members,
    }


async def _robot(world: World, call: Call) -> Answer:
    _open(world, call)
    robot_id = call.param("robot_id")
    known = world.archive.robots.get(robot_id)
    if known is None:
        raise ApiError(NO_USER, robot_id)
    return {"data": {"robot_id": robot_id, "name": known[0], "creator_userid": known[1]}}


APIS: tuple[Api, ...] = (
    Api("POST", "msgaudit/get_permit_user_list", _seats),
    Api("POST", "msgaudit/check_single_agree", _single),
    Api("POST", "msgaudit/check_room_agree", _room),
    Api("POST", "msgaudit/groupchat/get", _group),
    Api("GET", "msgaudit/get_robot_info", _robot),
)
