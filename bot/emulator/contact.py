"""The 客户联系 API: who has it, customers in lists and one by one, remarks; the players' side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bot.emulator import tags, ways, welcome
from bot.emulator.friends import NO_RELATION, ContactBook, Friendship, befriend, says, unfriend
from bot.emulator.paging import page
from bot.emulator.scope import check_range, need_customer, visible_members
from bot.emulator.wire import Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import Customer, World

CUSTOMER_MISSING = 41035
FOLLOWERS_PER_PAGE = 500
WECHAT_USER, WECOM_USER = 1, 2
REMARK_KEYS = ("remark", "description", "remark_company", "remark_mobiles", "remark_pic_mediaid")


def _profile(customer: Customer) -> dict[str, object]:
    fields: dict[str, object] = {
        "external_userid": customer.external_userid,
        "name": customer.nickname,
        "avatar": customer.avatar,
        "type": WECOM_USER if customer.external_userid.startswith("wo") else WECHAT_USER,
        "gender": customer.gender,
    }
    return fields | ({"unionid": customer.unionid} if customer.unionid else {})


async def _follow_users(world: World, call: Call) -> dict[str, object]:
    return {"follow_user": visible_members(world, call)}


async def _list(world: World, call: Call) -> dict[str, object]:
    userid = call.param("userid", code=41009)
    check_range(world, call, userid)
    friends = world.contacts.of_member(userid)
    if not friends:
        raise ApiError(NO_RELATION, userid)
    return {"external_userid": [friend.external_userid for friend in friends]}


async def _get(world: World, call: Call) -> dict[str, object]:
    customer = need_customer(world, call.param("external_userid", code=CUSTOMER_MISSING))
    friends = world.contacts.of_customer(customer.external_userid)
    visible = set(visible_members(world, call))
    friends = [friend for friend in friends if friend.userid in visible]
    if not friends:
        raise ApiError(NO_RELATION, customer.external_userid)
    part, following = page(friends, call.param("cursor", required=False), FOLLOWERS_PER_PAGE)
    book = world.contacts.tags
    answer: dict[str, object] = {
        "external_contact": _profile(customer),
        "follow_user": [friend.fields() | {"tags": book.shown(friend.tags)} for friend in part],
    }
    return answer | ({"next_cursor": following} if following else {})


async def _batch(world: World, call: Call) -> dict[str, object]:
    userids = call.strings("userid_list", 100, required=True)
    limit = call.integer("limit", 50, low=1, high=100)
    for userid in userids:
        check_range(world, call, userid)
    friends = [friend for userid in userids for friend in world.contacts.of_member(userid)]
    part, following = page(friends, call.text("cursor", required=False), limit)
    return {
        "external_contact_list": [
            {
                "external_contact": _profile(need_customer(world, friend.external_userid)),
                "follow_info": friend.fields() | {"tag_id": list(friend.tags)},
            }
            for friend in part
        ],
        "next_cursor": following,
    }


async def _remark(world: World, call: Call) -> dict[str, object]:
    userid, external_userid = call.text("userid"), call.text("external_userid")
    check_range(world, call, userid)
    if not any(key in call.body for key in REMARK_KEYS):
        raise ApiError(40058, "nothing to remark")
    changes: dict[str, object] = {}
    for key, longest in (("remark", 20), ("description", 150), ("remark_company", 20)):
        if key in call.body:
            changes[key] = _short(call, key, longest)
    if "remark_mobiles" in call.body:
        changes["remark_mobiles"] = [mobile for mobile in call.strings("remark_mobiles") if mobile]
    picture = call.text("remark_pic_mediaid", required=False)
    if picture:
        world.media.get(picture)
    world.contacts.note(world, userid, external_userid, changes)
    return {}


def _short(call: Call, key: str, longest: int) -> str:
    text = call.text(key, required=False)
    if len(text) > longest:
        raise ApiError(40058, f"{key} is longer than {longest} characters")
    return text


def scans(world: World, config_id: str, external_userid: str) -> Friendship:
    """Let a customer scan a contact way's code and become a friend of one of its members."""
    way = world.contacts.ways.need(config_id)
    able = ways.members_of(world, way)
    if way.is_exclusive:
        known = {friend.userid for friend in world.contacts.of_customer(external_userid)}
        able = [userid for userid in able if userid in known] or able
    userid = able[world.rng.randrange(len(able))]
    return befriend(world, userid, external_userid, add_way=1, state=way.state)


async def _add_friend(world: World, call: Call) -> dict[str, object]:
    befriend(
        world,
        call.text("userid"),
        call.text("external_userid"),
        add_way=call.integer("add_way", 1),
        state=call.text("state", required=False),
    )
    return {}


async def _scan(world: World, call: Call) -> dict[str, object]:
    config_id, external_userid = call.text("config_id"), call.text("external_userid")
    need_customer(world, external_userid)
    way = world.contacts.ways.need(config_id)
    if way.is_temp:
        return {"userid": ways.open_temporary(world, way, external_userid)}
    return {"userid": scans(world, config_id, external_userid).userid}


async def _delete_friend(world: World, call: Call) -> dict[str, object]:
    unfriend(world, call.text("userid"), call.text("external_userid"), by=_side(call))
    return {}


async def _say(world: World, call: Call) -> dict[str, object]:
    userid, external_userid = call.text("userid"), call.text("external_userid")
    says(world, userid, external_userid, call.text("text"), by=_side(call))
    return {}


def _side(call: Call) -> Literal["member", "customer"]:
    side = call.text("by")
    if side == "member":
        return "member"
    if side == "customer":
        return "customer"
    raise ApiError(40058, "by must be member or customer")


APIS: tuple[Api, ...] = (
    Api("GET", "externalcontact/get_follow_user_list", _follow_users),
    Api("GET", "externalcontact/list", _list),
    Api("GET", "externalcontact/get", _get),
    Api("POST", "externalcontact/batch/get_by_user", _batch),
    Api("POST", "externalcontact/remark", _remark),
    *tags.APIS,
    *ways.APIS,
    *welcome.APIS,
)
CONTROLS: tuple[Api, ...] = (
    Api("POST", "contacts/add", _add_friend, token=False),
    Api("POST", "contacts/scan", _scan, token=False),
    Api("POST", "contacts/delete", _delete_friend, token=False),
    Api("POST", "contacts/say", _say, token=False),
)
__all__ = [
    "APIS",
    "CONTROLS",
    "ContactBook",
    "Friendship",
    "befriend",
    "says",
    "scans",
    "unfriend",
]
