"""The mass message API: a call makes a task, never a message; people send it (§5.7)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.emulator import broadcast_owner, violations
from bot.emulator.attachments import read_body
from bot.emulator.broadcast_book import (
    MSGID_MISSING,
    Broadcast,
    BroadcastBook,
    ChatType,
    Notice,
    Outcome,
    OwnerTask,
    Status,
)
from bot.emulator.broadcast_owner import (
    confirm,
    manager_broadcasts_himself,
    owner_broadcasts_himself,
)
from bot.emulator.friends import Friendship
from bot.emulator.paging import page
from bot.emulator.scope import check_range, visible_members
from bot.emulator.wire import Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_TEXT_BYTES = 4000
MAX_GROUPS = 2000
MAX_CUSTOMERS = 10_000
NOBODY_TO_SEND_TO = 41048
ALREADY_CANCELLED = 41093
REMINDED_TOO_OFTEN = 41094
REMINDERS = 3
REMINDERS_PER = timedelta(hours=24)
LONGEST_QUERY_S = 31 * 24 * 3600
CORP, PERSONAL = 0, 1


async def _add(world: World, call: Call) -> dict[str, object]:
    chat_type = _chat_type(call, default="single")
    body = read_body(world, call, max_bytes=MAX_TEXT_BYTES)
    sender = call.text("sender", required=chat_type == "group")
    if sender:
        check_range(world, call, sender)
    if chat_type == "group":
        recipients, failed = _groups(world, call, sender)
        may_choose = "chat_id_list" not in call.body
    else:
        recipients, failed = _customers(world, call, sender)
        may_choose = call.flag("allow_select")
    if not recipients:
        raise ApiError(NOBODY_TO_SEND_TO)
    tasks = {
        userid: OwnerTask(userid, {name: Outcome(name) for name in names})
        for userid, names in recipients.items()
    }
    broadcast = Broadcast(
        world.new_id("msg"), chat_type, body, world.now(), tasks, may_choose=may_choose
    )
    world.broadcasts.put(broadcast)
    if world.assumed.broadcast_days:

        def close() -> None:
            broadcast.expired = True

        world.later.after(timedelta(days=world.assumed.broadcast_days), close)
    for userid in tasks:
        world.broadcasts.notify(userid, "broadcast", broadcast.msgid, world.now())
    return {"fail_list": failed, "msgid": broadcast.msgid}


def _groups(world: World, call: Call, sender: str) -> tuple[dict[str, list[str]], list[str]]:
    wanted = call.strings("chat_id_list", MAX_GROUPS)
    if not wanted:
        # Without a list the owner picks the groups himself when he sends.
        return ({sender: []} if world.groups.owned_by(sender) else {}), []
    owned = {group.chat_id for group in world.groups.owned_by(sender)}
    good = [chat_id for chat_id in dict.fromkeys(wanted) if chat_id in owned]
    failed = [chat_id for chat_id in dict.fromkeys(wanted) if chat_id not in owned]
    return ({sender: good} if good else {}), failed


def _customers(world: World, call: Call, sender: str) -> tuple[dict[str, list[str]], list[str]]:
    named = list(dict.fromkeys(call.strings("external_userid", MAX_CUSTOMERS)))
    # Customers given by name make WeCom ignore the tags.
    filters = [] if named else _tag_filter(world, call)
    if not named and not sender and not filters:
        raise ApiError(40058, "external_userid, sender and tag_filter are all empty")
    senders = {sender} if sender else set(visible_members(world, call))
    candidates = named or list(
        dict.fromkeys(
            friend.external_userid
            for userid in visible_members(world, call)
            if userid in senders
            for friend in world.contacts.of_member(userid)
        )
    )
    recipients: dict[str, list[str]] = {}
    failed: list[str] = []
    for external_userid in candidates:
        friendship = _follower(world, external_userid, senders, filters)
        if friendship is not None:
            recipients.setdefault(friendship.userid, []).append(external_userid)
        elif named:
            failed.append(external_userid)
    return recipients, failed


def _follower(
    world: World, external_userid: str, senders: set[str], filters: list[set[str]]
) -> Friendship | None:
    """Return the friendship to send by: of several followers the one who last interacted."""
    friends = [
        friend
        for friend in world.contacts.of_customer(external_userid)
        if friend.userid in senders and all(not some.isdisjoint(friend.tags) for some in filters)
    ]
    return max(friends, key=lambda friend: friend.last_contact_at, default=None)


def _tag_filter(world: World, call: Call) -> list[set[str]]:
    """Return sets of tags: any one within a set, all sets together."""
    groups = call.inside("tag_filter", required=False).objects("group_list", 100)
    filters = [set(call.of(group).strings("tag_list", 100, required=True)) for group in groups]
    for tag_id in set().union(*filters):
        if tag_id not in world.contacts.tags.tags:
            raise ApiError(40068, tag_id)
    return filters


async def _list(world: World, call: Call) -> dict[str, object]:
    chat_type = _chat_type(call)
    since, until = call.integer("start_time"), call.integer("end_time")
    if not 0 <= until - since <= LONGEST_QUERY_S:
        raise ApiError(40058, "the time span is at most one month")
    creator = call.text("creator", required=False)
    kind = call.integer("filter_type", 2, low=0, high=2)
    limit = call.integer("limit", 50, low=1, high=100)
    found = [
        item
        for item in world.broadcasts.items.values()
        if item.chat_type == chat_type
        and since <= item.created_at.timestamp() <= until
        and (not creator or item.creator == creator)
        and kind in (2, PERSONAL if item.personal else CORP)
    ]
    part, following = page(found, call.text("cursor", required=False), limit)
    return {"group_msg_list": [_listed(item) for item in part], "next_cursor": following}


def _listed(item: Broadcast) -> dict[str, object]:
    fields: dict[str, object] = {
        "msgid": item.msgid,
        "create_time": int(item.created_at.timestamp()),
        "create_type": PERSONAL if item.personal else CORP,
        **item.body.as_json(),
    }
    return fields | ({"creator": item.creator} if item.creator else {})


async def _tasks(world: World, call: Call) -> dict[str, object]:
    broadcast = _queried(world, call)
    limit = call.integer("limit", 500, low=1, high=1000)
    tasks = list(broadcast.tasks.values())
    part, following = page(tasks, call.text("cursor", required=False), limit)
    return {"task_list": [_task(task) for task in part], "next_cursor": following}


def _task(task: OwnerTask) -> dict[str, object]:
    if task.confirmed_at is None:
        return {"userid": task.userid, "status": 0}
    sent = int(task.confirmed_at.timestamp())
    return {"userid": task.userid, "status": 2, "send_time": sent}


async def _results(world: World, call: Call) -> dict[str, object]:
    broadcast = _queried(world, call)
    userid = call.text("userid", code=41009)
    limit = call.integer("limit", 500, low=1, high=1000)
    task = broadcast.tasks.get(userid)
    if task is None:
        raise ApiError(broadcast_owner.NOT_IN_TASK, userid)
    outcomes = list(task.outcomes.values())
    part, following = page(outcomes, call.text("cursor", required=False), limit)
    key = "chat_id" if broadcast.chat_type == "group" else "external_userid"
    return {
        "send_list": [_result(item, key, userid) for item in part],
        "next_cursor": following,
    }


def _result(outcome: Outcome, key: str, userid: str) -> dict[str, object]:
    status = int(outcome.status)
    fields: dict[str, object] = {key: outcome.recipient, "userid": userid, "status": status}
    if outcome.status is Status.SENT and outcome.at is not None:
        fields["send_time"] = int(outcome.at.timestamp())
    return fields


async def _remind(world: World, call: Call) -> dict[str, object]:
    broadcast = world.broadcasts.need(_msgid(call))
    if broadcast.cancelled_at is not None:
        raise ApiError(ALREADY_CANCELLED)
    now = world.now()
    recent = [moment for moment in broadcast.reminded_at if moment > now - REMINDERS_PER]
    if len(recent) >= REMINDERS:
        raise ApiError(REMINDED_TOO_OFTEN)
    broadcast.reminded_at.append(now)
    for userid in broadcast.tasks:
        if broadcast.is_open_for(userid):
            world.broadcasts.notify(userid, "reminder", broadcast.msgid, now)
    return {}


async def _cancel(world: World, call: Call) -> dict[str, object]:
    broadcast = world.broadcasts.need(_msgid(call))
    if broadcast.cancelled_at is not None:
        raise ApiError(ALREADY_CANCELLED)
    broadcast.cancelled_at = world.now()
    return {}


def _queried(world: World, call: Call) -> Broadcast:
    return world.broadcasts.need(_msgid(call), queried_at=world.now())


def _msgid(call: Call) -> str:
    return call.text("msgid", code=MSGID_MISSING)


def _chat_type(call: Call, default: ChatType | None = None) -> ChatType:
    chat_type = call.text("chat_type", required=default is None) or default
    if chat_type == "single":
        return "single"
    if chat_type == "group":
        return "group"
    raise ApiError(40058, "chat_type is single or group")


CONTROLS: tuple[Api, ...] = (*broadcast_owner.CONTROLS, *violations.CONTROLS)
APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/add_msg_template", _add),
    Api("POST", "externalcontact/get_groupmsg_list_v2", _list),
    Api("POST", "externalcontact/get_groupmsg_task", _tasks),
    Api("POST", "externalcontact/get_groupmsg_send_result", _results),
    Api("POST", "externalcontact/remind_groupmsg_send", _remind),
    Api("POST", "externalcontact/cancel_groupmsg_send", _cancel),
)
__all__ = [
    "APIS",
    "CONTROLS",
    "Broadcast",
    "BroadcastBook",
    "Notice",
    "Status",
    "confirm",
    "manager_broadcasts_himself",
    "owner_broadcasts_himself",
]
