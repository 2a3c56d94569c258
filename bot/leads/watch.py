"""Watches the time a lead may wait: a warning before its end, then the head of the branch."""

from __future__ import annotations

from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.ids import RmId
from bot.domain.lead import Lead
from bot.domain.messages import StaffText
from bot.domain.staff_messages import StaffNotice
from bot.leads.cards import clip, clock_of, warning_notice
from bot.storage.db import Tx

_WARN_AT = 0.8  # of the time a person has to answer
_WARNED, _ESCALATED = 1, 2


def next_look(opened_at: datetime, respond_by: datetime, warned: int) -> datetime | None:
    """Return when a lead is to be looked at again; None once it has been escalated."""
    if warned == 0:
        return opened_at + (respond_by - opened_at) * _WARN_AT
    return respond_by if warned == _WARNED else None


class LeadWatch:
    """Reminds the person, by a card where there is a page to open, then tells the head."""

    def __init__(self, bank: Bank, card_link: str = "") -> None:
        self._bank = bank
        self._card_link = card_link

    async def look(self, tx: Tx, lead: Lead, now: datetime) -> None:
        """Do what a lead's waiting time asks for; one that is taken or closed asks nothing."""
        if lead.stage != "new":
            await tx.leads.change(lead.id, due_at=None)
            return
        level = _ESCALATED if now >= lead.respond_by else _WARNED
        quote = clip(lead.evidence[-1].quote, 40) if lead.evidence else ""
        opened_at = clock_of(lead.opened_at, self._bank.zone)
        if level == _WARNED:
            to = lead.rm
            text = (
                f"{opened_at} 的「{lead.need.value}」线索快到时限了，客户说：「{quote}」。"
                "请先接手，再联系客户。"
            )
        else:
            to = self._head_over(lead.rm)
            text = (
                f"{opened_at} 的「{lead.need.value}」线索超过时限还没人接手，客户说：「{quote}」。"
                "请安排人马上联系。"
            )
        key = f"watch:{lead.id}:{lead.rm}:{level}"
        words: StaffText | StaffNotice = StaffText(to=(to,), text=text)
        if self._card_link and level == _WARNED:
            words = warning_notice(lead, self._bank, now, self._card_link)
        await tx.outbox.put(key, words, Terms(purpose="staff", subject=to), now)
        kind = "lead_warned" if level == _WARNED else "lead_escalated"
        await tx.ledger.add(kind, lead.customer, now, lead=lead.id, to=to)
        await tx.leads.change(
            lead.id, warned=level, due_at=next_look(lead.opened_at, lead.respond_by, level)
        )

    def _head_over(self, rm: RmId) -> RmId:
        member = self._bank.member(rm)
        branch = self._bank.branch(member.branch) if member and member.branch else None
        return branch.head if branch else self._bank.branches[0].head
