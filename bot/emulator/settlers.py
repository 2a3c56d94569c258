"""Routes below ``/emulator/`` that put apps, staff, customers and kf accounts into the world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World


async def _app(world: World, call: Call) -> Answer:
    agent_id, secret = call.integer("agent_id", low=1), call.text("secret")
    world.settle_app(agent_id, secret, call.text("name", required=False))
    return {}


async def _members(world: World, call: Call) -> Answer:
    for item in map(call.of, call.objects("members", required=True)):
        world.settle_member(
            item.text("userid", max_bytes=64),
            item.text("name"),
            role=item.text("role", required=False),
            branch=item.text("branch", required=False),
        )
    return {}


async def _departments(world: World, call: Call) -> Answer:
    """Set who is in which department and who has which member tag, by their numbers."""
    for key, book in (
        ("departments", world.app_messages.parties),
        ("tags", world.app_messages.tags),
    ):
        given = call.inside(key, required=False)
        for number in given.body:
            people = given.strings(number)
            unknown = [userid for userid in people if userid not in world.members]
            if unknown or not number.isdecimal():
                raise ApiError(60111 if unknown else 60123, (unknown or [number])[0])
            book[number] = set(people)
    return {}


async def _customers(world: World, call: Call) -> Answer:
    ids: list[str] = []
    for item in map(call.of, call.objects("customers", required=True)):
        given = item.text("external_userid", required=False, max_bytes=64)
        if given and not given.startswith("wm"):
            raise ApiError(40096, "an external_userid begins with wm")
        age = item.integer("age", -1, low=-1, high=130)
        nickname = item.text("nickname")
        ids.append(world.settle_customer(given, nickname, None if age < 0 else age))
    return {"external_userids": ids}


async def _kf_account(world: World, call: Call) -> Answer:
    open_kfid = call.text("open_kfid", required=False, max_bytes=64)
    if open_kfid and not open_kfid.startswith("wk"):
        raise ApiError(95000)
    servicers = call.strings("servicers")
    if any(userid not in world.members for userid in servicers):
        raise ApiError(60111)
    account = world.kf.add_account(call.text("name"), open_kfid)
    for userid in servicers:
        world.kf.add_servicer(account.open_kfid, userid)
    return {"open_kfid": account.open_kfid}


CONTROLS: tuple[Api, ...] = (
    Api("POST", "apps", _app, token=False),
    Api("POST", "members", _members, token=False),
    Api("POST", "departments", _departments, token=False),
    Api("POST", "customers", _customers, token=False),
    Api("POST", "kf/accounts", _kf_account, token=False),
)
