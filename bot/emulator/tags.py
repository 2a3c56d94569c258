"""Corp tags: groups of tags that the whole bank shares, and marking customers with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from bot.emulator.scope import check_range
from bot.emulator.wire import Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

BAD_TAG_ID = 40068
ALL_TAGS_INVALID = 40070
TAG_NAME_EXISTS = 40071
TOO_MANY_TAGS = 40126


@dataclass
class Tag:
    """One tag of one group."""

    id: str
    name: str
    group_id: str
    created_at: datetime
    order: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the tag as ``get_corp_tag_list`` gives it."""
        created = int(self.created_at.timestamp())
        return {"id": self.id, "name": self.name, "create_time": created, "order": self.order}


@dataclass
class TagGroup:
    """A named group of tags."""

    id: str
    name: str
    created_at: datetime
    order: int = 0


@dataclass
class TagBook:
    """Every tag and group of the bank."""

    groups: dict[str, TagGroup] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)

    def in_group(self, group_id: str) -> list[Tag]:
        """Return the tags of a group."""
        return [tag for tag in self.tags.values() if tag.group_id == group_id]

    def shown(self, tag_ids: Iterable[str]) -> list[dict[str, object]]:
        """Return tags as ``follow_user`` shows them."""
        return [
            {
                "group_name": self.groups[tag.group_id].name,
                "tag_name": tag.name,
                "type": 1,
                "tag_id": tag.id,
            }
            for tag in (self.tags[tag_id] for tag_id in tag_ids if tag_id in self.tags)
        ]

    def group_json(self, group: TagGroup, tags: Iterable[Tag]) -> dict[str, object]:
        """Return a group with some of its tags in WeCom's shape."""
        return {
            "group_id": group.id,
            "group_name": group.name,
            "create_time": int(group.created_at.timestamp()),
            "order": group.order,
            "tag": [tag.as_json() for tag in tags],
        }


def add_tags(world: World, group_name: str, names: Iterable[str]) -> list[str]:
    """Create a tag group, or add to it, as the admin console does; return the tags' ids."""
    book = world.contacts.tags
    group = next((group for group in book.groups.values() if group.name == group_name), None)
    if group is None:
        group = TagGroup(world.new_id("et"), group_name, world.now())
        book.groups[group.id] = group
        tell(world, "create", group.id, "tag_group")
    return [_add_tag(world, group, name, 0).id for name in names]


def _add_tag(world: World, group: TagGroup, name: str, order: int) -> Tag:
    book = world.contacts.tags
    if len(book.tags) >= world.assumed.corp_tags:
        raise ApiError(TOO_MANY_TAGS)
    if any(tag.name == name for tag in book.in_group(group.id)):
        raise ApiError(TAG_NAME_EXISTS, name)
    tag = Tag(world.new_id("et"), name, group.id, world.now(), order)
    book.tags[tag.id] = tag
    tell(world, "create", tag.id, "tag")
    return tag


def tell(world: World, change: str, tag_id: str, kind: str) -> None:
    """Ring a ``change_external_tag`` event about a tag or a tag_group."""
    fields = {
        "FromUserName": "sys",
        "MsgType": "event",
        "Event": "change_external_tag",
        "ChangeType": change,
        "Id": tag_id,
        "TagType": kind,
    }
    world.ring(world.contacts.callback, fields)


async def _list(world: World, call: Call) -> dict[str, object]:
    book = world.contacts.tags
    group_ids, tag_ids = set(call.strings("group_id")), set(call.strings("tag_id"))
    answer = []
    for group in book.groups.values():
        tags = book.in_group(group.id)
        if group_ids:
            if group.id not in group_ids:
                continue
        elif tag_ids:
            tags = [tag for tag in tags if tag.id in tag_ids]
            if not tags:
                continue
        answer.append(book.group_json(group, tags))
    return {"tag_group": answer}


