"""Internal chats that an app makes and speaks in (appchat, §3.8): members only."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.emulator.app_types import CHAT_TYPES, render
from bot.emulator.limits import DAY, HOUR, MINUTE
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_NAME, MAX_PEOPLE, MIN_PEOPLE = 50, 2000, 2
BAD_CHAT, NOT_ITS_CHAT, BAD_PEOPLE, TOO_FEW = 86001, 86008, 86216, 86220
NO_RIGHT = 48002
_CHAT_ID = re.compile(r"[0-9a-zA-Z]{1,32}")


@dataclass(frozen=True)
class Chat:
    """One chat; ``agent_id`` is the app that made it and alone may use it."""

    chatid: str
    agent_id: int
    name: str
    owner: str
    userlist: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True)
class ChatMessage:
    """One message, and the members who got it: who got too many got it not."""

    chatid: str
    msgtype: str
    text: str
    at: datetime
    received_by: tuple[str, ...]


@dataclass
class ChatBook:
    """All chats and what was sent into them."""

    chats: dict[str, Chat] = field(default_factory=dict)
    messages: list[ChatMessage] = field(default_factory=list)


async def _create(world: World, call: Call) -> Answer:
    _check_scope(world, call)
    rule = (DAY, world.limits.appchat_created_per_day)
    world.limits.spend("appchat_create", world.now(), rule)
    people = _people(world, call, "userlist")
    if len(people) < MIN_PEOPLE:
        raise ApiError(TOO_FEW)
    chatid = call.text("chatid", required=False) or world.new_id("wrk")
    if not _CHAT_ID.fullmatch(chatid) or chatid in world.chats.chats:
        raise ApiError(BAD_CHAT, chatid)
    owner = call.text("owner", required=False) or people[0]
    if owner not in people:
        raise ApiError(BAD_PEOPLE, "the owner is not in the list")
    chat = Chat(chatid, call.agent_id, _name(call), owner, tuple(people), world.now())
    world.chats.chats[chatid] = chat
    return {"chatid": chatid}


async def _update(world: World, call: Call) -> Answer:
    chat = _own(world, call, call.text("chatid", code=BAD_CHAT))
    rule = (HOUR, world.limits.appchat_updated_per_hour)
    world.limits.spend("appchat_update", world.now(), rule)
    gone = set(call.strings("del_user_list"))
    more = _people(world, call, "add_user_list")
    people = tuple(uid for uid in dict.fromkeys((*chat.userlist, *more)) if uid not in gone)
    if len(people) < MIN_PEOPLE:
        raise ApiError(TOO_FEW)
    owner = call.text("owner", required=False) or chat.owner
    if owner not in people:
        raise ApiError(BAD_PEOPLE, "the owner is not in the list")
    name = _name(call) or chat.name
    world.chats.chats[chat.chatid] = replace(chat, name=name, owner=owner, userlist=people)
    return {}


async def _get(world: World, call: Call) -> Answer:
    chat = _own(world, call, call.param("chatid", code=BAD_CHAT))
    return {
        "chat_info": {
            "chatid": chat.chatid,
            "name": chat.name,
            "owner": chat.owner,
            "userlist": list(chat.userlist),
        }
    }


async def _send(world: World, call: Call) -> Answer:
    chat = _own(world, call, call.text("chatid", code=BAD_CHAT))
    msgtype, _, text = render(world, call)
    if msgtype not in CHAT_TYPES:
        raise ApiError(40008)
    limits, now = world.limits, world.now()
    rules = (MINUTE, limits.appchat_times_per_minute), (HOUR, limits.appchat_times_per_hour)
    limits.spend("appchat_times", now, *rules, count=len(chat.userlist))
    own = (MINUTE, limits.appchat_member_per_minute), (DAY, limits.appchat_member_per_day)
    got = tuple(
        userid
        for userid in chat.userlist
        if limits.allow(f"appchat:{userid}", now, *own, block=False)
    )
    world.chats.messages.append(ChatMessage(chat.chatid, msgtype, text, now, got))
    world.deliveries.add(
        "appchat",
        to=chat.chatid,
        sender=f"app:{chat.agent_id}",
        text=text,
        at=now,
        source="appchat_send",
        meta={"msgtype": msgtype, "received_by": list(got)},
    )
    return {}


def _check_scope(world: World, call: Call) -> None:
    """Refuse an app whose range is not the whole corp."""
    if world.apps[call.agent_id].visible_to is not None:
        raise ApiError(NO_RIGHT, "the app's range must be the root department")


def _own(world: World, call: Call, chatid: str) -> Chat:
    _check_scope(world, call)
    chat = world.chats.chats.get(chatid)
    if chat is None:
        raise ApiError(BAD_CHAT, chatid)
    if chat.agent_id != call.agent_id:
        raise ApiError(NOT_ITS_CHAT)
    return chat


def _name(call: Call) -> str:
    # A longer name is cut, not refused.
    return call.text("name", required=False)[:MAX_NAME]


def _people(world: World, call: Call, key: str) -> list[str]:
    people = list(dict.fromkeys(call.strings(key, MAX_PEOPLE, code=BAD_PEOPLE)))
    unknown = [userid for userid in people if userid not in world.members]
    if unknown:
        raise ApiError(BAD_PEOPLE, unknown[0])
    return people


APIS: tuple[Api, ...] = (
    Api("POST", "appchat/create", _create),
    Api("POST", "appchat/update", _update),
    Api("GET", "appchat/get", _get),
    Api("POST", "appchat/send", _send),
)
