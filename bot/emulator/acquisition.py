"""获客助手 (§5.12): links that make a stranger a friend, paid for out of a quota."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from bot.emulator.friends import Friendship, befriend
from bot.emulator.scope import need_customer
from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

BY_LINK = 16
NOT_WRITTEN, WRITTEN = 0, 1
LOW = 20
MAX_CHANNEL = 64


@dataclass
class Newcomer:
    """A customer who came by a link."""

    external_userid: str
    userid: str
    state: str
    at: datetime
    chat_status: int = NOT_WRITTEN
    received: int = 0


@dataclass
class Link:
    """One link, and who came by it; ``clicks`` are all who opened it."""

    link_id: str
    name: str
    url: str
    users: list[str]
    departments: list[int]
    created_at: datetime
    skip_verify: bool = True
    priority: dict[str, object] = field(default_factory=dict)
    mark_source: bool = True
    clicks: list[tuple[str, datetime]] = field(default_factory=list)
    customers: list[Newcomer] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Return what ``create_link`` gives of a link."""
        return {
            "link_id": self.link_id,
            "link_name": self.name,
            "url": self.url,
            "create_time": int(self.created_at.timestamp()),
        }


@dataclass
class Quota:
    """What was bought and is left, for use until a day."""

    expires_at: datetime
    bought: int
    balance: int


@dataclass
class AcquisitionBook:
    """The links, the quota, and the keys of chats told of by events."""

    links: dict[str, Link] = field(default_factory=dict)
    quotas: list[Quota] = field(default_factory=list)
    chat_keys: dict[str, tuple[datetime, str, Newcomer]] = field(default_factory=dict)

    def need(self, link_id: str) -> Link:
        """Return a link or refuse an unknown id."""
        link = self.links.get(link_id)
        if link is None:
            raise ApiError(40058, f"no link {link_id}")
        return link

    def left(self, now: datetime) -> int:
        """Return how many newcomers are still paid for."""
        return sum(quota.balance for quota in self.quotas if quota.expires_at > now)

    def wrote(self, world: World, friendship: Friendship) -> None:
        """Note that a newcomer wrote: his first words are told of (customer_start_chat)."""
        pair = friendship.userid, friendship.external_userid
        for link in self.links.values():
            for newcomer in link.customers:
                if (newcomer.userid, newcomer.external_userid) != pair:
                    continue
                newcomer.received += 1
                if newcomer.chat_status == NOT_WRITTEN:
                    newcomer.chat_status = WRITTEN
                    tell(world, "customer_start_chat", _fields(link, newcomer))


def tell(world: World, change: str, fields: Mapping[str, object]) -> None:
    """Ring a ``customer_acquisition`` event."""
    head = {
        "FromUserName": "sys",
        "MsgType": "event",
        "Event": "customer_acquisition",
        "ChangeType": change,
    }
    world.ring(world.contacts.callback, {**head, **fields})


def opens(world: World, url: str, external_userid: str, *, applies: bool = True) -> str:
    """Let a WeChat user open a link, and apply to become a friend; return the member's userid.

    Without quota left the link leads nowhere (link_unavailable). A friend of one of the link's
    members is counted as a click only.
    """
    need_customer(world, external_userid)
    base, query = url.partition("?")[0], parse_qs(urlsplit(url).query)
    book = world.acquisition
    link = next((link for link in book.links.values() if link.url == base), None)
    if link is None:
        raise ApiError(40058, "no such link")
    state = query.get("customer_channel", [""])[0]
    if len(state.encode()) > MAX_CHANNEL:
        raise ApiError(40058, f"customer_channel is longer than {MAX_CHANNEL} bytes")
    link.clicks.append((external_userid, world.now()))
    members = _members(world, link)
    if not book.left(world.now()) or not members:
        tell(world, "link_unavailable", {"LinkId": link.link_id})
        return ""
    userid = members[world.rng.randrange(len(members))]
    if not applies or world.contacts.find(userid, external_userid) is not None:
        return userid
    if not link.skip_verify:
        tell(world, "friend_request", {"LinkId": link.link_id, "State": state})
        return userid
    accept(world, link, userid, external_userid, state)
    return userid


def accept(world: World, link: Link, userid: str, external_userid: str, state: str) -> None:
    """Make a newcomer a friend and take him off the quota."""
    befriend(world, userid, external_userid, add_way=BY_LINK, state=state)
    newcomer = Newcomer(external_userid, userid, state, world.now())
    link.customers.append(newcomer)
    _take_quota(world)


def _take_quota(world: World) -> None:
    book, now = world.acquisition, world.now()
    for quota in book.quotas:
        if quota.balance and quota.expires_at > now:
            quota.balance -= 1
            break
    left = book.left(now)
    if left == LOW - 1:
        tell(world, "balance_low", {})
    elif not left:
        tell(world, "balance_exhausted", {})


def _members(world: World, link: Link) -> list[str]:
    parties = world.app_messages.parties
    named = [*link.users]
    for number in link.departments:
        named += sorted(parties.get(str(number), ()))
    chosen = link.priority.get("priority_userid_list")
    first = [uid for uid in chosen if uid in named] if isinstance(chosen, list) else []
    able = [uid for uid in (first or named) if uid in world.members and world.members[uid].active]
    return list(dict.fromkeys(able))


def _fields(link: Link, newcomer: Newcomer) -> dict[str, object]:
    return {
        "UserID": newcomer.userid,
        "ExternalUserID": newcomer.external_userid,
        "LinkId": link.link_id,
        "State": newcomer.state,
    }
