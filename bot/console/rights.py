"""What a member asks to see or to change, read with the rights that they need."""

from __future__ import annotations

from bot.console.refusal import NOT_YOUR_GROUP_WORDS, NOT_YOURS_WORDS, Refusal
from bot.console.room import Sight
from bot.domain.draft import Draft
from bot.domain.ids import CustomerId, GroupChatId
from bot.domain.lead import Lead
from bot.domain.lead_rights import may_act
from bot.domain.people import Customer, GroupChat
from bot.domain.rights import may_see_customer, may_see_group, team_of
from bot.storage.db import Tx

_ID_CHARS = 64
_NO_LEAD = "没有这条线索，可能已经被清理了。"
_NO_DRAFT = "没有这条草稿，可能已经被清理了。"


async def customer_for(tx: Tx, sight: Sight, id: str) -> tuple[Customer, list[Lead]]:
    """Return a customer whom this member may see, with their open leads; raise ``Refusal``.

    Who is not known is refused in the same words: they tell nobody who is a customer.
    """
    if 0 < len(id) <= _ID_CHARS:
        customer = await tx.people.customer(CustomerId(id))
        leads = await tx.leads.open_for(CustomerId(id))
        serving = await tx.workbench.serving(CustomerId(id))
        managers = customer.managers if customer is not None else ()
        allowed = may_see_customer(sight.bank, sight.me.userid, managers, leads, serving)
        if customer is not None and allowed:
            return customer, leads
    raise Refusal(403, "not_yours", NOT_YOURS_WORDS)


async def group_for(tx: Tx, sight: Sight, id: str) -> GroupChat:
    """Return a group that this member may see; raise ``Refusal``."""
    if 0 < len(id) <= _ID_CHARS:
        group = await tx.people.group(GroupChatId(id))
        if group is not None and may_see_group(sight.bank, sight.me.userid, group):
            return group
    raise Refusal(403, "not_yours", NOT_YOUR_GROUP_WORDS)


async def lead_for(tx: Tx, sight: Sight, number: int) -> tuple[Lead, Customer | None]:
    """Return a lead that this member may act on, open or over; raise ``Refusal``."""
    lead = await tx.leads.get(number)
    if lead is None:
        raise Refusal(404, "unknown", _NO_LEAD)
    customer = await tx.people.customer(lead.customer)
    managers = customer.managers if customer is not None else ()
    if not may_act(sight.bank, sight.me.userid, lead, managers):
        raise Refusal(403, "not_yours", NOT_YOURS_WORDS)
    return lead, customer


async def draft_for(tx: Tx, sight: Sight, number: int) -> Draft:
    """Return a draft that this member may send; raise ``Refusal``.

    One for a group is everybody's who is in it for the bank, one for a talk of two its owner's.
    """
    draft = await tx.drafts.get(number)
    if draft is None:
        raise Refusal(404, "unknown", _NO_DRAFT)
    if draft.owner in team_of(sight.bank, sight.me.userid):
        return draft
    if draft.of_two:
        raise Refusal(403, "not_yours", NOT_YOURS_WORDS)
    await group_for(tx, sight, draft.chat)
    return draft


def own_drafts(drafts: list[Draft], sight: Sight) -> list[Draft]:
    """Return those of a customer's drafts that are this member's, or their team's, to send."""
    team = team_of(sight.bank, sight.me.userid)
    return [draft for draft in drafts if draft.owner in team]
