"""The kf APIs for accounts, their links, their servicers, and customers' basic facts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.emulator.errcodes import text_of
from bot.emulator.kf_state import REPLY_WINDOW, KfAccount, Servicer
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

_MAX_NAME = 16
_MAX_ACCOUNTS, _MAX_UNVERIFIED = 5000, 10
_MAX_SERVICERS, _MAX_DEPARTMENTS = 2000, 20
_SCENE = re.compile(r"[0-9a-zA-Z_-]*")


def _name(call: Call, *, required: bool) -> str:
    name = call.text("name", required=required, code=95006)
    if len(name) > _MAX_NAME:
        raise ApiError(95006)
    return name


def _avatar(world: World, call: Call, *, required: bool) -> str:
    media_id = call.text("media_id", required=required, max_bytes=128, code=41006)
    return world.media.get(media_id).media_id if media_id else ""


async def _add(world: World, call: Call) -> Answer:
    count = len(world.kf.accounts)
    if not world.verified and count >= _MAX_UNVERIFIED:
        raise ApiError(95027)
    if count >= _MAX_ACCOUNTS:
        raise ApiError(95005)
    name = _name(call, required=True)
    avatar = _avatar(world, call, required=True)
    return {"open_kfid": world.kf.add_account(name, avatar=avatar).open_kfid}


async def _del(world: World, call: Call) -> Answer:
    account = _account(world, call)
    del world.kf.accounts[account.open_kfid]
    return {}


async def _update(world: World, call: Call) -> Answer:
    account = _account(world, call)
    account.name = _name(call, required=False) or account.name
    account.avatar = _avatar(world, call, required=False) or account.avatar
    return {}


async def _list(world: World, call: Call) -> Answer:
    offset = call.integer("offset", 0, low=0)
    limit = call.integer("limit", 100, low=1, high=100)
    accounts = list(world.kf.accounts.values())[offset : offset + limit]
    return {
        "account_list": [
            {
                "open_kfid": account.open_kfid,
                "name": account.name,
                "avatar": account.avatar,
                "manage_privilege": account.managed,
            }
            for account in accounts
        ]
    }


async def _add_contact_way(world: World, call: Call) -> Answer:
    account = _account(world, call)
    scene = call.text("scene", required=False, max_bytes=32)
    if not _SCENE.fullmatch(scene):
        raise ApiError(40058, "scene has characters other than 0-9 a-z A-Z _ -")
    if scene not in account.links:
        page = world.new_id("kfc")[:20].lower()
        tail = f"?enc_scene={world.new_id('ENC')}" if scene else ""
        account.links[scene] = f"https://work.weixin.qq.com/kf/{page}{tail}"
    return {"url": account.links[scene]}


async def _servicer_add(world: World, call: Call) -> Answer:
    account = _account(world, call)
    users, departments = _who(call)
    results: list[dict[str, object]] = []
    for userid in users:
        code = 0 if userid in world.members else 60111
        ignored = userid in account.servicers
        if code == 0 and not ignored:
            if len(account.servicers) >= _MAX_SERVICERS:
                code = 40058
            else:
                account.servicers[userid] = Servicer(userid)
        results.append(_result("userid", userid, code, ignored))
    for department in departments:
        ignored = department in account.departments
        code = 0 if ignored or len(account.departments) < _MAX_DEPARTMENTS else 40058
        if code == 0:
            account.departments.add(department)
        results.append(_result("department_id", department, code, ignored))
    return {"result_list": results}


async def _servicer_del(world: World, call: Call) -> Answer:
    account = _account(world, call)
    users, departments = _who(call)
    results: list[dict[str, object]] = []
    for userid in users:
        gone = account.servicers.pop(userid, None)
        results.append(_result("userid", userid, 0, gone is None))
    for department in departments:
        ignored = department not in account.departments
        account.departments.discard(department)
        results.append(_result("department_id", department, 0, ignored))
    return {"result_list": results}


async def _servicer_list(world: World, call: Call) -> Answer:
    account = world.kf.account(call.param("open_kfid", code=60251))
    listed: list[dict[str, object]] = [
        {"userid": item.userid, "status": item.status, "stop_type": item.stop_type}
        for item in account.servicers.values()
    ]
    listed += [{"department_id": number} for number in sorted(account.departments)]
    return {"servicer_list": listed}


async def _batchget(world: World, call: Call) -> Answer:
    wanted = call.strings("external_userid_list", 100, required=True)
    with_context = call.flag("need_enter_session_context")
    found: list[dict[str, object]] = []
    invalid: list[str] = []
    for external_userid in wanted:
        customer = world.customers.get(external_userid)
        if customer is None:
            invalid.append(external_userid)
            continue
        item: dict[str, object] = {
            "external_userid": external_userid,
            "nickname": customer.nickname,
            "avatar": customer.avatar,
            "gender": customer.gender,
        }
        if customer.unionid:
            item["unionid"] = customer.unionid
        if with_context:
            item.update(_entered(world, external_userid))
        found.append(item)
    return {"customer_list": found, "invalid_external_userid": invalid}


def _entered(world: World, external_userid: str) -> dict[str, object]:
    """Return the newest entry within 48 hours, over all accounts."""
    since = world.now() - REPLY_WINDOW
    entries = [
        (
            conversation.entered_at,
            conversation.scene,
            conversation.scene_param,
            conversation.channels,
        )
        for account in world.kf.accounts.values()
        if (conversation := account.conversations.get(external_userid)) is not None
        and conversation.entered_at is not None
        and conversation.entered_at >= since
    ]
    if not entries:
        return {}
    _, scene, scene_param, channels = max(entries, key=lambda entry: entry[:3])
    context: dict[str, object] = {"scene": scene, "scene_param": scene_param}
    if channels:
        context["wechat_channels"] = channels
    return {"enter_session_context": context}


def _account(world: World, call: Call) -> KfAccount:
    return world.kf.account(call.text("open_kfid", max_bytes=64, code=60251))


def _who(call: Call) -> tuple[list[str], list[int]]:
    users = call.strings("userid_list", 100)
    departments = call.body.get("department_id_list", [])
    if not isinstance(departments, list) or len(departments) > 100:
        raise ApiError(40058, "department_id_list must be a list of at most 100")
    numbers = [item for item in departments if isinstance(item, int)]
    if len(numbers) != len(departments) or not (users or numbers):
        raise ApiError(40058, "userid_list and department_id_list are both empty or not valid")
    return users, numbers


def _result(name: str, value: object, errcode: int, ignored: bool) -> dict[str, object]:
    good = "ignored" if ignored else "success"
    return {
        name: value,
        "errcode": errcode,
        "errmsg": good if errcode == 0 else text_of(errcode),
    }


APIS: tuple[Api, ...] = (
    Api("POST", "kf/account/add", _add),
    Api("POST", "kf/account/del", _del),
    Api("POST", "kf/account/update", _update),
    Api("POST", "kf/account/list", _list),
    Api("GET", "kf/account/list", _list),
    Api("POST", "kf/add_contact_way", _add_contact_way),
    Api("POST", "kf/servicer/add", _servicer_add),
    Api("POST", "kf/servicer/del", _servicer_del),
    Api("GET", "kf/servicer/list", _servicer_list),
    Api("POST", "kf/customer/batchget", _batchget),
)
