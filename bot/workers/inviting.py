"""升级服务: a customer who was with a person is invited to stay in touch, or into a group.

By itself the bot invites once in a while, after a talk that went well, to the person who had it;
everything else is the person's press. Whether to come is the customer's own choice (§4.9).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.answering.duty import duty_by_persona
from bot.answering.persona import with_defaults
from bot.domain.delivery import REPLY_WINDOW, Terms
from bot.domain.ids import GroupChatId, RmId
from bot.domain.lead import GRAVE, Need
from bot.domain.messages import KfInvite, StaffText
from bot.domain.render import render
from bot.domain.session_moves import NOT_IN_RANGE
from bot.domain.tickets import Ticket
from bot.domain.variables import variables_for
from bot.domain.waiting import kf_lane
from bot.leads.cards import clock_of
from bot.leads.talk_cards import FRIEND
from bot.storage.db import Tx
from bot.workers.content import Content

_UNHAPPY = frozenset({*GRAVE, Need.LATENT_COMPLAINT})
_FITTING = timedelta(hours=1)  # what could not leave for so long does not fit any more
_INVITED, _FRIENDS = "邀请发给客户了", "客户已经是您的好友"
_TOO_LATE = "客户 48 小时没说话，发不了"


class Inviting:
    """Decides on invitations and puts them into the outbox."""

    def __init__(self, content: Content) -> None:
        self._content = content

    async def after(self, tx: Tx, ticket: Ticket, now: datetime) -> None:
        """Invite a customer whose talk is over, where that is welcome; else leave it at that."""
        waits_until = duty_by_persona(self._content.persona, self._content.bank.zone)(now, "")
        if waits_until is not None:  # outside her hours she begins nothing of herself
            await tx.tickets.change(ticket.id, due_at=waits_until)
            return
        await tx.tickets.change(ticket.id, due_at=None)
        if ticket.taken_by and await self._is_welcome(tx, ticket, now):
            await self._put(tx, ticket, RmId(ticket.taken_by), "", "", now)

    async def pressed(self, tx: Tx, ticket: Ticket, by: RmId, target: str, now: datetime) -> str:
        """Invite a customer because somebody pressed; return what his card says then."""
        customer = await tx.people.customer(ticket.customer)
        chat = "" if target in ("", FRIEND) else target
        if not chat and customer is not None and by in customer.managers:
            return _FRIENDS
        session = await tx.conversations.session(ticket.customer, ticket.account)
        last = session.last_customer_at if session is not None else None
        if last is None or now - last >= REPLY_WINDOW:
            return _TOO_LATE
        await self._put(tx, ticket, by, chat, by, now)
        return _INVITED

    async def _is_welcome(self, tx: Tx, ticket: Ticket, now: datetime) -> bool:
        again = self._content.handing_over.invite_again
        customer = await tx.people.customer(ticket.customer)
        if again is None or customer is None or customer.refuses_marketing(now):
            return False
        if ticket.taken_by in customer.managers:
            return False
        if await tx.tickets.was_offered(ticket.customer, now - again):
            return False
        if await tx.tickets.hold_open(ticket.customer, ticket.account) is not None:
            return False  # with a person again: this is not the moment
        leads = await tx.leads.open_for(ticket.customer)
        return not any(lead.need in _UNHAPPY for lead in leads)

    async def _put(
        self, tx: Tx, ticket: Ticket, to: RmId, chat: str, by: str, now: datetime
    ) -> None:
        bank, session = self._content.bank, self._content.persona.session
        today = now.astimezone(bank.zone).date()
        variables = variables_for(bank, today=today, manager=to)
        words = session.join_group if chat else session.befriend
        invitation = KfInvite(
            account=ticket.account,
            customer=ticket.customer,
            ticket=ticket.id,
            to=to,
            chat=GroupChatId(chat),
            words=render(words, with_defaults(variables)),
            by=RmId(by),
        )
        terms = Terms(
            purpose="control",
            subject=ticket.customer,
            account=ticket.account,
            closes_at=now + _FITTING,
        )
        pressed_at = now.isoformat() if by else ""
        key = f"kf:invite:{ticket.id}:{chat or to}:{pressed_at}"
        await tx.outbox.put(key, invitation, terms, now, lane=kf_lane(ticket.customer))

    async def sent(self, tx: Tx, message: KfInvite, now: datetime) -> None:
        """Write that a customer has the invitation."""
        offered = message.chat or message.to
        await tx.tickets.change(message.ticket, offered=offered, offered_at=now)
        about = {"to": message.to, "chat": message.chat, "by": message.by}
        await tx.ledger.add("customer_invited", message.customer, now, **about)

    async def not_sent(self, tx: Tx, message: KfInvite, reason: str, now: datetime) -> None:
        """Tell whoever pressed why the customer has none."""
        if not message.by:
            return
        at = clock_of(now, self._content.bank.zone)
        what = "这个群" if message.chat else "您"
        why = (
            f"管理后台的「微信客服 → 升级服务」里还没有{what}，请管理员加上，再发一次"
            if reason == NOT_IN_RANGE
            else "企业微信没有收下，请过一会儿再发一次"
        )
        text = StaffText(to=(message.by,), text=f"{at} 的邀请没发出去：{why}。")
        terms = Terms(purpose="staff", subject=message.by)
        await tx.outbox.put(f"invite:{message.ticket}:{now.isoformat()}", text, terms, now)
