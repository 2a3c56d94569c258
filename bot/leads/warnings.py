"""What staff read when a lead's time runs out, and when it has."""

from __future__ import annotations

from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.ids import RmId
from bot.domain.lead import GRAVE, Lead
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
    "resolve": "请办结，或点「稍后」约时间。",
}
_ROW: dict[TimerKind, str] = {
    "accept": "接手时限",
    "first": "请在此前回",
    "next": "请在此前回",
    "resolve": "办结时限",
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
    to: RmId | None = None,
) -> StaffText | StaffNotice:
    """Tell who has a lead that its time runs out; with a page to open it is a card for that.

    ``to`` answers for what nobody has.
    """
    until, receiver = due_by or lead.respond_by, lead.rm or to or RmId("")
    mend = _mend(lead, kind) if lead.rm else "还没有人接手，请转派或自己接。"
    if url:
        rows = [(_ROW[kind], when(until, now, bank.zone)), ("客户", clip(name or "客户", 26))]
        if quote := _quote(lead, 30):
            rows.append(("客户说", quote))
        return StaffNotice(
            to=receiver,
            title=f"线索快到时限：{lead.need.value}",
            description=f"{time_left(until, now)}，{mend.rstrip('。')}",
            rows=tuple(rows),
            url=url,
        )
    text = (
        f"{_named(lead, bank, now, name)}快到时限了，{time_left(until, now)}，{_DUE[kind]}。"
        f"{_said(lead)}{mend}"
    )
    return StaffText(to=(receiver,), text=text)


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
    mend = f"请安排人马上联系，{_pull_up(lead)}转派。" if to != lead.rm else _mend(lead, kind)
    text = (
        f"{_named(lead, bank, now, name)}超过时限{_over(until, now)}，{_DUE[kind]}，{whose}。"
        f"{_said(lead)}{mend}"
    )
    return StaffText(to=(to,), text=text)


def woken(lead: Lead, bank: Bank, now: datetime, *, name: str = "") -> StaffText:
    """Remind whoever put a lead off that the time has come."""
    at = clock_of(now, bank.zone)
    text = (
        f"{at} 到您约的时间了：{name or '客户'}的「{lead.need.value}」。{_said(lead)}"
        f"请接着跟进，{_pull_up(lead)}办。"
    )
    return StaffText(to=(lead.rm,), text=text)


def _mend(lead: Lead, kind: TimerKind) -> str:
    """Say what to do; what is grave cannot be put off."""
    return "请办结。" if kind == "resolve" and lead.need in GRAVE else _MEND[kind]


def _pull_up(lead: Lead) -> str:
    """Say how a lead's card is had on a phone, where the first one lies far above by now."""
    return f"问小安「线索 {lead.id}」就能"


def _named(lead: Lead, bank: Bank, now: datetime, name: str) -> str:
    # The second sets apart words that are the same: WeCom folds those (wecom_protocol §3.4).
    opened_at, opened_on = clock_of(lead.opened_at, bank.zone), lead.opened_at.astimezone(bank.zone)
    if opened_on.date() != now.astimezone(bank.zone).date():
        opened_at = f"{opened_on.month}月{opened_on.day}日 {opened_at}"
    return f"{opened_at} 的「{lead.need.value}」线索 {lead.id}" + (f"（{name}）" if name else "")


def _over(until: datetime, now: datetime) -> str:
    left = time_left(until, now)
    return left.removeprefix("已超") if left.startswith("已超") else ""


def _quote(lead: Lead, length: int) -> str:
    return clip(lead.evidence[-1].quote, length) if lead.evidence else ""


def _said(lead: Lead) -> str:
    quote = _quote(lead, _QUOTE)
    return f"客户说：「{quote}」。" if quote else ""