async def _add(world: World, call: Call) -> dict[str, object]:
    book = world.contacts.tags
    wanted = [
        (_name(item, "name"), item.integer("order", 0))
        for item in map(call.of, call.objects("tag", required=True))
    ]
    group = _group(world, call)
    taken = {tag.name for tag in book.in_group(group.id)}
    names = [name for name, _ in wanted]
    if taken & set(names) or len(set(names)) < len(names):
        raise ApiError(TAG_NAME_EXISTS)
    if group.id not in book.groups:
        book.groups[group.id] = group
        tell(world, "create", group.id, "tag_group")
    tags = [_add_tag(world, group, name, order) for name, order in wanted]
    return {"tag_group": book.group_json(group, tags)}


def _group(world: World, call: Call) -> TagGroup:
    book = world.contacts.tags
    group_id = call.text("group_id", required=False)
    if group_id:
        if group_id not in book.groups:
            raise ApiError(BAD_TAG_ID, group_id)
        return book.groups[group_id]
    name = _name(call, "group_name")
    for group in book.groups.values():
        if group.name == name:
            return group
    return TagGroup(world.new_id("et"), name, world.now(), call.integer("order", 0))


async def _edit(world: World, call: Call) -> dict[str, object]:
    book, wanted = world.contacts.tags, call.text("id")
    node: Tag | TagGroup | None = book.tags.get(wanted) or book.groups.get(wanted)
    if node is None:
        raise ApiError(BAD_TAG_ID, wanted)
    if "name" in call.body:
        name = _name(call, "name")
        others = book.in_group(node.group_id) if isinstance(node, Tag) else book.groups.values()
        if any(other.name == name and other.id != node.id for other in others):
            raise ApiError(TAG_NAME_EXISTS, name)
        node.name = name
    node.order = call.integer("order", node.order)
    tell(world, "update", node.id, "tag" if isinstance(node, Tag) else "tag_group")
    return {}


async def _delete(world: World, call: Call) -> dict[str, object]:
    book = world.contacts.tags
    group_ids = [found for found in call.strings("group_id") if found in book.groups]
    tag_ids = [found for found in call.strings("tag_id") if found in book.tags]
    if not group_ids and not tag_ids:
        raise ApiError(ALL_TAGS_INVALID)
    for group_id in group_ids:
        tag_ids += [tag.id for tag in book.in_group(group_id)]
    for tag_id in dict.fromkeys(tag_ids):
        group_id = book.tags.pop(tag_id).group_id
        tell(world, "delete", tag_id, "tag")
        # WeCom removes a group together with its last tag.
        if not book.in_group(group_id) and group_id not in group_ids:
            group_ids.append(group_id)
    for group_id in group_ids:
        del book.groups[group_id]
        tell(world, "delete", group_id, "tag_group")
    return {}


async def _mark(world: World, call: Call) -> dict[str, object]:
    userid, external_userid = call.text("userid"), call.text("external_userid")
    add, remove = call.strings("add_tag"), call.strings("remove_tag")
    if not add and not remove:
        raise ApiError(40058, "missing add_tag and remove_tag")
    check_range(world, call, userid)
    known = world.contacts.tags.tags
    unknown = [tag_id for tag_id in (*add, *remove) if tag_id not in known]
    if unknown:
        raise ApiError(BAD_TAG_ID, unknown[0])
    friendship = world.contacts.need(userid, external_userid)
    kept = [tag_id for tag_id in friendship.tags if tag_id not in remove]
    marked = list(dict.fromkeys(kept + add))
    if marked != friendship.tags:
        world.contacts.note(world, userid, external_userid, {"tags": marked})
    return {}


def _name(call: Call, key: str) -> str:
    name = call.text(key)
    if len(name) > 30:
        raise ApiError(TAG_NAME_EXISTS, f"{key} is longer than 30 characters")
    return name


APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/get_corp_tag_list", _list),
    Api("POST", "externalcontact/add_corp_tag", _add),
    Api("POST", "externalcontact/edit_corp_tag", _edit),
    Api("POST", "externalcontact/del_corp_tag", _delete),
    Api("POST", "externalcontact/mark_tag", _mark),
)
