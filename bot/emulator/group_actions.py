"""What people do in customer groups: open, join, leave, speak; and what the bot is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from bot.emulator import archive
from bot.emulator.attachments import Body, Part
from bot.emulator.group_book import CUSTOMER, STAFF, Group, GroupLine, GroupMember
from bot.emulator.kf_text import plain_text
from bot.emulator.scope import need_member
from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

GROUP_FULL = 90503
OWNER_UNCHANGED = 90504
NOT_IN_GROUP = 93008
QR_CODE = 3


def create(
    world: World,
    owner: str,
    name: str,
    people: Iterable[str] = (),
    *,
    admins: Sequence[str] = (),
    chat_id: str = "",
    quiet: bool = False,
) -> Group:
    """Let a member open a group with some people; the bot is told unless ``quiet``."""
    need_member(world, owner)
    if chat_id in world.groups.groups:
        raise ApiError(40058, f"there is a group {chat_id}")
    now = world.now()
    group = Group(chat_id or world.new_id("wr"), name, owner, now, admins=list(admins))
    for person in dict.fromkeys((owner, *admins, *people)):
        group.members[person] = GroupMember(person, _kind(world, person), now, 1, owner)
    if len(group.members) > world.assumed.group_people:
        raise ApiError(GROUP_FULL)
    world.groups.groups[group.chat_id] = group
    if not quiet:
        _tell(world, group, "create")
    return group


def dismiss(world: World, chat_id: str) -> None:
    """Let the owner dismiss a group."""
    group = world.groups.need(chat_id)
    group.dismissed = True
    _tell(world, group, "dismiss")


def join(
    world: World,
    chat_id: str,
    people: Sequence[str],
    *,
    join_scene: int = 3,
    invitor: str = "",
    state: str = "",
) -> None:
    """Let people join together (scene 1 invited, 2 link, 3 QR code).

    The attached welcome, if there is one, greets them once, all together.
    """
    group = world.groups.need(chat_id)
    new = [person for person in dict.fromkeys(people) if person not in group.members]
    if len(group.members) + len(new) > world.assumed.group_people:
        raise ApiError(GROUP_FULL)
    kinds = {person: _kind(world, person) for person in new}
    for person, kind in kinds.items():
        group.members[person] = GroupMember(person, kind, world.now(), join_scene, invitor, state)
    if not new:
        return
    # The event counts 0 for an invitation, the member list 1 or 2.
    _members_changed(
        world, group, "add_member", new, {"JoinScene": QR_CODE if join_scene == QR_CODE else 0}
    )
    customers = [person for person, kind in kinds.items() if kind == CUSTOMER]
    if customers:
        _welcome(world, group, customers)


def leave(world: World, chat_id: str, people: Sequence[str], *, quit_scene: int = 0) -> None:
    """Let people go: by themselves (scene 0) or removed by the owner (1)."""
    group = world.groups.need(chat_id)
    gone = [person for person in dict.fromkeys(people) if person in group.members]
    if group.owner in gone:
        raise ApiError(40058, "the owner hands the group over or dismisses it")
    for person in gone:
        del group.members[person]
    group.admins = [admin for admin in group.admins if admin not in gone]
    if gone:
        _members_changed(world, group, "del_member", gone, {"QuitScene": quit_scene})


def rename(world: World, chat_id: str, name: str) -> None:
    """Let the owner change the group's name."""
    group = world.groups.need(chat_id)
    group.name = name
    _tell(world, group, "update", {"UpdateDetail": "change_name"})


def set_notice(world: World, chat_id: str, notice: str) -> None:
    """Let the owner write the group's notice."""
    group = world.groups.need(chat_id)
    group.notice = notice
    _tell(world, group, "update", {"UpdateDetail": "change_notice"})


def change_owner(world: World, chat_id: str, userid: str) -> None:
    """Let the group go to another member, who joins it if he is not in it yet."""
    group = world.groups.need(chat_id)
    need_member(world, userid)
    if group.owner == userid:
        raise ApiError(OWNER_UNCHANGED)
    if userid not in group.members:
        join(world, chat_id, [userid], join_scene=1, invitor=group.owner)
    group.owner = userid
    _tell(world, group, "update", {"UpdateDetail": "change_owner"})


