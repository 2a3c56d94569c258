"""Members and customers who are friends: who knows whom, what is noted, and what they do.

Relations outlive a customer's own deletion of the member, as they do in the members' lists
(a mass message to such a customer then fails with status 2); a member's deletion ends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from bot.emulator import archive
from bot.emulator.attachments import Part
from bot.emulator.scope import need_customer, need_member
from bot.emulator.tags import TagBook
from bot.emulator.ways import WayBook
from bot.emulator.welcome import WelcomeBook
from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

NO_RELATION = 84061


@dataclass(frozen=True)
class ChatLine:
    """Something one of two friends wrote to the other; it outlives the friendship."""

    userid: str
    external_userid: str
    sender: str
    text: str
    at: datetime


@dataclass
class Friendship:
    """A member follows a customer; ``last_contact_at`` is when either last wrote."""

    userid: str
    external_userid: str
    created_at: datetime
    last_contact_at: datetime
    add_way: int = 0
    state: str = ""
    remark: str = ""
    description: str = ""
    remark_company: str = ""
    remark_mobiles: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    chat_started: bool = False
    deleted_by_customer: bool = False

    def fields(self) -> dict[str, object]:
        """Return what ``follow_user`` and ``follow_info`` have in common."""
        return {
            "userid": self.userid,
            "remark": self.remark,
            "description": self.description,
            "createtime": int(self.created_at.timestamp()),
            "remark_corp_name": self.remark_company,
            "remark_mobiles": list(self.remark_mobiles),
            "oper_userid": self.userid,
            "add_way": self.add_way,
            "state": self.state,
        }


@dataclass
class ContactBook:
    """All friendships, and the tags, contact ways and welcome codes that belong to them."""

    callback: str = "contact"
    """The callback configuration that hears of customers, tags and groups."""
    without_function: set[str] = field(default_factory=set)
    """Members who lack the 客户联系 function."""
    tags: TagBook = field(default_factory=TagBook)
    ways: WayBook = field(default_factory=WayBook)
    welcomes: WelcomeBook = field(default_factory=WelcomeBook)
    lines: list[ChatLine] = field(default_factory=list)
    losses: list[tuple[str, str, datetime]] = field(default_factory=list)
    """Which customers deleted which members, and when."""
    half: dict[tuple[str, str], Friendship] = field(default_factory=dict)
    """Customers who added a member that has not confirmed yet."""
    applications: list[tuple[str, str, datetime]] = field(default_factory=list)
    """Which members applied to which customers, and when."""
    _by_member: dict[str, dict[str, Friendship]] = field(default_factory=dict)
    _by_customer: dict[str, dict[str, Friendship]] = field(default_factory=dict)

    def of_member(self, userid: str) -> list[Friendship]:
        """Return a member's friendships, oldest first."""
        return list(self._by_member.get(userid, {}).values())

    def of_customer(self, external_userid: str) -> list[Friendship]:
        """Return the friendships of a customer, oldest first."""
        return list(self._by_customer.get(external_userid, {}).values())

    def find(self, userid: str, external_userid: str) -> Friendship | None:
        """Return this friendship, if there is one."""
        return self._by_member.get(userid, {}).get(external_userid)

    def talk(self, userid: str, external_userid: str) -> list[ChatLine]:
        """Return what these two wrote to each other, oldest first."""
        pair = (userid, external_userid)
        return [line for line in self.lines if (line.userid, line.external_userid) == pair]

    def need(self, userid: str, external_userid: str) -> Friendship:
        """Return this friendship or refuse with 84061."""
        friendship = self.find(userid, external_userid)
        if friendship is None:
            raise ApiError(NO_RELATION, f"{userid} and {external_userid}")
        return friendship

    def put(self, friendship: Friendship) -> None:
        """Note a friendship down."""
        userid, external_userid = friendship.userid, friendship.external_userid
        self._by_member.setdefault(userid, {})[external_userid] = friendship
        self._by_customer.setdefault(external_userid, {})[userid] = friendship

    def drop(self, userid: str, external_userid: str) -> None:
        """Forget a friendship."""
        self._by_member.get(userid, {}).pop(external_userid, None)
        self._by_customer.get(external_userid, {}).pop(userid, None)

    def note(
        self, world: World, userid: str, external_userid: str, changes: Mapping[str, object]
    ) -> Friendship:
        """Change what a member noted about a customer; tell the bot (edit_external_contact)."""
        friendship = self.need(userid, external_userid)
        for key, value in changes.items():
            setattr(friendship, key, value)
        self.tell(world, "edit_external_contact", friendship)
        return friendship

    def tell(
        self,
        world: World,
        change: str,
        friendship: Friendship,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Ring a ``change_external_contact`` event."""
        fields = {
            "FromUserName": "sys",
            "MsgType": "event",
            "Event": "change_external_contact",
            "ChangeType": change,
            "UserID": friendship.userid,
            "ExternalUserID": friendship.external_userid,
        }
        world.ring(self.callback, fields | dict(extra or {}))


def befriend(
    world: World,
    userid: str,
    external_userid: str,
    *,
    add_way: int = 1,
    state: str = "",
    quiet: bool = False,
) -> Friendship:
    """Let a customer become a member's friend (again); unless ``quiet``, the bot is told.

    The event carries a WelcomeCode if the two have not written yet and the member has no
    welcome of the admin console.
    """
    book = world.contacts
    need_customer(world, external_userid)
    need_member(world, userid)
    known = book.find(userid, external_userid)
    if known is not None and not known.deleted_by_customer:
        return known
    now = world.now()
    fresh = Friendship(userid, external_userid, now, now, add_way=add_way, state=state)
    friendship = known or fresh
    friendship.deleted_by_customer = False
    book.put(friendship)
    if not quiet:
        code = book.welcomes.issue(world, userid, external_userid)
        extra = {"State": state, "WelcomeCode": code}
        book.tell(world, "add_external_contact", friendship, {k: v for k, v in extra.items() if v})
    return friendship


def unfriend(
    world: World, userid: str, external_userid: str, *, by: Literal["member", "customer"]
) -> None:
    """Let one of two friends delete the other; the bot is told which of them did."""
    friendship = world.contacts.need(userid, external_userid)
    if by == "customer":
        friendship.deleted_by_customer = True
        world.contacts.losses.append((userid, external_userid, world.now()))
        world.contacts.tell(world, "del_follow_user", friendship)
        return
    world.contacts.drop(userid, external_userid)
    world.contacts.tell(world, "del_external_contact", friendship)


def says(
    world: World,
    userid: str,
    external_userid: str,
    text: str,
    *,
    by: Literal["member", "customer"],
    part: Part | None = None,
    source: str = "person",
) -> None:
    """Let two friends talk one to one: archived, never sent to the bot by a callback.

    For anything but text, ``part`` is the message and ``text`` what is read of it.
    """
    friendship = world.contacts.need(userid, external_userid)
    if friendship.deleted_by_customer:
        raise ApiError(NO_RELATION, "the customer has deleted the member")
    if by == "member":
        world.intercepts.check(world, userid, text)
    friendship.chat_started = True
    friendship.last_contact_at = world.now()
    if by == "customer":
        world.acquisition.wrote(world, friendship)
    sender, receiver = (userid, external_userid) if by == "member" else (external_userid, userid)
    world.contacts.lines.append(ChatLine(userid, external_userid, sender, text, world.now()))
    kept = (part or Part("text", {"content": text})).archived()
    archive.append(world, sender, [receiver], "", kept.msgtype, kept.payload)
    if by == "member":
        world.deliveries.add(
            "single", to=receiver, sender=sender, text=text, at=world.now(), source=source
        )
