"""The chats of a member's WeCom client: with a friend, in a group, with a customer of 微信客服."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from bot.emulator import friends, group_actions
from bot.emulator.attachments import Part
from bot.emulator.kf_state import State
from bot.emulator.page_customer import account_of
from bot.emulator.page_words import Refused, local, name_of
from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

SHOWN_LINES = 60
_NOT_IN_GROUP = 93008
_CUT = "…"
Kind = Literal["friend", "group", "kf"]
_WORDS = {"friend": "微信好友", "group": "客户群", "kf": "微信客服"}


@dataclass(frozen=True)
class Talk:
    """One chat of a member's: ``id`` is a customer's, of a group the chat's."""

    kind: Kind
    id: str


def talks_of(world: World, userid: str) -> list[Talk]:
    """Return the chats in a member's client: customers on the line, groups, friends."""
    found: list[Talk] = []
    account, now = account_of(world), world.now()
    for conversation in account.conversations.values() if account is not None else ():
        if conversation.state(now) is State.HUMAN and conversation.servicer == userid:
            found.append(Talk("kf", conversation.external_userid))
    found += [Talk("group", one.chat_id) for one in world.groups.living() if userid in one.members]
    known = world.contacts.of_member(userid)
    return found + [Talk("friend", one.external_userid) for one in known]


def find_talk(world: World, userid: str, kind: str, id: str) -> Talk:
    """Return a member's chat; refuse one that is not his."""
    for name in ("friend", "group", "kf"):
        if name == kind:
            talk = Talk(name, id)
            if _is_his(world, userid, talk):
                return talk
    raise Refused("这位同事没有这个聊天")


def _is_his(world: World, userid: str, talk: Talk) -> bool:
    if talk.kind == "group":
        group = world.groups.groups.get(talk.id)
        return group is not None and not group.dismissed and userid in group.members
    if talk.kind == "friend":
        return world.contacts.find(userid, talk.id) is not None
    account = account_of(world)
    return account is not None and userid in account.servicers and talk.id in account.conversations


def talk_named(world: World, userid: str, group: str, customer: str) -> Talk | None:
    """Return the chat of a member's that a card names, by its rows of a group or a customer.

    A long name is cut on a card, with … at its end. None too where namesakes leave it open.
    """
    found = []
    for talk in talks_of(world, userid):
        wanted = group if talk.kind == "group" else customer
        name = title(world, talk)
        cut = wanted.endswith(_CUT) and name.startswith(wanted.removesuffix(_CUT))
        if wanted and (name == wanted or cut):
            found.append(talk)
    return found[0] if len({talk.id for talk in found}) == 1 else None


def title(world: World, talk: Talk) -> str:
    """Name a chat as the client's list does."""
    group = world.groups.groups.get(talk.id) if talk.kind == "group" else None
    return group.name if group is not None else name_of(world, talk.id)


def listed(world: World, userid: str) -> list[dict[str, str]]:
    """Return a member's chats for a list."""
    return [
        {
            "kind": one.kind,
            "id": one.id,
            "name": title(world, one),
            "of": _WORDS[one.kind],
        }
        for one in talks_of(world, userid)
    ]


def speakers(world: World, talk: Talk) -> list[dict[str, str]]:
    """Return the customers in a chat, for whom the page's viewer may speak."""
    people = world.groups.need(talk.id).customers() if talk.kind == "group" else [talk.id]
    return [{"id": one, "name": name_of(world, one)} for one in people]


def lines(world: World, userid: str, talk: Talk) -> list[dict[str, str]]:
    """Return what was said, oldest first, as the member's client shows it."""
    said: list[tuple[str, str, datetime]]
    if talk.kind == "group":
        talked = world.groups.need(talk.id).lines
        said = [(line.sender, line.text, line.at) for line in talked]
    elif talk.kind == "friend":
        said = [(line.sender, line.text, line.at) for line in world.contacts.talk(userid, talk.id)]
    else:
        said = _kf_lines(world, talk)
    return [
        {
            "who": "me" if sender == userid else _side(world, sender),
            "name": name_of(world, sender) if sender else "小安",
            "text": text,
            "at": local(at),
        }
        for sender, text, at in said[-SHOWN_LINES:]
    ]


def _kf_lines(world: World, talk: Talk) -> list[tuple[str, str, datetime]]:
    account = account_of(world)
    talked = account.conversations[talk.id].lines if account is not None else []
    return [
        ("" if line.side == "bot" else line.sender, line.text, line.at)
        for line in talked
        if not line.recalled
    ]


def _side(world: World, sender: str) -> str:
    if not sender:
        return "bot"
    return "staff" if sender in world.members else "customer"


def post(world: World, userid: str, talk: Talk, part: Part, *, sidebar: bool) -> None:
    """Put a member's own message into a chat, typed by hand or sent by a page of the sidebar."""
    source = "sidebar" if sidebar else "person"
    match talk.kind:
        case "group":
            group = world.groups.need(talk.id)
            if userid not in group.members:
                raise ApiError(_NOT_IN_GROUP, userid)
            world.intercepts.check(world, userid, part.shown())
            group_actions.deliver(world, group, userid, part, source)
        case "friend":
            friends.says(
                world, userid, talk.id, part.shown(), by="member", part=part, source=source
            )
        case "kf":
            account = account_of(world)
            if account is None:
                raise Refused("还没有开通微信客服")
            payload: Mapping[str, object] = part.payload
            world.kf.servicer_sends(account.open_kfid, talk.id, userid, part.msgtype, payload)


def customer_says(world: World, userid: str, talk: Talk, person: str, text: str) -> None:
    """Let a customer of a chat say something."""
    match talk.kind:
        case "group":
            group_actions.says(world, talk.id, person, text)
        case "friend":
            friends.says(world, userid, talk.id, text, by="customer")
        case "kf":
            account = account_of(world)
            if account is None:
                raise Refused("还没有开通微信客服")
            world.kf.customer_says(account.open_kfid, talk.id, text)
