"""The kf APIs that lead a customer on to a manager or a customer group (升级服务)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.emulator.kf_state import Conversation, Line
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

_MEMBER, _GROUP = 1, 2


async def _config(world: World, call: Call) -> Answer:
    return {
        "member_range": {
            "userid_list": sorted(world.kf.upgrade_members),
            "department_id_list": sorted(world.kf.upgrade_departments),
        },
        "groupchat_range": {"chat_id_list": sorted(world.kf.upgrade_groups)},
    }


async def _upgrade(world: World, call: Call) -> Answer:
    conversation = _consulted(world, call)
    kind = call.integer("type", low=_MEMBER, high=_GROUP)
    if kind == _MEMBER:
        target = call.inside("member")
        target_id = target.text("userid", code=41009)
        parties = (str(number) for number in world.kf.upgrade_departments)
        known = target_id in world.kf.upgrade_members or any(
            target_id in world.app_messages.parties.get(party, ()) for party in parties
        )
    else:
        target = call.inside("groupchat")
        target_id = target.text("chat_id")
        known = target_id in world.kf.upgrade_groups
    if not known:
        raise ApiError(60021 if kind == _MEMBER else 40050, target_id)
    wording = target.text("wording", required=False)
    content: dict[str, object] = {"type": kind, "target": target_id, "wording": wording}
    open_kfid = call.text("open_kfid")
    line = Line(
        world.new_id(""), "bot", open_kfid, "upgrade_service", content, wording, world.now()
    )
    conversation.lines.append(line)
    world.deliveries.add(
        "kf",
        to=conversation.external_userid,
        sender=open_kfid,
        text=wording,
        at=world.now(),
        source="kf_upgrade_service",
        meta={"open_kfid": open_kfid, **content},
    )
    return {}


async def _cancel(world: World, call: Call) -> Answer:
    for line in _consulted(world, call).lines:
        if line.msgtype == "upgrade_service":
            line.recalled = True
    return {}


def _consulted(world: World, call: Call) -> Conversation:
    """Return the conversation; refuse one in which the customer has not written for 48 hours."""
    open_kfid = call.text("open_kfid", max_bytes=64, code=60251)
    conversation = world.kf.conversation(open_kfid, call.text("external_userid", code=41035))
    if not conversation.window_open(world.now()):
        raise ApiError(95031)
    return conversation


APIS: tuple[Api, ...] = (
    Api("GET", "kf/customer/get_upgrade_service_config", _config),
    Api("POST", "kf/customer/upgrade_service", _upgrade),
    Api("POST", "kf/customer/cancel_upgrade_service", _cancel),
)
