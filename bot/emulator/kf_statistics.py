"""The kf statistics (§4.10), counted from what really happened in this world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot.emulator.days import day_of, span, stamp
from bot.emulator.kf_state import Conversation, Session
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

LONGEST_SPAN = 31
_UPGRADE = "upgrade_service"
_NOT_COUNTED = (
    "satisfaction_investgate_cnt",
    "satisfaction_participation_rate",
    "satisfied_rate",
    "middling_rate",
    "dissatisfied_rate",
    "upgrade_service_customer_cnt",
    "upgrade_service_member_invite_cnt",
    "upgrade_service_member_customer_cnt",
    "upgrade_service_groupchat_invite_cnt",
    "upgrade_service_groupchat_customer_cnt",
)
"""Nobody asks for satisfaction here, and only a program upgrades, which is no servicer."""


@dataclass(frozen=True)
class _Talk:
    """One session with its place in the conversation: from its beginning to the next one's."""

    conversation: Conversation
    session: Session
    ends_at: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.session.began_at <= at and (self.ends_at is None or at < self.ends_at)

    def moments(self, side: str, since: datetime, sender: str = "") -> list[datetime]:
        """Return when one side wrote in this session."""
        return [
            line.at
            for line in self.conversation.lines
            if line.side == side
            and line.msgtype != _UPGRADE
            and line.at >= since
            and self.holds(line.at)
            and (not sender or line.sender == sender)
        ]


async def _corp(world: World, call: Call) -> Answer:
    days, open_kfid = _days(world, call), _account(world, call)
    return {
        "statistic_list": [
            {"stat_time": stamp(day), "statistic": _corp_day(world, open_kfid, day)} for day in days
        ]
    }


def _corp_day(world: World, open_kfid: str, day: date) -> dict[str, object]:
    talks = [talk for talk in _talks(world, open_kfid) if day_of(talk.session.began_at) == day]
    wrote, messages, upgraded, rejected = _customers(world, open_kfid, day)
    robots = [
        talk
        for talk in talks
        if talk.session.by_robot and talk.moments("bot", talk.session.began_at)
    ]
    handed = [talk for talk in robots if talk.session.servicers]
    return {
        "session_cnt": len(talks),
        "customer_cnt": wrote,
        "customer_msg_cnt": messages,
        "upgrade_service_customer_cnt": upgraded,
        "ai_session_reply_cnt": len(robots),
        "ai_transfer_rate": _rate(len(handed), len(robots)),
        "ai_knowledge_hit_rate": 0.0,
        "msg_rejected_customer_cnt": rejected,
    }


def _customers(world: World, open_kfid: str, day: date) -> tuple[int, int, int, int]:
    """Return the customers who wrote, their messages, those upgraded, those refused."""
    wrote, upgraded, rejected, messages = set(), set(), set(), 0
    for conversation in _conversations(world, open_kfid):
        who = conversation.external_userid
        lines = [line for line in conversation.lines if day_of(line.at) == day]
        mine = [line for line in lines if line.side == "customer"]
        messages += len(mine)
        if mine:
            wrote.add(who)
        if any(line.msgtype == _UPGRADE for line in lines):
            upgraded.add(who)
        if any(day_of(at) == day for at in conversation.rejected_at):
            rejected.add(who)
    return len(wrote), messages, len(upgraded), len(rejected)


async def _servicer(world: World, call: Call) -> Answer:
    days, open_kfid = _days(world, call), _account(world, call)
    userid = call.text("servicer_userid", required=False)
    if userid and userid not in world.members:
        raise ApiError(60111)
    return {
        "statistic_list": [
            {"stat_time": stamp(day), "statistic": _servicer_day(world, open_kfid, userid, day)}
            for day in days
        ]
    }


def _servicer_day(world: World, open_kfid: str, userid: str, day: date) -> dict[str, object]:
    talks = [
        (talk, who, at)
        for talk in _talks(world, open_kfid)
        for who, at in talk.session.servicers.items()
        if day_of(at) == day and userid in ("", who)
    ]
    asked = [len(talk.moments("customer", at)) for talk, _, at in talks]
    first = [
        (moments[0] - at).total_seconds()
        for talk, who, at in talks
        if (moments := talk.moments("servicer", at, who))
    ]
    rejected = {
        item.external_userid
        for item in _conversations(world, open_kfid)
        if item.rejected_by in ((userid,) if userid else world.members)
        and any(day_of(at) == day for at in item.rejected_at)
    }
    return {
        "session_cnt": len(talks),
        "customer_cnt": len({talk.conversation.external_userid for talk, _, _ in talks}),
        "customer_msg_cnt": sum(asked),
        "reply_rate": _rate(len(first), len(talks)),
        "first_reply_average_sec": int(sum(first) / len(first)) if first else 0,
        **dict.fromkeys(_NOT_COUNTED, 0),
        "msg_rejected_customer_cnt": len(rejected),
    }


def _talks(world: World, open_kfid: str) -> Iterator[_Talk]:
    for conversation in _conversations(world, open_kfid):
        following = [session.began_at for session in conversation.sessions[1:]]
        for session, ends_at in zip(conversation.sessions, [*following, None], strict=True):
            yield _Talk(conversation, session, ends_at)


def _conversations(world: World, open_kfid: str) -> Iterator[Conversation]:
    for account in world.kf.accounts.values():
        if open_kfid in ("", account.open_kfid):
            yield from account.conversations.values()


def _account(world: World, call: Call) -> str:
    open_kfid = call.text("open_kfid", required=False, max_bytes=64)
    return world.kf.account(open_kfid).open_kfid if open_kfid else ""


def _days(world: World, call: Call) -> list[date]:
    begin, end = call.integer("start_time"), call.integer("end_time")
    return list(span(world, begin, end, longest=LONGEST_SPAN))


def _rate(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


APIS: tuple[Api, ...] = (
    Api("POST", "kf/get_corp_statistic", _corp),
    Api("POST", "kf/get_servicer_statistic", _servicer),
)
