"""Contact ways (联系我): codes that lead a customer to a member, with a state that says whence."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.emulator.paging import page
from bot.emulator.scope import check_range
from bot.emulator.wire import Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_USERS = 100
TOO_MANY_USERS = 41041
CONFIG_MISSING = 41043
CONFIG_INVALID = 41044
SINGLE, MULTI = 1, 2
QR_CODE = 2


@dataclass(frozen=True)
class ContactWay:
    """One code; ``state`` comes back in the friend's event and record."""

    config_id: str
    kind: int
    scene: int
    users: tuple[str, ...]
    created_at: datetime
    state: str = ""
    remark: str = ""
    skip_verify: bool = True

    def as_json(self) -> dict[str, object]:
        """Return the fields of ``get_contact_way``."""
        fields: dict[str, object] = {
            "config_id": self.config_id,
            "type": self.kind,
            "scene": self.scene,
            "remark": self.remark,
            "skip_verify": self.skip_verify,
            "state": self.state,
            "user": list(self.users),
        }
        return fields | ({"qr_code": qr_code(self.config_id)} if self.scene == QR_CODE else {})


@dataclass
class WayBook:
    """The contact ways by config_id."""

    ways: dict[str, ContactWay] = field(default_factory=dict)

    def need(self, config_id: str) -> ContactWay:
        """Return a contact way or refuse with 41044."""
        way = self.ways.get(config_id)
        if way is None:
            raise ApiError(CONFIG_INVALID, config_id)
        return way


def qr_code(config_id: str) -> str:
    """Return the address of a way's QR picture."""
    return f"https://wework.qpic.cn/wwpic/{config_id}/0"


async def _add(world: World, call: Call) -> dict[str, object]:
    kind = call.integer("type", low=SINGLE, high=MULTI, code=41039)
    scene = call.integer("scene", low=1, high=QR_CODE, code=41040)
    users = _users(world, call)
    if kind == SINGLE and len(users) != 1:
        raise ApiError(40058, "type 1 takes one user")
    way = ContactWay(
        world.new_id(""),
        kind,
        scene,
        users,
        world.now(),
        state=_short(call, "state"),
        remark=_short(call, "remark"),
        skip_verify=call.flag("skip_verify", True),
    )
    world.contacts.ways.ways[way.config_id] = way
    answer: dict[str, object] = {"config_id": way.config_id}
    return answer | ({"qr_code": qr_code(way.config_id)} if scene == QR_CODE else {})


async def _get(world: World, call: Call) -> dict[str, object]:
    return {"contact_way": _way(world, call).as_json()}


async def _update(world: World, call: Call) -> dict[str, object]:
    way, given = _way(world, call), call.body
    world.contacts.ways.ways[way.config_id] = replace(
        way,
        state=_short(call, "state") if "state" in given else way.state,
        remark=_short(call, "remark") if "remark" in given else way.remark,
        users=_users(world, call) if "user" in given else way.users,
        skip_verify=call.flag("skip_verify", way.skip_verify),
    )
    return {}


async def _list(world: World, call: Call) -> dict[str, object]:
    since, until = call.integer("start_time", 0), call.integer("end_time", world.timestamp())
    limit = call.integer("limit", 100, low=1, high=1000)
    found = [
        way.config_id
        for way in world.contacts.ways.ways.values()
        if since <= way.created_at.timestamp() <= until
    ]
    part, following = page(found, call.text("cursor", required=False), limit)
    answer: dict[str, object] = {"contact_way": [{"config_id": config_id} for config_id in part]}
    return answer | ({"next_cursor": following} if following else {})


async def _delete(world: World, call: Call) -> dict[str, object]:
    del world.contacts.ways.ways[_way(world, call).config_id]
    return {}


def _way(world: World, call: Call) -> ContactWay:
    return world.contacts.ways.need(call.text("config_id", code=CONFIG_MISSING))


def _users(world: World, call: Call) -> tuple[str, ...]:
    users = call.strings("user", MAX_USERS, required=False, code=TOO_MANY_USERS)
    if not users:
        raise ApiError(40058, "missing user")
    for userid in users:
        check_range(world, call, userid)
    return tuple(users)


def _short(call: Call, key: str) -> str:
    text = call.text(key, required=False)
    if len(text) > 30:
        raise ApiError(40058, f"{key} is longer than 30 characters")
    return text


APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/add_contact_way", _add),
    Api("POST", "externalcontact/get_contact_way", _get),
    Api("POST", "externalcontact/update_contact_way", _update),
    Api("POST", "externalcontact/list_contact_way", _list),
    Api("POST", "externalcontact/del_contact_way", _delete),
)
