"""What staff read when a lead's time runs out, and when it has."""

from __future__ import annotations

from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.ids import RmId
from bot.domain.lead import Lead
from bot.domain.messages import StaffText
from bot.domain.sla import TimerKind
from bot.domain.staff_messages import StaffNotice
from bot.leads.cards import clip, clock_of, time_left, when

_QUOTE = 40
_DUE: dict[TimerKind, str] = {
    "accept": "还没人接手",
    "first": "还没回复客户",
    "next": "客户又说了话，还没回",
    "resolve": "还没办结",
}
_MEND: dict[TimerKind, str] = {
    "accept": "请先接手，再联系客户。",
    "first": "请现在联系客户。",
    "next": "请现在回客户。",
    "resolve": "请办结，或在卡片上点「稍后」约好时间。",
}
_ROW: dict[TimerKind, str] = {
    "accept": "请在此前接手",
    "first": "请在此前回",
    "next": "请在此前回",
    "resolve": "请在此前办结",
}


def running_out(
    lead: Lead,
    bank: Bank,
    now: datetime,
    *,
    kind: TimerKind = "accept",
    due_by: datetime | None = None,
    name: str = "",
    url: str = "",
) -> StaffText | StaffNotice:
    """Tell who has a lead that its time runs out; with a page to open it is a card for that."""
    until = due_by or lead.respond_by
    if url:
        rows = [(_ROW[kind], when(until, now, bank.zone)), ("客户", clip(name or "客户", 26))]
        if quote := _quote(lead, 30):
            rows.append(("客户说", quote))
        return StaffNotice(
            to=lead.rm,
            title=f"线索快到时限：{lead.need.value}",
            description=f"{time_left(until, now)}，{_MEND[kind].rstrip('。')}",
            rows=tuple(rows),
            url=url,
        )
    text = (
        f"{_named(lead, bank, name)}快到时限了，{time_left(until, now)}，{_DUE[kind]}。"
        f"{_said(lead)}{_MEND[kind]}"
    )
    return StaffText(to=(lead.rm,), text=text)


def overdue(
    lead: Lead,
    bank: Bank,
    now: datetime,
    *,
    to: RmId,
    kind: TimerKind = "accept",
    due_by: datetime | None = None,
    name: str = "",
) -> StaffText:
    """Tell somebody above that a lead's time is over: whose it is, and what to do."""
    until = due_by or lead.respond_by
    holder = bank.member(lead.rm) if lead.rm else None
    whose = f"现在在{holder.name}那里" if holder is not None else "现在没有人"
    mend = "请安排人马上联系。" if to != lead.rm else _MEND[kind]
    text = (
        f"{_named(lead, bank, name)}超过时限{_over(until, now)}，{_DUE[kind]}，{whose}。"
        f"{_said(lead)}{mend}"
    )
    return StaffText(to=(to,), text=text)


def woken(lead: Lead, bank: Bank, now: datetime, *, name: str = "") -> StaffText:
    """Remind whoever put a lead off that the time has come."""
    at = clock_of(now, bank.zone)
    text = (
        f"{at} 到您约的时间了：{name or '客户'}的「{lead.need.value}」。{_said(lead)}请接着跟进。"
    )
    return StaffText(to=(lead.rm,), text=text)


def _named(lead: Lead, bank: Bank, name: str) -> str:
    # The second sets apart words that are the same: WeCom folds those (wecom_protocol §3.4).
    opened_at = clock_of(lead.opened_at, bank.zone)
    return f"{opened_at} 的「{lead.need.value}」线索" + (f"（{name}）" if name else "")


def _over(until: datetime, now: datetime) -> str:
    left = time_left(until, now)
    return left.removeprefix("已超") if left.startswith("已超") else ""


def _quote(lead: Lead, length: int) -> str:
    return clip(lead.evidence[-1].quote, length) if lead.evidence else ""


def _said(lead: Lead) -> str:
    quote = _quote(lead, _QUOTE)
    return f"客户说：「{quote}」。" if quote else ""
