"""Whose customers and groups a member of staff may look at: their own, and as a head the team's."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bot.domain.bank import Bank
from bot.domain.ids import RmId
from bot.domain.lead import Lead
from bot.domain.lead_rights import heads, may_act
from bot.domain.people import GroupChat


def team_of(bank: Bank, by: str) -> tuple[RmId, ...]:
    """Return whose customers somebody may see: their own, and those of whom they head."""
    others = (one.userid for one in bank.staff if one.userid != by and heads(bank, by, one.userid))
    return (RmId(by), *others)


def pools_of(bank: Bank, by: str) -> tuple[str, ...]:
    """Return the branches somebody answers for, whose leads are his while nobody has them."""
    every = ("", *(branch.id for branch in bank.branches))
    return tuple(branch for branch in every if bank.head_over("", branch) == by)


def may_see_customer(
    bank: Bank, by: str, managers: Collection[str], leads: Iterable[Lead], serving: str = ""
) -> bool:
    """Tell whether a member may see a customer.

    It is their customer or their team's, they have a lead of that customer to work on, or they
    are ``serving`` them in 微信客服 right now.
    """
    if bank.member(by) is None:
        return False
    team = team_of(bank, by)
    if serving and serving in team:
        return True
    if any(manager in team for manager in managers):
        return True
    return any(may_act(bank, by, lead) for lead in leads)


def may_see_group(bank: Bank, by: str, group: GroupChat) -> bool:
    """Tell whether a member may see a group: it is theirs, their team's, or they are in it."""
    if bank.member(by) is None:
        return False
    if group.owner in team_of(bank, by):
        return True
    return any(one.staff and one.id == by for one in group.members)
