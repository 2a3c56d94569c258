"""Values for tests: each builder says only what matters to the test that calls it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.delivery import Terms
from bot.domain.events import Arrival, MessageReceived, Notice
from bot.domain.ids import CustomerId, GroupChatId, KfAccountId, RmId
from bot.domain.lead import Evidence, Need, Signal
from bot.domain.messages import (
    Broadcast,
    Button,
    Card,
    KfEventReply,
    KfHandover,
    KfReply,
    StaffCard,
    StaffText,
    TagChange,
    Text,
)
from bot.domain.runs import NewStep

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 10, 12, 12, 0, tzinfo=ZONE)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
ACCOUNT, CUSTOMER = KfAccountId("wkA"), CustomerId("wmLi")
CHAT, OWNER = GroupChatId("wrA"), RmId("li.min")


def local(clock: str, day: str = "2026-10-12") -> datetime:
    """Return a moment of the bank's day, such as ``local("09:30")``."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE)


def notice(
    key: str = "n1", channel: str = "kf", body: str = "<xml></xml>", lane: str = ""
) -> Notice:
    return Notice(key=key, channel=channel, body=body, lane=lane)


def message(msgid: str = "m1", text: str = "您好", at: datetime = NOON) -> MessageReceived:
    return MessageReceived(account=ACCOUNT, customer=CUSTOMER, msgid=msgid, text=text, sent_at=at)


def arrival(key: str, lane: str = "kf:wmLi") -> Arrival:
    return Arrival(key=key, lane=lane, event=message(key))


def reply(text: str = "您好") -> KfReply:
    return KfReply(account=ACCOUNT, customer=CUSTOMER, content=Text(text=text))


def broadcast(text: str = "今天讲防骗") -> Broadcast:
    return Broadcast(owner=OWNER, chats=(CHAT,), contents=(Text(text=text),))


def staff_text(text: str = "请看一下") -> StaffText:
    return StaffText(to=(OWNER,), text=text)


def staff_card(task: str = "lead-1", to: str = OWNER) -> StaffCard:
    button = Button(text="接手", key="lead:1:take")
    return StaffCard(to=RmId(to), task=task, card=Card(title="客户想问理财", buttons=(button,)))


def handover(customer: str = "wmWang", to: str | None = OWNER) -> KfHandover:
    return KfHandover(
        account=ACCOUNT, customer=CustomerId(customer), to=None if to is None else RmId(to)
    )


def event_reply(code: str = "code-1") -> KfEventReply:
    return KfEventReply(account=ACCOUNT, customer=CUSTOMER, code=code, content=Text(text="您好"))


def tag_change(customer: str = CUSTOMER) -> TagChange:
    return TagChange(manager=OWNER, customer=CustomerId(customer), add=("存款",))


def answer_terms(subject: str = CUSTOMER) -> Terms:
    return Terms(purpose="answer", subject=subject, account=ACCOUNT)


def staff_terms() -> Terms:
    return Terms(purpose="staff", subject=OWNER)


def signal(
    need: Need = Need.WEALTH,
    *,
    customer: str = CUSTOMER,
    quote: str = "想问问理财",
    at: datetime = NOON,
    ask_first: bool = False,
    minutes: int | None = None,
    **more: Any,
) -> Signal:
    return Signal(
        customer=CustomerId(customer),
        need=need,
        evidence=Evidence(quote=quote, at=at, source="客户群"),
        minutes=minutes,
        ask_first=ask_first,
        **{"chat": CHAT, **more},
    )


def new_step(step: str = "d02", opens: str = "09:30", closes: str = "18:00") -> NewStep:
    return NewStep(
        step=step,
        kind="step",
        planned_on=date(2026, 10, 12),
        opens_at=local(opens),
        closes_at=local(closes),
    )
