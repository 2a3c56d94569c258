"""The 获客助手 API (§5.12): links, who came by them, the quota; and the players' side."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.emulator import acquisition
from bot.emulator.acquisition import Link, Quota, tell
from bot.emulator.days import day_of, span, stamp
from bot.emulator.paging import page
from bot.emulator.scope import check_range, need_customer
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_PEOPLE, MAX_NAME = 500, 30
LONGEST_SPAN = 30
KEY_LIFE = timedelta(minutes=30)


async def _create(world: World, call: Call) -> Answer:
    if len(world.acquisition.links) >= world.assumed.acquisition_links:
        raise ApiError(41095)
    users, departments = _range(world, call.inside("range"))
    link_id = world.new_id("cawcde")
    link = Link(
        link_id,
        call.short("link_name", MAX_NAME, required=True),
        f"https://work.weixin.qq.com/ca/{link_id}",
        users,
        departments,
        world.now(),
        call.flag("skip_verify", True),
        call.obj("priority_option", required=False),
        call.flag("mark_source", True),
    )
    world.acquisition.links[link_id] = link
    return {"link": link.as_json()}


async def _get(world: World, call: Call) -> Answer:
    link = _link(world, call)
    shown = {**link.as_json(), "skip_verify": link.skip_verify, "mark_source": link.mark_source}
    who = {"user_list": list(link.users), "department_list": list(link.departments)}
    return {"link": shown, "range": who, "priority_option": link.priority}


async def _list(world: World, call: Call) -> Answer:
    limit = call.integer("limit", 100, low=1, high=100)
    cursor = call.text("cursor", required=False)
    part, following = page(list(world.acquisition.links), cursor, limit)
    return {"link_id_list": list(part), "next_cursor": following}


async def _update(world: World, call: Call) -> Answer:
    link = _link(world, call)
    if "range" in call.body:
        link.users, link.departments = _range(world, call.inside("range"))
    link.name = call.short("link_name", MAX_NAME) or link.name
    link.skip_verify = call.flag("skip_verify", link.skip_verify)
    if "priority_option" in call.body:
        link.priority = call.obj("priority_option")
    return {}


async def _delete(world: World, call: Call) -> Answer:
    link = _link(world, call)
    del world.acquisition.links[link.link_id]
    tell(world, "delete_link", {"LinkId": link.link_id})
    return {}


async def _customers(world: World, call: Call) -> Answer:
    link = _link(world, call)
    limit = call.integer("limit", 1000, low=1, high=1000)
    part, following = page(link.customers, call.text("cursor", required=False), limit)
    listed = [
        {
            "external_userid": item.external_userid,
            "userid": item.userid,
            "chat_status": item.chat_status,
            "state": item.state,
        }
        for item in part
    ]
    return {"customer_list": listed, "next_cursor": following}


async def _statistic(world: World, call: Call) -> Answer:
    link = _link(world, call)
    begin, end = call.integer("start_time"), call.integer("end_time")
    days = set(span(world, begin, end, longest=LONGEST_SPAN))
    return {
        "click_link_customer_cnt": len({who for who, at in link.clicks if day_of(at) in days}),
        "new_customer_cnt": sum(day_of(item.at) in days for item in link.customers),
    }


async def _quota(world: World, call: Call) -> Answer:
    now = world.now()
    living = [quota for quota in world.acquisition.quotas if quota.expires_at > now]
    return {
        "total": sum(quota.bought for quota in living),
        "balance": world.acquisition.left(now),
        "quota_list": [
            {"expire_date": stamp(day_of(quota.expires_at)), "balance": quota.balance}
            for quota in living
        ],
    }


async def _chat_info(world: World, call: Call) -> Answer:
    known = world.acquisition.chat_keys.get(call.text("chat_key"))
    if known is None or known[0] + KEY_LIFE < world.now():
        raise ApiError(40058, "no such chat_key, or older than 30 minutes")
    _, link_id, newcomer = known
    info = {"recv_msg_cnt": newcomer.received, "link_id": link_id, "state": newcomer.state}
    who = {"userid": newcomer.userid, "external_userid": newcomer.external_userid}
    return {**who, "chat_info": info}


def _link(world: World, call: Call) -> Link:
    return world.acquisition.need(call.text("link_id"))


def _range(world: World, call: Call) -> tuple[list[str], list[int]]:
    users, departments = call.strings("user_list", MAX_PEOPLE), call.numbers("department_list")
    if not (users or departments):
        raise ApiError(40058, "range is empty")
    for userid in users:
        check_range(world, call, userid)
    return users, departments


async def _open(world: World, call: Call) -> Answer:
    url, customer = call.text("url"), call.text("external_userid")
    applies = call.flag("applies", True)
    return {"userid": acquisition.opens(world, url, customer, applies=applies)}


async def _accept(world: World, call: Call) -> Answer:
    """Let a member accept who applied by a link that asks for his word (friend_request)."""
    link, userid = _link(world, call), call.text("userid")
    check_range(world, call, userid)
    need_customer(world, call.text("external_userid"))
    state = call.text("state", required=False)
    acquisition.accept(world, link, userid, call.text("external_userid"), state)
    return {}


async def _buy(world: World, call: Call) -> Answer:
    """Buy newcomers; the bot is told (balance_increased)."""
    count, days = call.integer("count", low=1), call.integer("days", 365, low=1, high=3650)
    expires_at = world.now() + timedelta(days=days)
    world.acquisition.quotas.append(Quota(expires_at, count, count))
    tell(world, "balance_increased", {})
    return {}


async def _expiring(world: World, call: Call) -> Answer:
    """Warn of quota that runs out in a week's time (quota_expire_soon)."""
    soon = world.now() + timedelta(days=7)
    for quota in world.acquisition.quotas:
        if quota.balance and world.now() < quota.expires_at <= soon:
            at = int(quota.expires_at.timestamp())
            tell(world, "quota_expire_soon", {"ExpireTime": at, "ExpireQuotaNum": quota.balance})
    return {}


