"""An app's menu: set by API, pressed by members (§3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_BUTTONS, MAX_SUB_BUTTONS = 3, 5
NAME_MISSING, NO_MENU = 41102, 46003
TYPES = frozenset(
    {
        "click",
        "view",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
        "view_miniprogram",
    }
)


async def _create(world: World, call: Call) -> Answer:
    agent_id = _agent(call)
    buttons = call.objects("button", MAX_BUTTONS, required=True)
    for button in map(call.of, buttons):
        _check(button, sub=False)
    world.menus[agent_id] = buttons
    return {}


async def _get(world: World, call: Call) -> Answer:
    agent_id = _agent(call)
    if agent_id not in world.menus:
        raise ApiError(NO_MENU)
    return {"button": world.menus[agent_id]}


async def _delete(world: World, call: Call) -> Answer:
    world.menus.pop(_agent(call), None)
    return {}


def presses(
    world: World,
    userid: str,
    agent_id: int,
    name: str,
    more: Mapping[str, object] | None = None,
) -> None:
    """Let a member press the menu button of this name; the app hears of it.

    ``more`` are the event's further fields, such as ScanCodeInfo or SendLocationInfo.
    """
    for button in _leaves(world.menus.get(agent_id, [])):
        if button.get("name") == name:
            kind = str(button.get("type", ""))
            key = button.get("url") if kind == "view" else button.get("key", "")
            fields = {
                "FromUserName": userid,
                "MsgType": "event",
                "Event": kind,
                "EventKey": str(key or ""),
                **(more or {}),
                "AgentID": agent_id,
            }
            world.ring(world.apps[agent_id].callback, fields)
            return
    raise ApiError(40058, f"the menu has no button {name}")


def _leaves(buttons: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    for button in buttons:
        below = button.get("sub_button")
        if isinstance(below, list) and below:
            yield from below
        else:
            yield button


def _check(button: Call, *, sub: bool) -> None:
    button.text("name", max_bytes=40 if sub else 16, code=NAME_MISSING)
    below = button.objects("sub_button", MAX_SUB_BUTTONS)
    if below and not sub:
        for item in map(button.of, below):
            _check(item, sub=True)
        return
    kind = button.text("type")
    if kind not in TYPES:
        raise ApiError(40058, f"no menu button of type {kind}")
    if kind == "view":
        button.text("url", max_bytes=1024, code=41010)
    elif kind == "view_miniprogram":
        button.text("appid")
        button.text("pagepath")
    else:
        button.text("key", max_bytes=128)


def _agent(call: Call) -> int:
    agent_id = call.param("agentid", code=41011)
    if agent_id != str(call.agent_id):
        raise ApiError(40056)
    return call.agent_id


APIS: tuple[Api, ...] = (
    Api("POST", "menu/create", _create),
    Api("GET", "menu/get", _get),
    Api("GET", "menu/delete", _delete),
)
