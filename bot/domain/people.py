"""Customers, the managers who serve them, and the groups they share."""

from __future__ import annotations

from datetime import datetime

from bot.domain.ids import BranchId, CustomerId, GroupChatId, RmId
from bot.domain.value import Value


class Customer(Value):
    """A customer as WeCom's contact list knows them."""

    id: CustomerId
    name: str = ""
    managers: tuple[RmId, ...] = ()  # the first is the one who was added last
    tags: frozenset[str] = frozenset()
    opted_out_at: datetime | None = None
    marketing_paused_until: datetime | None = None

    def refuses_marketing(self, now: datetime) -> bool:
        """Tell whether nothing that sells may reach this customer now."""
        paused = self.marketing_paused_until
        return self.opted_out_at is not None or (paused is not None and now < paused)


class GroupMember(Value):
    """Somebody in a customer group."""

    id: str
    name: str = ""
    staff: bool = False


class GroupChat(Value):
    """A customer group with its owner and members."""

    id: GroupChatId
    name: str
    owner: RmId
    branch: BranchId | None = None
    tags: frozenset[str] = frozenset()
    members: tuple[GroupMember, ...] = ()
    dismissed: bool = False

    @property
    def customers(self) -> tuple[GroupMember, ...]:
        """Return the members who are customers."""
        return tuple(member for member in self.members if not member.staff)
