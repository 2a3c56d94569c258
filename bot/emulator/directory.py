"""The little of the address book that bots ask for: a member, the departments, the app itself.

The reference has no page on it; the fields are those that every client reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

ROOT = 1


def _departments(world: World) -> dict[str, int]:
    """Number the branches in the order in which they first appear, behind the root."""
    names = dict.fromkeys(member.branch for member in world.members.values() if member.branch)
    return {name: number for number, name in enumerate(names, start=ROOT + 1)}


async def _user(world: World, call: Call) -> Answer:
    member = world.members.get(call.param("userid", code=41009))
    if member is None or member.resigned_at is not None:
        raise ApiError(60111)
    if not world.apps[call.agent_id].sees(member.userid):
        raise ApiError(60011)
    departments = _departments(world)
    return {
        "userid": member.userid,
        "name": member.name,
        "alias": member.alias,
        "position": member.role,
        "department": [departments.get(member.branch, ROOT)],
        "main_department": departments.get(member.branch, ROOT),
        "status": 1 if member.active else 4,
    }


async def _users(world: World, call: Call) -> Answer:
    wanted = call.param("department_id")
    departments, app = _departments(world), world.apps[call.agent_id]
    if wanted not in {str(ROOT), *(str(number) for number in departments.values())}:
        raise ApiError(60123)
    listed = [
        {"userid": one.userid, "name": one.name, "department": [number]}
        for one in world.members.values()
        if app.sees(one.userid)
        and one.resigned_at is None
        and (number := departments.get(one.branch, ROOT))
        and (wanted in (str(ROOT), str(number)))
    ]
    return {"userlist": listed}


async def _list(world: World, call: Call) -> Answer:
    listed: list[dict[str, object]] = [{"id": ROOT, "name": "总行", "parentid": 0, "order": 1}]
    for name, number in _departments(world).items():
        listed.append({"id": number, "name": name, "parentid": ROOT, "order": number})
    return {"department": listed}


async def _agent(world: World, call: Call) -> Answer:
    if call.param("agentid", code=41011) != str(call.agent_id):
        raise ApiError(40056)
    app = world.apps[call.agent_id]
    seen = sorted(world.members) if app.visible_to is None else sorted(app.visible_to)
    return {
        "agentid": app.agent_id,
        "name": app.name,
        "close": int(not app.enabled),
        "allow_userinfos": {"user": [{"userid": userid} for userid in seen]},
    }


APIS: tuple[Api, ...] = (
    Api("GET", "user/get", _user),
    Api("GET", "user/simplelist", _users),
    Api("GET", "department/list", _list),
    Api("GET", "agent/get", _agent),
)
