"""The routes below ``/emulator/`` by which another process plays people and moves the world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, get_args

from bot.clock import FakeClock
from bot.emulator.faults import Kind
from bot.emulator.wire import Answer, Api, ApiError, Call
from bot.errors import ConfigError

if TYPE_CHECKING:
    from bot.emulator.world import World


_LONGEST_S = 10 * 366 * 24 * 3600


async def _state(world: World, call: Call) -> Answer:
    return {
        "corp_id": world.corp_id,
        "now": world.now().isoformat(),
        "apps": [
            {"agent_id": app.agent_id, "name": app.name, "callback": app.callback}
            for app in world.apps.values()
        ],
        "members": [
            {
                "userid": item.userid,
                "name": item.name,
                "alias": item.alias,
                "role": item.role,
                "branch": item.branch,
                "on_duty": item.on_duty,
            }
            for item in world.members.values()
        ],
        "customers": [
            {"external_userid": item.external_userid, "nickname": item.nickname}
            for item in world.customers.values()
        ],
        "kf_accounts": [
            {"open_kfid": item.open_kfid, "name": item.name} for item in world.kf.accounts.values()
        ],
        "deliveries": len(world.deliveries),
        "callbacks_waiting": world.callbacks.waiting,
    }


async def _clock(world: World, call: Call) -> Answer:
    return {"now": world.now().isoformat()}


async def _move_clock(world: World, call: Call) -> Answer:
    """Move on by ``advance_s`` seconds, or to the ISO moment ``to``."""
    if not isinstance(world.clock, FakeClock):
        raise ApiError(40058, "this world runs on the machine's clock")
    moment = call.text("to", required=False)
    if moment:
        try:
            target = datetime.fromisoformat(moment)
        except ValueError:
            raise ApiError(40058, "to is not an ISO moment") from None
        if target.tzinfo is None:
            raise ApiError(40058, "to has no time zone")
        world.clock.jump(target)
    else:
        world.clock.advance(seconds=call.integer("advance_s", low=0, high=_LONGEST_S))
    world.later.run_due()
    return {"now": world.now().isoformat()}


async def _kf_say(world: World, call: Call) -> Answer:
    menu_id = call.text("menu_id", required=False)
    msgid = world.kf.customer_says(*_whom(call), call.text("text"), menu_id=menu_id)
    return {"msgid": msgid}


async def _kf_send(world: World, call: Call) -> Answer:
    msgtype = call.text("msgtype")
    return {"msgid": world.kf.customer_sends(*_whom(call), msgtype, call.obj(msgtype))}


async def _kf_click(world: World, call: Call) -> Answer:
    return {"msgid": world.kf.customer_clicks(*_whom(call), call.text("item_id"))}


async def _kf_recall(world: World, call: Call) -> Answer:
    world.kf.customer_recalls(*_whom(call), call.text("msgid"))
    return {}


async def _kf_enter(world: World, call: Call) -> Answer:
    scene = call.text("scene", required=False)
    scene_param = call.text("scene_param", required=False)
    return {"welcome_code": world.kf.enter(*_whom(call), scene=scene, scene_param=scene_param)}


async def _kf_take(world: World, call: Call) -> Answer:
    return {"msg_code": world.kf.servicer_takes(*_whom(call), call.text("userid"))}


async def _kf_transfer(world: World, call: Call) -> Answer:
    world.kf.servicer_transfers(*_whom(call), call.text("userid"))
    return {}


async def _kf_reply(world: World, call: Call) -> Answer:
    text = call.text("text")
    return {"msgid": world.kf.servicer_says(*_whom(call), call.text("userid"), text)}


async def _kf_end(world: World, call: Call) -> Answer:
    return {"msg_code": world.kf.servicer_ends(*_whom(call))}


async def _kf_conversation(world: World, call: Call) -> Answer:
    whom = call.param("open_kfid"), call.param("external_userid")
    conversation = world.kf.conversation(*whom)
    return {
        "service_state": int(conversation.state(world.now())),
        "servicer_userid": conversation.servicer,
        "lines": [line.as_json() for line in conversation.lines],
    }


async def _deliveries(world: World, call: Call) -> Answer:
    since = call.param("since", required=False) or "0"
    if not (since.isascii() and since.isdigit()):
        raise ApiError(40058, "since must be a whole number")
    return {"deliveries": [item.as_json() for item in world.deliveries.since(int(since))]}


async def _inbox(world: World, call: Call) -> Answer:
    items = world.app_messages.inbox(call.param("userid"))
    return {"messages": [item.as_json() for item in items]}


async def _press(world: World, call: Call) -> Answer:
    selected: dict[str, list[str]] = {}
    chosen = call.inside("selected", required=False)
    for question in chosen.body:
        selected[question] = chosen.strings(question)
    userid, msgid = call.text("userid"), call.text("msgid")
    code = world.app_messages.press(userid, msgid, call.text("key"), selected)
    return {"response_code": code}


async def _app_say(world: World, call: Call) -> Answer:
    userid, agent_id = call.text("userid"), call.integer("agent_id")
    if userid not in world.members or agent_id not in world.apps:
        raise ApiError(40058, "no such member or app")
    return {"msgid": world.app_messages.member_says(userid, agent_id, call.text("text"))}


async def _fault(world: World, call: Call) -> Answer:
    kind = call.text("kind")
    for name in get_args(Kind):
        if name == kind:
            seconds = call.body.get("seconds", 0)
            if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
                raise ApiError(40058, "seconds must be a number")
            if not 0 <= seconds <= _LONGEST_S:
                raise ApiError(40058, "seconds is out of range")
            api, times = call.text("api"), call.integer("times", 1, low=1)
            errcode = call.integer("errcode", 0)
            fail_type = call.integer("fail_type", 0, low=0, high=13)
            try:
                world.faults.plan(
                    api,
                    name,
                    times=times,
                    errcode=errcode,
                    seconds=float(seconds),
                    fail_type=fail_type,
                )
            except ValueError as error:
                raise ApiError(40058, str(error)) from None
            return {}
    raise ApiError(40058, f"kind must be one of {', '.join(get_args(Kind))}")


async def _clear_faults(world: World, call: Call) -> Answer:
    world.faults.clear()
    return {}


async def _callbacks(world: World, call: Call) -> Answer:
    return {
        "waiting": world.callbacks.waiting,
        "results": [
            {
                "seq": item.seq,
                "config": item.config,
                "attempts": item.attempts,
                "status": item.status,
                "elapsed_ms": round(item.elapsed_ms, 3),
            }
            for item in world.callbacks.results
        ],
    }


async def _flush(world: World, call: Call) -> Answer:
    await world.callbacks.flush()
    return await _callbacks(world, call)


async def _configure(world: World, call: Call) -> Answer:
    """Save a callback configuration as the console does: the URL must verify unless told not to."""
    name, url = call.text("name"), call.text("url")
    token, aes_key = call.text("token"), call.text("aes_key")
    agent_id = call.text("agent_id", required=False)
    try:
        config = world.callbacks.configure(name, url, token, aes_key, agent_id)
    except ConfigError as error:
        raise ApiError(40058, str(error)) from None
    if not call.flag("verify", True):
        return {}
    result = await world.callbacks.verify_url(config.name)
    return {"verified": result.accepted, "status": result.status}


def _whom(call: Call) -> tuple[str, str]:
    return call.text("open_kfid"), call.text("external_userid")


def _api(method: str, path: str, handler: Callable[[World, Call], Awaitable[Answer]]) -> Api:
    return Api(method, path, handler, token=False)


CONTROLS: tuple[Api, ...] = (
    _api("GET", "state", _state),
    _api("GET", "clock", _clock),
    _api("POST", "clock", _move_clock),
    _api("POST", "kf/say", _kf_say),
    _api("POST", "kf/send", _kf_send),
    _api("POST", "kf/click", _kf_click),
    _api("POST", "kf/recall", _kf_recall),
    _api("POST", "kf/enter", _kf_enter),
    _api("POST", "kf/take", _kf_take),
    _api("POST", "kf/transfer", _kf_transfer),
    _api("POST", "kf/reply", _kf_reply),
    _api("POST", "kf/end", _kf_end),
    _api("GET", "kf/conversation", _kf_conversation),
    _api("GET", "deliveries", _deliveries),
    _api("GET", "app/inbox", _inbox),
    _api("POST", "app/press", _press),
    _api("POST", "app/say", _app_say),
    _api("POST", "faults", _fault),
    _api("DELETE", "faults", _clear_faults),
    _api("GET", "callbacks", _callbacks),
    _api("POST", "callbacks/flush", _flush),
    _api("POST", "callbacks/config", _configure),
)
