"""What else members do with an app: files, places, menus, and coming into its range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.emulator import menu
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

_FIELDS: dict[str, tuple[str, ...]] = {
    "text": ("Content",),
    "image": ("PicUrl", "MediaId"),
    "voice": ("MediaId", "Format"),
    "video": ("MediaId", "ThumbMediaId"),
    "location": ("Location_X", "Location_Y", "Scale", "Label", "AppType"),
    "link": ("Title", "Description", "Url", "PicUrl"),
    "file": ("MediaId", "FileName"),
}
_DEFAULTS = {"Format": "amr", "AppType": "wxwork", "PicUrl": "", "ThumbMediaId": "", "Label": ""}
_EVENTS = frozenset(
    {
        "batch_job_result",
        "open_approval_change",
        "share_agent_change",
        "switch_workbench_mode",
        "upload_media_job_finish",
    }
)


def sends(
    world: World, userid: str, agent_id: int, msgtype: str, fields: Mapping[str, object]
) -> str:
    """Let a member send the app a message of any type (§3.1); return its MsgId."""
    names = _FIELDS.get(msgtype)
    if names is None:
        raise ApiError(40008)
    given = {**_DEFAULTS, **fields}
    missing = [name for name in names if name not in given]
    if missing:
        raise ApiError(40058, f"missing {missing[0]}")
    msgid = str(world.rng.randrange(10**18, 9 * 10**18))
    more = {"Recognition": given["Recognition"]} if "Recognition" in given else {}
    body = {
        "FromUserName": userid,
        "MsgType": msgtype,
        **{name: given[name] for name in names},
        **more,
        "MsgId": msgid,
        "AgentID": agent_id,
    }
    world.ring(world.apps[agent_id].callback, body)
    return msgid


def is_at(
    world: World, userid: str, agent_id: int, latitude: float, longitude: float, precision: float
) -> None:
    """Let a member's client report where he is (LOCATION)."""
    place = {"Latitude": str(latitude), "Longitude": str(longitude), "Precision": str(precision)}
    _tell(world, userid, agent_id, "LOCATION", place)


def set_range(world: World, agent_id: int, userids: frozenset[str] | None) -> None:
    """Set whom an app is visible to; who comes or goes is told (subscribe, unsubscribe)."""
    app = world.apps[agent_id]
    world.apps[agent_id] = changed = replace(app, visible_to=userids)
    for userid in world.members:
        if app.sees(userid) != changed.sees(userid):
            event = "subscribe" if changed.sees(userid) else "unsubscribe"
            _tell(world, userid, agent_id, event, {"EventKey": ""})


def _tell(
    world: World, userid: str, agent_id: int, event: str, fields: Mapping[str, object]
) -> None:
    head = {"FromUserName": userid, "MsgType": "event", "Event": event}
    world.ring(world.apps[agent_id].callback, {**head, **fields, "AgentID": agent_id})


async def _send(world: World, call: Call) -> Answer:
    userid, agent_id = _who(world, call)
    return {"msgid": sends(world, userid, agent_id, call.text("msgtype"), call.obj("fields"))}


async def _enter(world: World, call: Call) -> Answer:
    world.app_messages.enter_app(*_who(world, call))
    return {}


async def _location(world: World, call: Call) -> Answer:
    place = []
    for key in ("latitude", "longitude", "precision"):
        value = call.body.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ApiError(40058, f"{key} must be a number")
        place.append(float(value))
    is_at(world, *_who(world, call), *place)
    return {}


async def _press_menu(world: World, call: Call) -> Answer:
    more = call.obj("fields", required=False)
    menu.presses(world, *_who(world, call), call.text("name"), more)
    return {}


async def _range(world: World, call: Call) -> Answer:
    agent_id = call.integer("agent_id")
    if agent_id not in world.apps:
        raise ApiError(40056)
    everybody = call.body.get("userids") is None
    set_range(world, agent_id, None if everybody else frozenset(call.strings("userids")))
    return {}


async def _event(world: World, call: Call) -> Answer:
    """Let one of the platform's own events come, with its fields as given."""
    event = call.text("event")
    if event not in _EVENTS:
        raise ApiError(40058, f"event is one of {', '.join(sorted(_EVENTS))}")
    agent_id = call.integer("agent_id")
    if agent_id not in world.apps:
        raise ApiError(40056)
    userid = call.text("userid", required=False) or "sys"
    _tell(world, userid, agent_id, event, call.obj("fields", required=False))
    return {}


def _who(world: World, call: Call) -> tuple[str, int]:
    userid, agent_id = call.text("userid"), call.integer("agent_id")
    if userid not in world.members or agent_id not in world.apps:
        raise ApiError(40058, "no such member or app")
    return userid, agent_id


CONTROLS: tuple[Api, ...] = (
    Api("POST", "app/send", _send, token=False),
    Api("POST", "app/enter", _enter, token=False),
    Api("POST", "app/location", _location, token=False),
    Api("POST", "app/menu", _press_menu, token=False),
    Api("POST", "app/range", _range, token=False),
    Api("POST", "app/event", _event, token=False),
)
