"""Who may do something with a lead: whoever has it, who heads them, and head office for the grave.

The server's own terminal acts as ``BY_OPS``: whoever has it may do all that the files say.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bot.domain.bank import Bank
from bot.domain.ids import RmId
from bot.domain.lead import Lead, Need

BY_OPS: Final = RmId("")
_HEAD_OFFICE: Final = "消保"
_SEEN_BY_HEAD_OFFICE = frozenset(
    {Need.RED_FLAG, Need.COMPLAINT, Need.LATENT_COMPLAINT, Need.PRIVACY}
)


def heads(bank: Bank, by: str, userid: str) -> bool:
    """Tell whether somebody is set over another: at the head of the branch, or named as 上级."""
    one, other = bank.member(by), bank.member(userid)
    if one is None or other is None:
        return False
    if by in _superiors(bank, userid):
        return True
    if other.branch is None:
        return False
    branch = bank.branch(other.branch)
    leads_it = branch is not None and branch.head == by
    return leads_it or (one.role == "支行行长" and one.branch == other.branch)


def _superiors(bank: Bank, userid: str) -> set[str]:
    """Return everybody over somebody, as 上级 names them one after the other."""
    found: set[str] = set()
    member = bank.member(userid)
    while member is not None and member.superior and member.superior not in found:
        found.add(member.superior)
        member = bank.member(member.superior)
    return found


def seen_everywhere(bank: Bank, by: str) -> frozenset[Need]:
    """Return the needs whose leads somebody sees in every branch: 消保 what is grave."""
    member = bank.member(by)
    at_head_office = member is not None and member.role == _HEAD_OFFICE
    return _SEEN_BY_HEAD_OFFICE if at_head_office else frozenset()


def may_act(bank: Bank, by: str, lead: Lead, managers: Collection[str] = ()) -> bool:
    """Tell whether somebody may act on a lead; ``managers`` are the customer's own.

    A lead in the pool of a branch may be taken by everybody there. What is grave is open to
    head office's consumer protection (消保), too.
    """
    if by == BY_OPS or (lead.rm and by == lead.rm) or by in managers:
        return True
    member = bank.member(by)
    if member is None:
        return False
    if member.role == _HEAD_OFFICE and lead.need in _SEEN_BY_HEAD_OFFICE:
        return True
    if not lead.rm:
        return lead.branch in ("", member.branch)
    if heads(bank, by, lead.rm):
        return True
    branch = bank.branch(lead.branch)
    return branch is not None and branch.head == by
