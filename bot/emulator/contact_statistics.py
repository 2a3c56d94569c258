"""The contact statistics (§5.9), counted from what really happened: members, groups, days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot.emulator.days import day_of, span, stamp
from bot.emulator.group_book import CUSTOMER, Group
from bot.emulator.scope import check_range
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.friends import ChatLine
    from bot.emulator.world import World

LONGEST_SPAN = 30
LONGEST_GROUP_SPAN = 180
_ORDERS = ("new_chat_cnt", "chat_total", "new_member_cnt", "member_total")


async def _behaviour(world: World, call: Call) -> Answer:
    users, parties = call.strings("userid", 100), call.numbers("partyid", 100)
    if not (users or parties):
        raise ApiError(40058, "userid and partyid are both empty")
    for userid in users:
        check_range(world, call, userid)
    named = set(users)
    for number in parties:
        named |= world.app_messages.parties.get(str(number), set())
    days = span(world, call.integer("start_time"), call.integer("end_time"), longest=LONGEST_SPAN)
    return {"behavior_data": [_day(world, named, day) for day in days]}


def _day(world: World, users: set[str], day: date) -> dict[str, object]:
    """Sum up one day of several members; the rates are absent where nobody wrote first."""
    lines = [
        line for line in world.contacts.lines if line.userid in users and day_of(line.at) == day
    ]
    sent = [line for line in lines if line.sender == line.userid]
    fields: dict[str, object] = {
        "stat_time": stamp(day),
        "chat_cnt": len({(line.userid, line.external_userid) for line in sent}),
        "message_cnt": len(sent),
        "negative_feedback_cnt": sum(
            day_of(at) == day for userid, _, at in world.contacts.losses if userid in users
        ),
        "new_apply_cnt": sum(
            day_of(at) == day for userid, _, at in world.contacts.applications if userid in users
        ),
        "new_contact_cnt": sum(
            day_of(friend.created_at) == day
            for userid in users
            for friend in world.contacts.of_member(userid)
        ),
    }
    return fields | _replies(lines)


def _replies(lines: list[ChatLine]) -> dict[str, object]:
    talks: dict[tuple[str, str], list[ChatLine]] = {}
    for line in lines:
        talks.setdefault((line.userid, line.external_userid), []).append(line)
    asked = [talk for talk in talks.values() if talk[0].sender == talk[0].external_userid]
    if not asked:
        return {}
    waits = [
        (answer.at - talk[0].at).total_seconds() / 60
        for talk in asked
        if (answer := next((line for line in talk if line.sender == line.userid), None))
    ]
    fields: dict[str, object] = {"reply_percentage": round(100 * len(waits) / len(asked), 2)}
    return fields | ({"avg_reply_time": round(sum(waits) / len(waits))} if waits else {})


async def _by_owner(world: World, call: Call) -> Answer:
    days = _group_days(world, call)
    owners = _owners(world, call)
    counted = [(owner, _data(world.groups.owned_by(owner), days)) for owner in owners]
    order = _ORDERS[call.integer("order_by", 1, low=1, high=4) - 1]

    counted.sort(key=lambda item: item[1][order], reverse=not call.flag("order_asc"))
    items = [{"owner": owner, "data": data} for owner, data in counted]
    offset = call.integer("offset", 0, low=0)
    limit = call.integer("limit", 500, low=1, high=1000)
    following = min(offset + limit, len(items))
    return {"total": len(items), "next_offset": following, "items": items[offset:following]}


async def _by_day(world: World, call: Call) -> Answer:
    groups = [group for owner in _owners(world, call) for group in world.groups.owned_by(owner)]
    days = _group_days(world, call)
    return {"items": [{"stat_time": stamp(day), "data": _data(groups, [day])} for day in days]}


def _data(groups: list[Group], days: list[date]) -> dict[str, int]:
    """Count over some days; totals are those at the end of the last one."""
    wanted, last = set(days), days[-1]

    def within(at: datetime) -> bool:
        return day_of(at) in wanted

    def until(at: datetime) -> bool:
        return day_of(at) <= last

    there = [group for group in groups if until(group.created_at)]
    return {
        "new_chat_cnt": sum(within(group.created_at) for group in there),
        "chat_total": len(there),
        "chat_has_msg": sum(any(within(line.at) for line in group.lines) for group in there),
        "new_member_cnt": _members(there, within),
        "member_total": _members(there, until),
        "member_has_msg": sum(
            len({line.sender for line in group.lines if within(line.at)}) for group in there
        ),
        "msg_total": sum(sum(within(line.at) for line in group.lines) for group in there),
        "migrate_trainee_chat_cnt": 0,
    }


def _members(groups: list[Group], counts: Callable[[datetime], bool]) -> int:
    return sum(
        member.kind == CUSTOMER and counts(member.joined_at)
        for group in groups
        for member in group.members.values()
    )


def _owners(world: World, call: Call) -> list[str]:
    owners = call.inside("owner_filter").strings("userid_list", 100, required=True)
    for userid in owners:
        check_range(world, call, userid)
    return list(dict.fromkeys(owners))


def _group_days(world: World, call: Call) -> list[date]:
    begin = call.integer("day_begin_time")
    end = call.integer("day_end_time", begin)
    return list(span(world, begin, end, longest=LONGEST_GROUP_SPAN))


APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/get_user_behavior_data", _behaviour),
    Api("POST", "externalcontact/groupchat/statistic", _by_owner),
    Api("POST", "externalcontact/groupchat/statistic_group_by_day", _by_day),
)
