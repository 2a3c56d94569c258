"""Customer groups: who is in, who owns them, and what was said."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.emulator.group_welcome import WelcomeTemplates
from bot.emulator.join_way_book import JoinWays
from bot.emulator.wire import ApiError

UNKNOWN_CHAT = 40050
NOT_A_CUSTOMER_GROUP = 90501
STAFF, CUSTOMER = 1, 2


@dataclass(frozen=True)
class GroupMember:
    """Somebody in a group: staff (``kind`` 1) or customer (2)."""

    id: str
    kind: int
    joined_at: datetime
    join_scene: int = 1
    invitor: str = ""
    state: str = ""


@dataclass(frozen=True)
class GroupLine:
    """Something said in a group; ``source`` is as in the deliveries, "" for a customer's words."""

    sender: str
    msgtype: str
    text: str
    at: datetime
    source: str = ""

    def as_json(self) -> dict[str, object]:
        """Return this line as JSON fields, the moment in ISO form."""
        return {
            "sender": self.sender,
            "msgtype": self.msgtype,
            "text": self.text,
            "at": self.at.isoformat(),
            "source": self.source,
        }


@dataclass
class Group:
    """One customer group."""

    chat_id: str
    name: str
    owner: str
    created_at: datetime
    notice: str = ""
    members: dict[str, GroupMember] = field(default_factory=dict)
    admins: list[str] = field(default_factory=list)
    status: int = 0
    """0 normal, 1 owner resigned, 2 being inherited, 3 inherited."""
    dismissed: bool = False
    welcome_template: str = ""
    changes: int = 0
    lines: list[GroupLine] = field(default_factory=list)

    @property
    def member_version(self) -> str:
        """The version of the member list, 32 hex digits, another after each change."""
        return hashlib.sha256(f"{self.chat_id}:{self.changes}".encode()).hexdigest()[:32]

    def customers(self) -> list[str]:
        """Return the external_userids in the group."""
        return [member.id for member in self.members.values() if member.kind == CUSTOMER]


@dataclass
class GroupTransfers:
    """When each group was handed on, and how many each member took on each day."""

    handed: dict[str, list[datetime]] = field(default_factory=dict)
    taken: dict[tuple[str, date], int] = field(default_factory=dict)


@dataclass
class GroupBook:
    """All customer groups and the welcome material for them."""

    groups: dict[str, Group] = field(default_factory=dict)
    templates: WelcomeTemplates = field(default_factory=WelcomeTemplates)
    join_ways: JoinWays = field(default_factory=JoinWays)
    transfers: GroupTransfers = field(default_factory=GroupTransfers)

    def need(self, chat_id: str) -> Group:
        """Return a living group; refuse an unknown (40050) or dismissed one (90501)."""
        group = self.groups.get(chat_id)
        if group is None:
            raise ApiError(UNKNOWN_CHAT, chat_id)
        if group.dismissed:
            raise ApiError(NOT_A_CUSTOMER_GROUP, chat_id)
        return group

    def living(self) -> list[Group]:
        """Return the groups that were not dismissed, oldest first."""
        return [group for group in self.groups.values() if not group.dismissed]

    def owned_by(self, userid: str) -> list[Group]:
        """Return a member's own living groups."""
        return [group for group in self.living() if group.owner == userid]
