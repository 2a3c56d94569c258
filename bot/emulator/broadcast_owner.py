"""What an owner does with mass messages in the WeCom client: send a task's, or one of his own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bot.emulator import archive
from bot.emulator.attachments import Body
from bot.emulator.broadcast_book import Broadcast, ChatType, Outcome, OwnerTask, Status
from bot.emulator.group_actions import deliver
from bot.emulator.quota import ALL_RULES
from bot.emulator.scope import need_member
from bot.emulator.wire import Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

NOT_IN_TASK = 40003


def confirm(
    world: World, msgid: str, userid: str, *, chosen: Sequence[str] | None = None
) -> dict[str, Status]:
    """Press 发送: deliver to each recipient who has quota left; return what became of each.

    A cancelled task, or one sent before, sends nothing and returns nothing. ``chosen`` are the
    recipients the owner picks where he may.
    """
    broadcast = world.broadcasts.need(msgid)
    task = broadcast.tasks.get(userid)
    if task is None:
        raise ApiError(NOT_IN_TASK, userid)
    if not broadcast.is_open_for(userid):
        return {}
    if chosen is not None:
        _choose(world, broadcast, task, chosen)
    task.confirmed_at = world.now()
    for outcome in task.outcomes.values():
        outcome.status = _send(world, broadcast, userid, outcome.recipient)
        outcome.at = task.confirmed_at
    return {outcome.recipient: outcome.status for outcome in task.outcomes.values()}


def owner_broadcasts_himself(
    world: World, userid: str, chat_ids: Sequence[str], text: str
) -> Broadcast:
    """Let an owner mass-send his own words to his groups; it uses the same quota."""
    need_member(world, userid)
    owned = {group.chat_id for group in world.groups.owned_by(userid)}
    strangers = [chat_id for chat_id in chat_ids if chat_id not in owned]
    if strangers:
        raise ApiError(40050, strangers[0])
    return _his_own(world, userid, "group", chat_ids, text)


def manager_broadcasts_himself(
    world: World, userid: str, customers: Sequence[str], text: str
) -> Broadcast:
    """Let a member mass-send his own words to his customers; it uses the same quota."""
    need_member(world, userid)
    strangers = [one for one in customers if world.contacts.find(userid, one) is None]
    if strangers:
        raise ApiError(40096, strangers[0])
    return _his_own(world, userid, "single", customers, text)


def _his_own(
    world: World, userid: str, chat_type: ChatType, recipients: Sequence[str], text: str
) -> Broadcast:
    task = OwnerTask(userid, {recipient: Outcome(recipient) for recipient in recipients})
    broadcast = Broadcast(
        world.new_id("msg"),
        chat_type,
        Body(text),
        world.now(),
        {userid: task},
        personal=True,
        creator=userid,
    )
    world.broadcasts.put(broadcast)
    confirm(world, broadcast.msgid, userid)
    return broadcast


def _choose(world: World, broadcast: Broadcast, task: OwnerTask, chosen: Sequence[str]) -> None:
    if not broadcast.may_choose:
        raise ApiError(40058, "the owner may not choose")
    offered = set(task.outcomes)
    if broadcast.chat_type == "group":
        offered |= {group.chat_id for group in world.groups.owned_by(task.userid)}
    strangers = [recipient for recipient in chosen if recipient not in offered]
    if strangers:
        raise ApiError(40058, f"not to be chosen: {strangers[0]}")
    task.outcomes = {recipient: Outcome(recipient) for recipient in dict.fromkeys(chosen)}


def _send(world: World, broadcast: Broadcast, userid: str, recipient: str) -> Status:
    now = world.now()
    if not _reachable(world, broadcast, userid, recipient):
        return Status.NOT_A_FRIEND
    if not world.broadcasts.quota.take(recipient, now):
        return Status.OVER_QUOTA
    _deliver(world, broadcast, userid, recipient, now)
    return Status.SENT


def _reachable(world: World, broadcast: Broadcast, userid: str, recipient: str) -> bool:
    if broadcast.chat_type == "group":
        group = world.groups.groups.get(recipient)
        return group is not None and not group.dismissed and group.owner == userid
    friendship = world.contacts.find(userid, recipient)
    return friendship is not None and not friendship.deleted_by_customer


def _deliver(
    world: World, broadcast: Broadcast, userid: str, recipient: str, now: datetime
) -> None:
    source = ("personal_broadcast:" if broadcast.personal else "broadcast:") + broadcast.msgid
    for number, part in enumerate(broadcast.body.parts()):
        meta = {"msgid": broadcast.msgid, "part": number, "msgtype": part.msgtype}
        meta[part.msgtype] = part.payload
        if broadcast.chat_type == "group":
            deliver(world, world.groups.need(recipient), userid, part, source, meta)
            continue
        world.deliveries.add(
            "single",
            to=recipient,
            sender=userid,
            text=part.shown(),
            at=now,
            source=source,
            meta=meta,
        )
        kept = part.archived()
        archive.append(world, userid, [recipient], "", kept.msgtype, kept.payload)


async def _todo(world: World, call: Call) -> dict[str, object]:
    userid = call.param("userid")
    return {"todo": [item.as_json(userid) for item in world.broadcasts.todo(userid)]}


async def _tasks(world: World, call: Call) -> dict[str, object]:
    userid = call.param("userid")
    return {"tasks": [item.as_json(userid) for item in world.broadcasts.tasks_of(userid)]}


async def _notices(world: World, call: Call) -> dict[str, object]:
    notices = world.broadcasts.notices.get(call.param("userid"), [])
    return {
        "notices": [
            {"kind": notice.kind, "ref": notice.ref, "at": notice.at.isoformat()}
            for notice in notices
        ]
    }


async def _confirm(world: World, call: Call) -> dict[str, object]:
    chosen = call.strings("chosen") if "chosen" in call.body else None
    results = confirm(world, call.text("msgid"), call.text("userid"), chosen=chosen)
    return {"results": {recipient: int(status) for recipient, status in results.items()}}


async def _personal(world: World, call: Call) -> dict[str, object]:
    userid, text = call.text("userid"), call.text("text")
    customers = call.strings("external_userids")
    if customers:
        broadcast = manager_broadcasts_himself(world, userid, customers, text)
    else:
        chat_ids = call.strings("chat_ids", required=True)
        broadcast = owner_broadcasts_himself(world, userid, chat_ids, text)
    return {"msgid": broadcast.msgid, "results": broadcast.as_json(userid)["results"]}


async def _set_quota(world: World, call: Call) -> dict[str, object]:
    wanted = call.strings("rules", required=True)
    rules = [rule for rule in ALL_RULES if rule in wanted]
    if len(rules) < len(set(wanted)):
        raise ApiError(40058, f"rules are among {', '.join(ALL_RULES)}")
    world.broadcasts.quota.rules = tuple(rules)
    return {}


CONTROLS: tuple[Api, ...] = (
    Api("GET", "broadcasts/todo", _todo, token=False),
    Api("GET", "broadcasts/tasks", _tasks, token=False),
    Api("GET", "broadcasts/notices", _notices, token=False),
    Api("POST", "broadcasts/confirm", _confirm, token=False),
    Api("POST", "broadcasts/personal", _personal, token=False),
    Api("POST", "broadcasts/quota", _set_quota, token=False),
)
