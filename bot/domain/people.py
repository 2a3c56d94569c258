"""Customers, the managers who serve them, and the groups they share."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from bot.domain.ids import BranchId, CustomerId, GroupChatId, RmId
from bot.domain.value import Value


class Follow(Value):
    """How one manager knows a customer: since when, by which code, with which tags."""

    manager: RmId
    since: datetime
    state: str = ""
    tags: frozenset[str] = frozenset()
    lost: bool = False  # the customer deleted the manager, whose own list still has the customer


class Customer(Value):
    """A customer as WeCom's contact list knows them."""

    id: CustomerId
    name: str = ""
    managers: tuple[RmId, ...] = ()  # the first is the one who was added last
    tags: frozenset[str] = frozenset()
    opted_out_at: datetime | None = None
    marketing_paused_until: datetime | None = None
    state: str = ""  # the code by which the customer came to the newest manager
    weekly_cap: int | None = None  # how many messages a week were asked for, over all scripts
    follows: tuple[Follow, ...] | None = None  # where WeCom was asked: all, the newest first

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
    version: str = ""  # WeCom's version of the list of members
    weekly_cap: int | None = None  # how many messages a week were asked for, over all scripts

    @property
    def customers(self) -> tuple[GroupMember, ...]:
        """Return the members who are customers."""
        return tuple(member for member in self.members if not member.staff)

    @property
    def customer_ids(self) -> frozenset[str]:
        """Return the ids of the members who are customers."""
        return frozenset(member.id for member in self.members if not member.staff)

    def left_by(self, gone: Collection[str], last: str, current: str) -> GroupChat | None:
        """Return the group after members left it; None where it has to be read again.

        ``last`` and ``current`` are the versions that a change tells; where the last one is not
        ours, a change before it was missed (wecom_protocol §5.1).
        """
        known = {member.id for member in self.members}
        if not last or not current or last != self.version or not known.issuperset(gone):
            return None
        rest = tuple(member for member in self.members if member.id not in gone)
        return self.model_copy(update={"members": rest, "version": current})


def known_by(customer: Customer, follows: Iterable[Follow]) -> Customer:
    """Return a customer with what the managers' relations say: who, which tags, which code."""
    alive = (one for one in follows if not one.lost)
    newest_first = tuple(sorted(alive, key=lambda one: (one.since, one.manager), reverse=True))
    return customer.model_copy(
        update={
            "managers": tuple(follow.manager for follow in newest_first),
            "tags": frozenset(tag for follow in newest_first for tag in follow.tags),
            "state": next((follow.state for follow in newest_first if follow.state), ""),
            "follows": newest_first,
        }
    )


class UnsentTags(Value):
    """A change of a customer's tags that WeCom has not been told yet."""

    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()


def merged_tags(told: Collection[str], unsent: Iterable[UnsentTags]) -> frozenset[str]:
    """Return WeCom's tags with our own unsent changes, in the order in which they were made."""
    tags = frozenset(told)
    for change in unsent:
        tags = (tags | change.add) - change.remove
    return tags
