"""在职继承 and 离职继承 of customers (§5.10): begun by API, done after 24 hours unless refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.emulator.friends import Friendship
from bot.emulator.paging import page
from bot.emulator.scope import check_range, need_member
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

DONE, WAITING, REFUSED, LIMIT = 1, 2, 3, 4
TAKES = timedelta(hours=24)
TIMES, PER = 2, timedelta(days=90)
MAX_CUSTOMERS = 100
BY_TRANSFER = 202
RESULTS_PER_PAGE = 1000
DEFAULT_WORDS = "您好，您的服务已升级，后续将由我的同事为您服务。"


@dataclass
class Transfer:
    """One customer on the way from one member to another."""

    handover: str
    takeover: str
    external_userid: str
    resigned: bool
    words: str
    started_at: datetime
    status: int = WAITING
    takeover_at: datetime | None = None


@dataclass
class TransferBook:
    """Every transfer ever begun, oldest first."""

    items: list[Transfer] = field(default_factory=list)

    def waiting(self, handover: str, external_userid: str) -> Transfer | None:
        """Return the transfer of this friendship that is under way, if one is."""
        return next(
            (
                item
                for item in self.items
                if item.status == WAITING
                and (item.handover, item.external_userid) == (handover, external_userid)
            ),
            None,
        )


async def _on_job(world: World, call: Call) -> Answer:
    handover = call.text("handover_userid", code=41009)
    check_range(world, call, handover)
    return _begin(world, call, handover, resigned=False)


async def _resigned(world: World, call: Call) -> Answer:
    handover = call.text("handover_userid", code=41009)
    need_member(world, handover)
    if world.members[handover].resigned_at is None:
        raise ApiError(40097)
    return _begin(world, call, handover, resigned=True)


def _begin(world: World, call: Call, handover: str, *, resigned: bool) -> Answer:
    takeover = call.text("takeover_userid", code=41009)
    check_range(world, call, takeover)
    if takeover == handover:
        raise ApiError(40130)
    if not world.members[takeover].active:
        raise ApiError(41054)
    customers = call.strings("external_userid", MAX_CUSTOMERS, required=True, code=41035)
    words = call.short("transfer_success_msg", 200)
    results = []
    for external_userid in customers:
        errcode = _refusal(world, handover, external_userid)
        if not errcode:
            item = Transfer(handover, takeover, external_userid, resigned, words, world.now())
            world.transfers.items.append(item)
            world.later.after(TAKES, lambda item=item: _finish(world, item))  # type: ignore[misc]
        results.append({"external_userid": external_userid, "errcode": errcode})
    return {"customer": results}


def _refusal(world: World, handover: str, external_userid: str) -> int:
    """Return why this customer cannot be handed over, 0 when he can."""
    if external_userid not in world.customers:
        return 40096
    friendship = world.contacts.find(handover, external_userid)
    if friendship is None or friendship.deleted_by_customer:
        return 40131
    if world.transfers.waiting(handover, external_userid) is not None:
        return 40129
    since = world.now() - PER
    recent = [
        item
        for item in world.transfers.items
        if item.external_userid == external_userid and item.started_at > since
    ]
    return 40128 if len(recent) >= TIMES else 0


def _finish(world: World, item: Transfer) -> None:
    """Hand the customer over when 24 hours are up, if nothing came between."""
    if item.status != WAITING:
        return
    friendship = world.contacts.find(item.handover, item.external_userid)
    if friendship is None or friendship.deleted_by_customer:
        item.status = REFUSED
        return
    taken = len(world.contacts.of_member(item.takeover))
    if taken >= world.assumed.customers_per_member:
        item.status = LIMIT
        _failed(world, item, "customer_limit_exceed")
        return
    item.status, item.takeover_at = DONE, world.now()
    _move(world, item, friendship)
    world.deliveries.add(
        "single",
        to=item.external_userid,
        sender=item.takeover,
        text=item.words or DEFAULT_WORDS,
        at=world.now(),
        source="transfer",
    )


def _move(world: World, item: Transfer, old: Friendship) -> None:
    book, now = world.contacts, world.now()
    book.drop(item.handover, item.external_userid)
    if not item.resigned:
        book.tell(world, "del_external_contact", old, {"Source": "DELETE_BY_TRANSFER"})
    if book.find(item.takeover, item.external_userid) is not None:
        return
    new = Friendship(
        item.takeover,
        item.external_userid,
        now,
        now,
        add_way=BY_TRANSFER,
        state=old.state,
        remark=old.remark,
        description=old.description,
        tags=list(old.tags),
    )
    book.put(new)
    book.tell(world, "add_external_contact", new, {"State": old.state} if old.state else {})


def refuse(world: World, external_userid: str, takeover: str) -> None:
    """Let a customer refuse the colleague who is to take him over; the bot is told."""
    for item in world.transfers.items:
        if (item.external_userid, item.takeover, item.status) == (
            external_userid,
            takeover,
            WAITING,
        ):
            item.status = REFUSED
            _failed(world, item, "customer_refused")
            return
    raise ApiError(60136, "no transfer under way")


def _failed(world: World, item: Transfer, reason: str) -> None:
    friendship = Friendship(item.takeover, item.external_userid, world.now(), world.now())
    world.contacts.tell(world, "transfer_fail", friendship, {"FailReason": reason})


async def _on_job_result(world: World, call: Call) -> Answer:
    return _result(world, call, resigned=False)


async def _resigned_result(world: World, call: Call) -> Answer:
    return _result(world, call, resigned=True)


def _result(world: World, call: Call, *, resigned: bool) -> Answer:
    pair = call.text("handover_userid", code=41009), call.text("takeover_userid", code=41009)
    newest: dict[str, Transfer] = {
        item.external_userid: item
        for item in world.transfers.items
        if (item.handover, item.takeover) == pair and item.resigned == resigned
    }
    cursor = call.text("cursor", required=False)
    part, following = page(list(newest.values()), cursor, RESULTS_PER_PAGE)
    listed = []
    for item in part:
        fields: dict[str, object] = {
            "external_userid": item.external_userid,
            "status": item.status,
            "takeover_time": int((item.takeover_at or item.started_at + TAKES).timestamp()),
        }
        listed.append(fields)
    return {"customer": listed} | ({"next_cursor": following} if following else {})


async def _unassigned(world: World, call: Call) -> Answer:
    size = call.integer("page_size", RESULTS_PER_PAGE, low=1, high=1000)
    found = [
        {
            "handover_userid": member.userid,
            "external_userid": friend.external_userid,
            "dimission_time": int(member.resigned_at.timestamp()),
        }
        for member in world.members.values()
        if member.resigned_at is not None
        for friend in world.contacts.of_member(member.userid)
        if world.transfers.waiting(member.userid, friend.external_userid) is None
    ]
    cursor = call.text("cursor", required=False)
    start = call.integer("page_id", 0, low=0) * size
    part, following = page(found if cursor else found[start:], cursor, size)
    return {"info": list(part), "is_last": not following, "next_cursor": following}


def resign(world: World, userid: str) -> None:
    """Let a member leave the bank: his customers and groups wait to be handed on."""
    need_member(world, userid)
    member = world.members[userid]
    member.active, member.on_duty, member.resigned_at = False, False, world.now()
    for group in world.groups.owned_by(userid):
        group.status = 1


async def _resign(world: World, call: Call) -> Answer:
    resign(world, call.text("userid"))
    return {}


async def _refuse(world: World, call: Call) -> Answer:
    refuse(world, call.text("external_userid"), call.text("takeover_userid"))
    return {}


APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/transfer_customer", _on_job),
    Api("POST", "externalcontact/transfer_result", _on_job_result),
    Api("POST", "externalcontact/get_unassigned_list", _unassigned),
    Api("POST", "externalcontact/resigned/transfer_customer", _resigned),
    Api("POST", "externalcontact/resigned/transfer_result", _resigned_result),
)
CONTROLS: tuple[Api, ...] = (
    Api("POST", "members/resign", _resign, token=False),
    Api("POST", "transfers/refuse", _refuse, token=False),
)
