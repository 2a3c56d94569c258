"""The middle phone: a customer group, as its members see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.emulator.group_actions import owner_says, says
from bot.emulator.group_book import CUSTOMER, Group, GroupLine
from bot.emulator.page_customer import picture_or_link, words
from bot.emulator.page_words import Refused, local, name_of
from bot.emulator.wire import Call

if TYPE_CHECKING:
    from bot.emulator.world import World

SHOWN_LINES = 80
_LONGEST_TEXT = 1000
_VIA = {
    "broadcast": "群主点了发送",
    "personal_broadcast": "群主自己群发",
    "sidebar": "群主从侧边栏发送",
    "person": "群主自己打字",
    "group_welcome": "入群欢迎语，群主事先挂好",
}


@dataclass
class GroupPosts:
    """The payloads of what the bank's side posted, in each group's order.

    A group's talk keeps words only; each post of the bank's side stands in the deliveries too,
    in the same order, with its picture or link.
    """

    world: World = field(repr=False)
    _read: int = 0
    _posts: dict[str, list[Mapping[str, object]]] = field(default_factory=dict)

    def of(self, chat_id: str) -> list[Mapping[str, object]]:
        """Return what is known of each post in a group, oldest first."""
        for item in self.world.deliveries.since(self._read):
            self._read = item.seq
            if item.kind == "group":
                self._posts.setdefault(item.to, []).append(item.meta)
        return self._posts.get(chat_id, [])


def view(world: World, posts: GroupPosts, wanted: str) -> dict[str, object]:
    """Return what the middle phone shows, with the talk of the group ``wanted``."""
    groups = world.groups.living()
    opened = next((item for item in groups if item.chat_id == wanted), None)
    opened = opened or next(iter(groups), None)
    shown: dict[str, object] = {
        "open": opened.chat_id if opened is not None else "",
        "list": [_listed(world, group) for group in groups],
    }
    if opened is None:
        return shown | {"members": [], "lines": []}
    return shown | {
        "members": [_member(world, opened, person) for person in opened.members],
        "lines": _lines(world, opened, posts.of(opened.chat_id)),
    }


def _listed(world: World, group: Group) -> dict[str, object]:
    return {
        "id": group.chat_id,
        "name": group.name,
        "owner": group.owner,
        "owner_name": name_of(world, group.owner),
        "people": len(group.members),
        "count": len(group.lines),
    }


def _member(world: World, group: Group, person: str) -> dict[str, object]:
    kind = "customer" if group.members[person].kind == CUSTOMER else "staff"
    role = "owner" if person == group.owner else kind
    return {"id": person, "name": name_of(world, person), "role": role}


def _lines(
    world: World, group: Group, posts: list[Mapping[str, object]]
) -> list[dict[str, object]]:
    first = max(0, len(group.lines) - SHOWN_LINES)
    post = sum(1 for line in group.lines[:first] if line.source)
    shown = []
    for number, line in enumerate(group.lines[first:], first):
        meta: Mapping[str, object] = {}
        if line.source:
            meta = posts[post] if post < len(posts) else {}
            post += 1
        shown.append({"id": str(number), **_line(world, group, line, meta)})
    return shown


def _line(
    world: World, group: Group, line: GroupLine, meta: Mapping[str, object]
) -> dict[str, object]:
    if line.source == "group_welcome" or line.sender == group.owner:
        who = "owner"
    else:
        who = "staff" if line.source else "member"
    shown: dict[str, object] = {
        "who": who,
        "sender": line.sender,
        "name": name_of(world, line.sender),
        "text": line.text,
        "at": local(line.at),
        "via": _VIA.get(line.source.partition(":")[0], "") if who == "owner" else "",
    }
    payload = meta.get(line.msgtype)
    if line.msgtype in ("image", "link") and isinstance(payload, Mapping):
        shown[line.msgtype] = picture_or_link(line.msgtype, payload)
    return shown


def say(world: World, call: Call) -> None:
    """Let a customer speak in a group."""
    chat_id, person = call.text("chat"), call.text("member")
    if person in world.members:
        raise Refused("这里只替客户说话；群主的话请用「群主自己打字」")
    says(world, chat_id, person, words(call, _LONGEST_TEXT))


def owner_speaks(world: World, call: Call) -> None:
    """Let the owner type something into the group himself."""
    owner_says(world, call.text("chat"), words(call, _LONGEST_TEXT))
