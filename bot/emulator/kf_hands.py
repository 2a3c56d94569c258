"""What else people and the console do in 微信客服: links, files, refusals, recalls, grants."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from bot.emulator import group_actions
from bot.emulator.friends import befriend
from bot.emulator.kf_state import Assigns, State
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_SCENE_PARAM = 128
_MEMBER = 1
_HINTS = {"image": "图片", "voice": "语音", "video": "视频", "file": "文件"}


def opens_link(
    world: World, url: str, external_userid: str, channels: dict[str, object] | None = None
) -> str:
    """Open a kf link of ``add_contact_way``, with ``&scene_param=`` behind it or not (§4.1).

    Returns the welcome code. A link edited in any other way is refused.
    """
    given, _, param = url.partition("&scene_param=")
    for account in world.kf.accounts.values():
        for scene, link in account.links.items():
            if link == given:
                scene_param = unquote(param) if scene else ""
                if len(scene_param.encode()) > MAX_SCENE_PARAM:
                    raise ApiError(40058, f"scene_param is longer than {MAX_SCENE_PARAM} bytes")
                return world.kf.enter(
                    account.open_kfid,
                    external_userid,
                    scene=scene,
                    scene_param=scene_param,
                    channels=channels,
                )
    keys = [key for key, _ in parse_qsl(urlsplit(url).query)]
    raise ApiError(40058, f"no kf link, or an edited one (its query has {', '.join(keys)})")


def sends_file(
    world: World, open_kfid: str, external_userid: str, kind: str, filename: str, data: bytes
) -> str:
    """Let a customer send a picture, voice, video or file; one too big arrives as a text hint."""
    if kind not in _HINTS:
        raise ApiError(40004)
    most = getattr(world.assumed, f"kf_{kind}_bytes")
    if len(data) > most:
        hint = f"［{_HINTS[kind]}过大，无法接收］"
        return world.kf.customer_says(open_kfid, external_userid, hint)
    media = world.media.keep(kind, filename, data)
    payload = {"media_id": media.media_id}
    return world.kf.customer_sends(open_kfid, external_userid, kind, payload)


def servicer_recalls(world: World, open_kfid: str, external_userid: str, msgid: str) -> None:
    """Let a servicer take his own message back."""
    line = world.kf.account(open_kfid).line(external_userid, msgid)
    if line.side != "servicer":
        raise ApiError(40058, "not a servicer's message")
    line.recalled = True
    fields = {"recall_msgid": msgid, "servicer_userid": line.sender}
    world.kf.emit(open_kfid, "servicer_recall_msg", external_userid, **fields)


def servicer_rejects(
    world: World, open_kfid: str, external_userid: str, userid: str, *, rejecting: bool
) -> None:
    """Let a servicer refuse a customer's messages, or take them again."""
    world.kf.check_servicer(open_kfid, userid)
    conversation = world.kf.conversation(open_kfid, external_userid)
    conversation.rejected_by = userid if rejecting else ""
    world.kf.emit(
        open_kfid,
        "reject_customer_msg_switch_change",
        external_userid,
        servicer_userid=userid,
        reject_switch=int(rejecting),
    )


def grant(world: World, open_kfid: str, *, managed: bool) -> None:
    """Let the console put an account under API management or take it out (48007 from then on)."""
    account = world.kf.accounts.get(open_kfid)
    if account is None:
        raise ApiError(95004)
    account.managed = managed
    name = "AuthAddOpenKfId" if managed else "AuthDelOpenKfId"
    fields = {"MsgType": "event", "Event": "kf_account_auth_change", name: open_kfid}
    world.ring("kf", fields)


def accepts_upgrade(world: World, open_kfid: str, external_userid: str) -> str:
    """Let a customer take the newest offer of 升级服务: add the manager, or join the group.

    Returns whose friend or which group's member he is now.
    """
    for line in reversed(world.kf.conversation(open_kfid, external_userid).lines):
        if line.msgtype == "upgrade_service" and not line.recalled:
            target = str(line.content["target"])
            if line.content["type"] == _MEMBER:
                befriend(world, target, external_userid, add_way=0)
            else:
                group_actions.join(world, target, [external_userid])
            return target
    raise ApiError(60136, "nothing is offered to this customer")