def attach_welcome(world: World, chat_id: str, template_id: str) -> None:
    """Let the owner attach welcome material to his group; "" takes it off."""
    group = world.groups.need(chat_id)
    if template_id:
        world.groups.templates.need(template_id)
    group.welcome_template = template_id


def says(world: World, chat_id: str, sender: str, text: str, *, msgtype: str = "text") -> None:
    """Let a customer (or any member) say something in a group: archived, never called back.

    For a ``msgtype`` other than text, ``text`` is the file's id in the archive.
    """
    group = world.groups.need(chat_id)
    member = group.members.get(sender)
    if member is None:
        raise ApiError(NOT_IN_GROUP, sender)
    if member.kind == STAFF:
        world.intercepts.check(world, sender, text)
        deliver(world, group, sender, Part("text", {"content": text}), "person")
        return
    payload: dict[str, object] = {"content": text} if msgtype == "text" else {"sdkfileid": text}
    line = GroupLine(sender, msgtype, plain_text(msgtype, payload), world.now())
    _speak(world, group, line, Part(msgtype, payload))


def owner_says(world: World, chat_id: str, text: str, *, sidebar: bool = False) -> None:
    """Let the owner say something: typed, or a draft sent with one click of the sidebar."""
    group = world.groups.need(chat_id)
    world.intercepts.check(world, group.owner, text)
    source = "sidebar" if sidebar else "person"
    deliver(world, group, group.owner, Part("text", {"content": text}), source)


def deliver(
    world: World,
    group: Group,
    sender: str,
    part: Part,
    source: str,
    meta: Mapping[str, object] | None = None,
) -> None:
    """Put one message of the bank's side into a group: into its talk, deliveries and archive."""
    now, text = world.now(), part.shown()
    world.deliveries.add(
        "group",
        to=group.chat_id,
        sender=sender,
        text=text,
        at=now,
        source=source,
        meta={"msgtype": part.msgtype, **(meta or {})},
    )
    line = GroupLine(sender, part.msgtype, text, now, source)
    _speak(world, group, line, part.archived())


def _speak(world: World, group: Group, line: GroupLine, archived: Part) -> None:
    group.lines.append(line)
    receivers = [person for person in group.members if person != line.sender]
    archive.append(world, line.sender, receivers, group.chat_id, archived.msgtype, archived.payload)


def _welcome(world: World, group: Group, customers: Sequence[str]) -> None:
    template = world.groups.templates.items.get(group.welcome_template)
    if template is None:
        return
    names = "、".join(world.customers[person].nickname for person in customers)
    body = Body(template.body.text.replace("%NICKNAME%", names), template.body.attachments)
    meta = {"template_id": template.template_id, "joined": list(customers)}
    for number, part in enumerate(body.parts()):
        deliver(world, group, group.owner, part, "group_welcome", {**meta, "part": number})


def _kind(world: World, person: str) -> int:
    if person in world.members:
        return STAFF
    if person in world.customers:
        return CUSTOMER
    raise ApiError(40096, person)


def _members_changed(
    world: World, group: Group, detail: str, people: Sequence[str], extra: Mapping[str, object]
) -> None:
    last = group.member_version
    group.changes += 1
    fields = {
        "UpdateDetail": detail,
        **extra,
        "MemChangeCnt": len(people),
        "MemChangeList": (
            ",".join(people) if world.assumed.members_as_commas else {"Item": list(people)}
        ),
        "LastMemVer": last,
        "CurMemVer": group.member_version,
    }
    _tell(world, group, "update", fields)


def _tell(
    world: World, group: Group, change: str, extra: Mapping[str, object] | None = None
) -> None:
    fields = {
        "FromUserName": "sys",
        "MsgType": "event",
        "Event": "change_external_chat",
        "ChatId": group.chat_id,
        "ChangeType": change,
    }
    world.ring(world.contacts.callback, {**fields, **(extra or {})})
