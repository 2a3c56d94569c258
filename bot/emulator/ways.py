"""Contact ways (联系我): codes that lead a customer to a member, with a state that says whence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.emulator.kf_text import plain_text
from bot.emulator.limits import DAY
from bot.emulator.paging import page
from bot.emulator.scope import check_range
from bot.emulator.wire import Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_USERS, MAX_WAYS = 100, 500_000
TOO_MANY_WAYS, BAD_CUSTOMER = 41045, 40096
TEMP_CODE_S, TEMP_CHAT_S, LONGEST_TEMP_S = 7 * 86400, 86400, 14 * 86400
LONGEST_QUERY_S = 90 * 86400
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
    style: int = 0
    party: tuple[int, ...] = ()
    is_temp: bool = False
    expires_in: int = TEMP_CODE_S
    chat_expires_in: int = TEMP_CHAT_S
    unionid: str = ""
    is_exclusive: bool = False
    mark_source: bool = True
    conclusions: Mapping[str, object] = field(default_factory=dict)
    """What the customer gets when his temporary chat ends."""

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
            "party": list(self.party),
            "style": self.style,
            "is_temp": self.is_temp,
            "is_exclusive": self.is_exclusive,
        }
        if self.is_temp:
            fields |= {
                "expires_in": self.expires_in,
                "chat_expires_in": self.chat_expires_in,
                "unionid": self.unionid,
                "conclusions": dict(self.conclusions),
            }
        return fields | ({"qr_code": qr_code(self.config_id)} if self.scene == QR_CODE else {})


@dataclass
class WayBook:
    """The contact ways by config_id."""

    ways: dict[str, ContactWay] = field(default_factory=dict)
    temporary: dict[tuple[str, str], tuple[datetime, ContactWay]] = field(default_factory=dict)
    """Temporary chats under way (member, customer): until when, and by which way."""

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
    if len(world.contacts.ways.ways) + len(world.groups.join_ways.ways) >= MAX_WAYS:
        raise ApiError(TOO_MANY_WAYS)
    kind = call.integer("type", low=SINGLE, high=MULTI, code=41039)
    scene = call.integer("scene", low=1, high=QR_CODE, code=41040)
    temporary = call.flag("is_temp")
    if temporary and kind != SINGLE:
        raise ApiError(41039, "a temporary chat is with one member")
    party = tuple(call.numbers("party"))
    users = _users(world, call, party)
    if kind == SINGLE and (len(users) != 1 or party):
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
        style=call.integer("style", 0, low=0, high=3, code=41042),
        party=party,
        is_temp=temporary,
        expires_in=_seconds(call, "expires_in", TEMP_CODE_S),
        chat_expires_in=_seconds(call, "chat_expires_in", TEMP_CHAT_S),
        unionid=call.text("unionid", required=False),
        is_exclusive=call.flag("is_exclusive"),
        mark_source=call.flag("mark_source", True),
        conclusions=_conclusions(call) if temporary else {},
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
        users=_users(world, call, way.party) if "user" in given else way.users,
        party=tuple(call.numbers("party")) if "party" in given else way.party,
        skip_verify=call.flag("skip_verify", way.skip_verify),
        style=call.integer("style", way.style, low=0, high=3, code=41042),
        expires_in=_seconds(call, "expires_in", way.expires_in),
        chat_expires_in=_seconds(call, "chat_expires_in", way.chat_expires_in),
        unionid=call.text("unionid", required=False) if "unionid" in given else way.unionid,
        is_exclusive=call.flag("is_exclusive", way.is_exclusive),
        mark_source=call.flag("mark_source", way.mark_source),
        conclusions=_conclusions(call) if "conclusions" in given else way.conclusions,
    )
    return {}


async def _list(world: World, call: Call) -> dict[str, object]:
    since, until = call.integer("start_time", 0), call.integer("end_time", world.timestamp())
    limit = call.integer("limit", 100, low=1, high=1000)
    if not 0 <= until - since <= LONGEST_QUERY_S and "start_time" in call.body:
        raise ApiError(40058, "the time span is at most 90 days")
    found = [
        way.config_id
        for way in world.contacts.ways.ways.values()
        if since <= way.created_at.timestamp() <= until and not way.is_temp
    ]
    part, following = page(found, call.text("cursor", required=False), limit)
    answer: dict[str, object] = {"contact_way": [{"config_id": config_id} for config_id in part]}
    return answer | ({"next_cursor": following} if following else {})


async def _delete(world: World, call: Call) -> dict[str, object]:
    del world.contacts.ways.ways[_way(world, call).config_id]
    return {}


def _way(world: World, call: Call) -> ContactWay:
    return world.contacts.ways.need(call.text("config_id", code=CONFIG_MISSING))


async def _close(world: World, call: Call) -> dict[str, object]:
    userid = call.text("userid", code=41009)
    close_temporary(world, userid, call.text("external_userid", code=41035))
    return {}


def members_of(world: World, way: ContactWay) -> list[str]:
    """Return whom a way may lead to: its users and those of its departments, if active."""
    parties = world.app_messages.parties
    named = [*way.users, *(uid for no in way.party for uid in sorted(parties.get(str(no), ())))]
    able = [uid for uid in dict.fromkeys(named) if uid in world.members]
    return [uid for uid in able if world.members[uid].active]


def open_temporary(world: World, way: ContactWay, external_userid: str) -> str:
    """Let a customer open a temporary chat by its code; return the member's userid."""
    now, customer = world.now(), world.customers[external_userid]
    if way.created_at + timedelta(seconds=way.expires_in) <= now:
        raise ApiError(CONFIG_INVALID, "the temporary code has expired")
    if way.unionid and way.unionid != customer.unionid:
        raise ApiError(BAD_CUSTOMER, "the temporary code is another customer's")
    world.limits.spend("temporary", now, (DAY, world.limits.temp_sessions_per_day))
    userid, lasts = members_of(world, way)[0], timedelta(seconds=way.chat_expires_in)
    world.contacts.ways.temporary[userid, external_userid] = (now + lasts, way)
    return userid


def close_temporary(world: World, userid: str, external_userid: str) -> None:
    """End a temporary chat: the customer gets the way's conclusions."""
    known = world.contacts.ways.temporary.pop((userid, external_userid), None)
    if known is None or known[0] <= world.now():
        raise ApiError(60136, "no temporary chat between these two")
    for kind, payload in known[1].conclusions.items():
        world.deliveries.add(
            "single",
            to=external_userid,
            sender=userid,
            text=plain_text(kind, payload if isinstance(payload, dict) else {}),
            at=world.now(),
            source="temp_chat",
            meta={"msgtype": kind},
        )


def _conclusions(call: Call) -> dict[str, object]:
    given = call.inside("conclusions", required=False)
    given.inside("text", required=False).text("content", required=False, max_bytes=4000)
    unknown = set(given.body) - {"text", "image", "link", "miniprogram"}
    if unknown:
        raise ApiError(40058, f"conclusions has {sorted(unknown)[0]}")
    return given.body


def _seconds(call: Call, key: str, default: int) -> int:
    return call.integer(key, default, low=1, high=LONGEST_TEMP_S)


def _users(world: World, call: Call, party: tuple[int, ...]) -> tuple[str, ...]:
    users = call.strings("user", MAX_USERS, required=False, code=TOO_MANY_USERS)
    if not users and not party:
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
    Api("POST", "externalcontact/close_temp_chat", _close),
)
