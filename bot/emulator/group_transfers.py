"""Customer groups that get another owner by API (§5.10): on the job, or after a resignation."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.emulator import group_actions
from bot.emulator.days import day_of
from bot.emulator.errcodes import text_of
from bot.emulator.group_book import Group
from bot.emulator.scope import check_range
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

INHERITING, INHERITED = 2, 3
MAX_GROUPS = 100
GROUPS_A_DAY = 300
TIMES, PER = 2, timedelta(days=90)


async def _on_job(world: World, call: Call) -> Answer:
    return _transfer(world, call, resigned=False)


async def _resigned(world: World, call: Call) -> Answer:
    return _transfer(world, call, resigned=True)


def _transfer(world: World, call: Call, *, resigned: bool) -> Answer:
    chat_ids = call.strings("chat_id_list", MAX_GROUPS, required=True)
    new_owner = call.text("new_owner")
    check_range(world, call, new_owner)
    if not world.members[new_owner].active:
        raise ApiError(41054)
    failed = []
    for chat_id in dict.fromkeys(chat_ids):
        group = world.groups.groups.get(chat_id)
        errcode = _refusal(world, group, new_owner, resigned=resigned)
        if errcode or group is None:
            failed.append({"chat_id": chat_id, "errcode": errcode, "errmsg": text_of(errcode)})
        else:
            _hand(world, group, new_owner, resigned=resigned)
    return {"failed_chat_list": failed}


def _refusal(world: World, group: Group | None, new_owner: str, *, resigned: bool) -> int:
    """Return why this group cannot get this owner, 0 when it can."""
    if group is None or group.dismissed:
        return 90501
    gone = world.members[group.owner].resigned_at is not None
    if resigned != gone:
        return 90500 if resigned else 90502
    if group.status == INHERITING:
        return 90507
    if group.owner == new_owner:
        return 90504
    book, since = world.groups.transfers, world.now() - PER
    if not resigned and sum(at > since for at in book.handed.get(group.chat_id, ())) >= TIMES:
        return 40128
    if book.taken.get((new_owner, day_of(world.now())), 0) >= GROUPS_A_DAY:
        return 45009
    return 0


def _hand(world: World, group: Group, new_owner: str, *, resigned: bool) -> None:
    book, today = world.groups.transfers, (new_owner, day_of(world.now()))
    book.handed.setdefault(group.chat_id, []).append(world.now())
    book.taken[today] = book.taken.get(today, 0) + 1
    if not resigned:
        group_actions.change_owner(world, group.chat_id, new_owner)
        return

    def inherit() -> None:
        group_actions.change_owner(world, group.chat_id, new_owner)
        group.status = INHERITED

    group.status = INHERITING
    world.later.after(timedelta(seconds=world.assumed.resigned_group_transfer_s), inherit)
    world.later.run_due()


APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/groupchat/onjob_transfer", _on_job),
    Api("POST", "externalcontact/groupchat/transfer", _resigned),
)