async def _accept_upgrade(world: World, call: Call) -> Answer:
    return {"target": accepts_upgrade(world, *_whom(call))}


async def _open(world: World, call: Call) -> Answer:
    channels = call.obj("wechat_channels", required=False)
    code = opens_link(world, call.text("url"), call.text("external_userid"), channels or None)
    return {"welcome_code": code}


async def _send_file(world: World, call: Call) -> Answer:
    try:
        data = base64.b64decode(call.text("base64"), validate=True)
    except ValueError:
        raise ApiError(40058, "base64 cannot be read") from None
    name = call.text("filename", required=False) or "file"
    return {"msgid": sends_file(world, *_whom(call), call.text("msgtype"), name, data)}


async def _recall(world: World, call: Call) -> Answer:
    servicer_recalls(world, *_whom(call), call.text("msgid"))
    return {}


async def _reject(world: World, call: Call) -> Answer:
    rejecting = call.flag("rejecting", True)
    servicer_rejects(world, *_whom(call), call.text("userid"), rejecting=rejecting)
    return {}


async def _refuse(world: World, call: Call) -> Answer:
    """Let a customer refuse the account's messages: they fail with fail_type 10."""
    world.kf.conversation(*_whom(call)).refuses = call.flag("refuses", True)
    return {}


async def _status(world: World, call: Call) -> Answer:
    receiving, stop = call.flag("receiving", True), call.integer("stop_type", 0, low=0, high=1)
    userid = call.text("userid")
    world.kf.servicer_status(call.text("open_kfid"), userid, receiving=receiving, stop_type=stop)
    return {}


async def _grant(world: World, call: Call) -> Answer:
    grant(world, call.text("open_kfid"), managed=call.flag("managed", True))
    return {}


async def _reception(world: World, call: Call) -> Answer:
    """Set the console's reception rule: the state a session begins in, and who gets it."""
    account = world.kf.accounts.get(call.text("open_kfid"))
    if account is None:
        raise ApiError(95004)
    account.first_state = State(
        call.integer("first_state", int(account.first_state), low=0, high=3)
    )
    wanted = call.text("assigns", required=False) or account.assigns
    for rule in get_args(Assigns):
        if rule == wanted:
            account.assigns = rule
            return {}
    raise ApiError(40058, f"assigns is one of {', '.join(get_args(Assigns))}")


async def _upgrade(world: World, call: Call) -> Answer:
    """Set whom and what the console offers for 升级服务."""
    world.kf.upgrade_members = set(call.strings("userids"))
    world.kf.upgrade_departments = set(call.numbers("department_ids"))
    world.kf.upgrade_groups = set(call.strings("chat_ids"))
    return {}


async def _servicer_send(world: World, call: Call) -> Answer:
    msgtype, userid = call.text("msgtype"), call.text("userid")
    msgid = world.kf.servicer_sends(*_whom(call), userid, msgtype, call.obj(msgtype))
    return {"msgid": msgid}


def _whom(call: Call) -> tuple[str, str]:
    return call.text("open_kfid"), call.text("external_userid")


CONTROLS: tuple[Api, ...] = (
    Api("POST", "kf/open", _open, token=False),
    Api("POST", "kf/send_file", _send_file, token=False),
    Api("POST", "kf/servicer_send", _servicer_send, token=False),
    Api("POST", "kf/servicer_recall", _recall, token=False),
    Api("POST", "kf/reject", _reject, token=False),
    Api("POST", "kf/refuse", _refuse, token=False),
    Api("POST", "kf/status", _status, token=False),
    Api("POST", "kf/grant", _grant, token=False),
    Api("POST", "kf/reception", _reception, token=False),
    Api("POST", "kf/upgrade", _upgrade, token=False),
    Api("POST", "kf/accept_upgrade", _accept_upgrade, token=False),
)
