"""The kf APIs that read messages and move a session between robot, pool and humans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.emulator.kf_state import CodeKind, KfAccount, State
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

_MAX_PAGE = 1000
_CODE_ON: dict[State, CodeKind] = {
    State.POOL: "queued",
    State.HUMAN: "assigned",
    State.ENDED: "ended",
}


async def _sync_msg(world: World, call: Call) -> Answer:
    account = _pulled(world, call)
    cursor = call.text("cursor", required=False, max_bytes=64, code=50100)
    token = call.text("token", required=False, max_bytes=128, code=95007)
    limit = call.integer("limit", _MAX_PAGE, low=1, high=_MAX_PAGE)
    call.integer("voice_format", 0, low=0, high=1)
    lost = world.faults.take("kf/sync_msg", "cursor_loss") if cursor else None
    if lost is not None:
        raise ApiError(lost.errcode or 50100)
    now = world.now()
    if token:
        account.log.check_token(token, now)
    elif not world.limits.allow_bare_sync(now):
        raise ApiError(45009)
    if world.faults.take("kf/sync_msg", "empty_page") is not None:
        return {"next_cursor": account.log.here(cursor), "has_more": 1, "msg_list": []}
    items, next_cursor, more = account.log.page(cursor, limit, now)
    return {"next_cursor": next_cursor, "has_more": int(more), "msg_list": items}


def _pulled(world: World, call: Call) -> KfAccount:
    """Return the account to pull; an old form without its id goes by the doorbell's token."""
    open_kfid = call.text("open_kfid", required=False, max_bytes=64)
    if not open_kfid and not world.assumed.sync_needs_open_kfid:
        token, now = call.text("token", required=False), world.now()
        for account in world.kf.accounts.values():
            if not token or account.log.knows_token(token, now):
                open_kfid = account.open_kfid
                break
    return world.kf.account(open_kfid)


async def _get(world: World, call: Call) -> Answer:
    open_kfid, external_userid = _whom(call)
    conversation = world.kf.conversation(open_kfid, external_userid)
    state = conversation.state(world.now())
    answer: dict[str, object] = {"service_state": int(state)}
    if state is State.HUMAN:
        answer["servicer_userid"] = conversation.servicer
    return answer


async def _trans(world: World, call: Call) -> Answer:
    open_kfid, external_userid = _whom(call)
    target = State(call.integer("service_state", low=0, high=4))
    userid = call.text("servicer_userid", required=target is State.HUMAN)
    conversation = world.kf.conversation(open_kfid, external_userid)
    state = conversation.state(world.now())
    if state is State.ENDED:
        raise ApiError(95013)
    back = world.assumed.kf_human_to_pool and (state, target) == (State.HUMAN, State.POOL)
    if (state, target) not in world.kf.transitions and not back:
        raise ApiError(95016, f"from {state} to {target}")
    if target is State.HUMAN:
        world.kf.check_servicer(open_kfid, userid)
        if state is State.HUMAN and conversation.servicer == userid:
            raise ApiError(95016, "this servicer has the customer already")
    conversation.stored_state = target
    if target is State.HUMAN:
        conversation.assign(userid, world.now())
    if target is State.ROBOT and conversation.sessions:
        conversation.sessions[-1].by_robot = True
    if state is target or target not in _CODE_ON:
        return {}
    return {"msg_code": world.kf.new_code(_CODE_ON[target], open_kfid, external_userid)}


def _whom(call: Call) -> tuple[str, str]:
    open_kfid = call.text("open_kfid", max_bytes=64, code=60251)
    return open_kfid, call.text("external_userid", max_bytes=64, code=41035)


APIS: tuple[Api, ...] = (
    Api("POST", "kf/sync_msg", _sync_msg),
    Api("POST", "kf/service_state/get", _get),
    Api("POST", "kf/service_state/trans", _trans),
)
