"""Whom an app may act for: members in its range who have the 客户联系 function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.emulator.wire import ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import Customer, World

NO_PERMISSION = 84074
BAD_CUSTOMER = 40096
UNKNOWN_MEMBER = 60111
OUT_OF_SCOPE = 60011


def check_range(world: World, call: Call, userid: str) -> None:
    """Refuse a member who is unknown, out of the app's range or lacks the function."""
    need_member(world, userid)
    app = world.apps.get(call.agent_id)
    if app is not None and not app.sees(userid):
        raise ApiError(OUT_OF_SCOPE, userid)
    if userid in world.contacts.without_function:
        raise ApiError(NO_PERMISSION, userid)


def visible_members(world: World, call: Call) -> list[str]:
    """Return the userids in the app's range who have the 客户联系 function."""
    app = world.apps.get(call.agent_id)
    return [
        userid
        for userid, member in world.members.items()
        if member.active
        and userid not in world.contacts.without_function
        and (app is None or app.sees(userid))
    ]


def need_member(world: World, userid: str) -> None:
    """Refuse a userid that nobody of the bank has."""
    if userid not in world.members:
        raise ApiError(UNKNOWN_MEMBER, userid)


def need_customer(world: World, external_userid: str) -> Customer:
    """Return a customer of this world or refuse with 40096."""
    customer = world.customers.get(external_userid)
    if customer is None:
        raise ApiError(BAD_CUSTOMER, external_userid)
    return customer
