"""A lead's card in somebody's hands: its buttons go once the lead is over, or a colleague's."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.ids import RmId, digest
from bot.domain.lead import Lead
from bot.domain.messages import StaffCard, StaffCardUpdate
from bot.leads.assign import holder_of
from bot.storage.db import Tx
from bot.storage.leads import LeadCard

CODE_LASTS = timedelta(hours=72)
"""How long a card that was sent can be changed, once (wecom_protocol §3.6)."""
_OF_A_LEAD = re.compile(r"lead-(\d+)-")
_OF_THE_DESK = "card:"  # so begins the key of a card that comes with the lead itself
_ENDED = {"won": "已成交", "lost": "已记下：没成", "invalid": "已标记无效", "closed": "已办结"}


async def card_left(
    tx: Tx, bank: Bank, key: str, card: StaffCard, code: str, now: datetime
) -> None:
    """Keep what changes a lead's card; use it where the lead has moved while the card was queued.

    A card that a head asked to see of somebody else's lead is not the lead's own.
    """
    of_lead = _OF_A_LEAD.match(card.task)
    lead = await tx.leads.hold(int(of_lead[1])) if of_lead and code else None
    if lead is None:
        return
    left = LeadCard(card.to, code, now)
    if _is_held_by(bank, lead, card.to):
        await tx.leads.card_given(lead.id, left)
    elif key.startswith(_OF_THE_DESK):
        await _grey(tx, bank, lead, left, now)


async def leave_card(
    tx: Tx, bank: Bank, lead: Lead, now: datetime, *, pressed_by: str = ""
) -> None:
    """Grey the card of whoever has no more to do with a lead, as it was moved just now.

    While the lead stays with the same person the one change is saved for its end: the buttons
    still do what they say. ``pressed_by`` pressed the card, which says so itself.
    """
    card = await tx.leads.card(lead.id)
    if card is None or _is_held_by(bank, lead, card.to):
        return
    await tx.leads.card_given(lead.id, None)
    if card.to != pressed_by:
        await _grey(tx, bank, lead, card, now)


def _is_held_by(bank: Bank, lead: Lead, userid: RmId) -> bool:
    return lead.closed_at is None and holder_of(bank, lead) == userid


async def _grey(tx: Tx, bank: Bank, lead: Lead, card: LeadCard, now: datetime) -> None:
    until = card.at + CODE_LASTS
    if now >= until:  # WeCom changes it no more; a press still says how things stand
        return
    update = StaffCardUpdate(to=card.to, response_code=card.code, replace=_became(bank, lead))
    terms = Terms(purpose="staff", subject=card.to, closes_at=until)
    await tx.outbox.put(f"lead-card:{lead.id}:{digest(card.code, size=8)}", update, terms, now)


def _became(bank: Bank, lead: Lead) -> str:
    """Say in few words what became of a lead."""
    if lead.closed_at is not None:
        return _ENDED.get(lead.stage, "已办结")
    member = bank.member(lead.rm) if lead.rm else None
    if member is None:
        return "没人接手，已交行长分派"
    return f"已转给{member.name}" if lead.stage == "new" else f"已由{member.name}接手"
