"""Whoever has a talk of 微信客服 presses its card: take it, give it back, invite the customer."""

from __future__ import annotations

from datetime import datetime

from bot.domain.events import CardPressed
from bot.domain.ids import RmId
from bot.domain.lead_rights import heads
from bot.domain.tickets import Ticket
from bot.leads.talk_cards import invited_card, talk_task
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.handing_over import HandingOver
from bot.workers.inviting import Inviting
from bot.workers.lead_presses import Shown
from bot.workers.tickets import put_release

_TAKEN, _BACK, _OVER = "已转给您，到微信客服里回", "已还给小安", "这次会话已经结束"
_OTHERS, _BY_NOW = "现在由同事接待", "客户已经转给人了"


class TicketPresses:
    """Carries out what the buttons of a talk's card ask for; a second press changes nothing."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._handing = HandingOver(content)
        self._inviting = Inviting(content)

    async def pressed(
        self, tx: Tx, number: int, verb: str, event: CardPressed, now: datetime
    ) -> Shown:
        """Return what the pressed card shows from then on."""
        ticket = await tx.tickets.hold(number)
        if ticket is None:
            return Shown()
        if not self._may(ticket, event.by):
            return Shown(words=_OTHERS)
        match verb:
            case "take":
                return await self._take(tx, ticket, event.by, now)
            case "back":
                return await self._back(tx, ticket, event.by, now)
            case "invite":
                return await self._invite(tx, ticket, event, now)
            case _:
                return Shown()

    def _may(self, ticket: Ticket, by: RmId) -> bool:
        person = ticket.person
        return not person or by in (ticket.wanted, person) or heads(self._content.bank, by, person)

    async def _take(self, tx: Tx, ticket: Ticket, by: RmId, now: datetime) -> Shown:
        """Give a talk that waits for the morning to whoever wants it now."""
        if ticket.given_back_at is not None:
            return Shown(words=_OVER)
        if ticket.state != "later":
            return Shown(words=_BY_NOW)
        await self._handing.hand_over(tx, ticket, by, now)
        return Shown(words=_TAKEN)

    async def _back(self, tx: Tx, ticket: Ticket, by: RmId, now: datetime) -> Shown:
        if ticket.given_back_at is not None:
            return Shown(words=_OVER)
        await tx.tickets.change(ticket.id, due_at=None)
        await put_release(tx, ticket, "given_back", now)
        await tx.ledger.add("give_back_pressed", ticket.customer, now, ticket=ticket.id, by=by)
        return Shown(words=_BACK)

    async def _invite(self, tx: Tx, ticket: Ticket, event: CardPressed, now: datetime) -> Shown:
        """Invite the customer; the card keeps the button that gives the talk back."""
        target = event.selected.get(f"invite-{ticket.id}", "")
        words = await self._inviting.pressed(tx, ticket, event.by, target, now)
        if ticket.given_back_at is not None:
            return Shown(words=words)
        return Shown(card=invited_card(ticket, words), task=talk_task(ticket, event.by, now))
