"""A talk of 微信客服 from the sidebar: the buttons of its card, pressed where one already looks."""

from __future__ import annotations

from bot.console.refusal import Refusal, unreadable
from bot.console.rights import customer_for
from bot.console.room import Json, Sight
from bot.domain.events import Arrival, CardPressed
from bot.domain.ids import CustomerId
from bot.domain.lead_rights import heads
from bot.domain.people import Customer
from bot.domain.tickets import Ticket
from bot.leads.talk_cards import FRIEND
from bot.storage.db import Tx

_NO_TALK = "这位客户现在没有转人工的会话，可能已经还给小安了。"
_WORDS = {
    "take": "好的，马上转给您，请到微信客服里回",
    "back": "好的，马上还给小安",
    "invite": "好的，邀请马上发给客户",
}


async def open_ticket(tx: Tx, customer: str) -> Ticket | None:
    """Return the talk of a customer's that a person was called to, None where none is open."""
    open_ones = [one for one in await tx.tickets.of(customer) if one.given_back_at is None]
    return open_ones[-1] if open_ones else None


def kf_json(ticket: Ticket | None, serving: str, customer: Customer, sight: Sight) -> Json | None:
    """Say who has a customer's talk in 微信客服, and what this member may do about it."""
    if ticket is None and not serving:
        return None
    holder = serving or (ticket.person if ticket is not None else "")
    person = sight.person(holder)
    who = "您" if person["me"] else str(person["name"])
    words = f"正在微信客服里由{who}接待，小安不插话" if holder else "客户在微信客服里排队等人"
    if ticket is not None and ticket.state == "later":
        at = sight.at(ticket.opens_at)
        words = f"客户找真人，小安先陪着，{at['words'] if at else '上班后'}转给{who}"
    return {"words": words, "acts": _acts(ticket, customer, sight) if ticket is not None else []}


def _acts(ticket: Ticket, customer: Customer, sight: Sight) -> list[Json]:
    if not _may(ticket, sight):
        return []
    if ticket.state == "later":
        return [{"act": "take", "label": "现在就接", "primary": True}]
    if not ticket.person:
        return []
    acts: list[Json] = [{"act": "back", "label": "还给小安", "primary": True}]
    if sight.me.userid not in customer.managers:  # a friend need not become one
        acts.append({"act": "invite", "label": "邀请加我为好友"})
    return acts


def _may(ticket: Ticket, sight: Sight) -> bool:
    person, me = ticket.person, sight.me.userid
    return not person or me in (ticket.wanted, person) or heads(sight.bank, me, person)


async def press(tx: Tx, sight: Sight, customer: str, act: str) -> Json:
    """Press a button of a talk's card; the workers carry it out as if it were on the card."""
    found, _ = await customer_for(tx, sight, customer)
    if act not in _WORDS:
        raise unreadable()
    ticket = await open_ticket(tx, CustomerId(found.id))
    offered = [] if ticket is None else [str(one["act"]) for one in _acts(ticket, found, sight)]
    if ticket is None or act not in offered:
        raise Refusal(409, "changed", _NO_TALK)
    pressed = CardPressed(
        by=sight.me.userid,
        key=f"ticket:{ticket.id}:{act}",
        task="sidebar",
        selected={f"invite-{ticket.id}": FRIEND} if act == "invite" else {},
        at=sight.now,
    )
    key = f"sidebar:{ticket.id}:{act}:{sight.me.userid}:{ticket.state}"
    lane = f"card:sidebar-{ticket.id}"
    await tx.inbox.add_events([Arrival(key=key, lane=lane, event=pressed)], sight.now)
    return {"words": _WORDS[act]}