async def _chat_key(world: World, call: Call) -> Answer:
    """Tell of a newcomer's chat by a key that is good for 30 minutes."""
    link, customer = _link(world, call), call.text("external_userid")
    newcomer = next((one for one in link.customers if one.external_userid == customer), None)
    if newcomer is None:
        raise ApiError(60136, "this customer did not come by this link")
    key = world.new_id("")
    world.acquisition.chat_keys[key] = (world.now(), link.link_id, newcomer)
    fields = {"UserID": newcomer.userid, "ExternalUserID": customer, "ChatKey": key}
    tell(world, world.assumed.acquisition_chat_event, fields)
    return {"chat_key": key}


_PATH = "externalcontact/customer_acquisition"
APIS: tuple[Api, ...] = (
    Api("POST", f"{_PATH}/create_link", _create),
    Api("POST", f"{_PATH}/get", _get),
    Api("POST", f"{_PATH}/list_link", _list),
    Api("POST", f"{_PATH}/update_link", _update),
    Api("POST", f"{_PATH}/delete_link", _delete),
    Api("POST", f"{_PATH}/customer", _customers),
    Api("POST", f"{_PATH}/statistic", _statistic),
    Api("POST", f"{_PATH}/get_chat_info", _chat_info),
    Api("GET", "externalcontact/customer_acquisition_quota", _quota),
)
CONTROLS: tuple[Api, ...] = (
    Api("POST", "acquisition/open", _open, token=False),
    Api("POST", "acquisition/accept", _accept, token=False),
    Api("POST", "acquisition/buy", _buy, token=False),
    Api("POST", "acquisition/expiring", _expiring, token=False),
    Api("POST", "acquisition/chat_key", _chat_key, token=False),
)
