"""What the 客户联系 interfaces answer, field for field as far as the bot reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.wecom.fields import number, record, records, strings, text


@dataclass(frozen=True, slots=True)
class FollowTag:
    """A tag a member has put on a customer; a personal tag has no ``tag_id``."""

    tag_id: str
    tag_name: str
    group_name: str
    type: int


@dataclass(frozen=True, slots=True)
class FollowUser:
    """How one member knows a customer; ``createtime`` in seconds."""

    userid: str
    remark: str
    description: str
    createtime: int
    add_way: int
    state: str
    tags: tuple[FollowTag, ...]


@dataclass(frozen=True, slots=True)
class ExternalContact:
    """A customer; ``type`` 1 writes from WeChat, 2 from another corp's WeCom."""

    external_userid: str
    name: str
    avatar: str
    type: int
    gender: int
    unionid: str
    corp_name: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer with the members who follow them."""

    external_contact: ExternalContact
    follow_user: tuple[FollowUser, ...]


@dataclass(frozen=True, slots=True)
class FollowedContact:
    """A customer as one member has them; tags come by id only."""

    external_contact: ExternalContact
    follow_info: FollowUser
    tag_id: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorpTag:
    """One of the corp's tags."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class CorpTagGroup:
    """A group of the corp's tags."""

    group_id: str
    group_name: str
    tag: tuple[CorpTag, ...]


@dataclass(frozen=True, slots=True)
class ChatMember:
    """Somebody in a customer group; ``type`` 1 member, 2 customer; ``join_time`` in seconds."""

    userid: str
    type: int
    name: str
    group_nickname: str
    unionid: str
    join_time: int
    join_scene: int
    invitor: str
    state: str


@dataclass(frozen=True, slots=True)
class GroupChat:
    """A customer group; ``create_time`` in seconds."""

    chat_id: str
    name: str
    owner: str
    create_time: int
    notice: str
    member_list: tuple[ChatMember, ...]
    admin_list: tuple[str, ...]
    member_version: str


@dataclass(frozen=True, slots=True)
class MsgTemplate:
    """A mass-send task just made; ``fail_list`` names who it cannot go to."""

    msgid: str
    fail_list: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupMsg:
    """A mass message in the list; one made by API has no ``creator``."""

    msgid: str
    creator: str
    create_time: int
    create_type: int
    content: str
    attachments: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class GroupMsgTask:
    """One member's part of a mass message: ``status`` 0 unsent, 2 sent."""

    userid: str
    status: int
    send_time: int


@dataclass(frozen=True, slots=True)
class GroupMsgResult:
    """One recipient: ``status`` 0 not sent, 1 sent, 2 no longer a friend, 3 over the quota."""

    userid: str
    external_userid: str
    chat_id: str
    status: int
    send_time: int


def external_contact(item: Mapping[str, object]) -> ExternalContact:
    """Read ``external_contact``."""
    return ExternalContact(
        external_userid=text(item, "external_userid"),
        name=text(item, "name"),
        avatar=text(item, "avatar"),
        type=number(item, "type"),
        gender=number(item, "gender"),
        unionid=text(item, "unionid"),
        corp_name=text(item, "corp_name"),
    )


def follow_user(item: Mapping[str, object]) -> FollowUser:
    """Read one of ``follow_user``, or ``follow_info``."""
    return FollowUser(
        userid=text(item, "userid"),
        remark=text(item, "remark"),
        description=text(item, "description"),
        createtime=number(item, "createtime"),
        add_way=number(item, "add_way"),
        state=text(item, "state"),
        tags=tuple(_follow_tag(tag) for tag in records(item, "tags")),
    )


def followed_contact(item: Mapping[str, object]) -> FollowedContact:
    """Read one of ``external_contact_list``."""
    follow_info = record(item, "follow_info")
    return FollowedContact(
        external_contact=external_contact(record(item, "external_contact")),
        follow_info=follow_user(follow_info),
        tag_id=strings(follow_info, "tag_id"),
    )


def corp_tag_group(item: Mapping[str, object]) -> CorpTagGroup:
    """Read one of ``tag_group``, without deleted tags."""
    return CorpTagGroup(
        group_id=text(item, "group_id"),
        group_name=text(item, "group_name"),
        tag=tuple(
            CorpTag(text(tag, "id"), text(tag, "name"))
            for tag in records(item, "tag")
            if tag.get("deleted") is not True
        ),
    )


def group_chat(item: Mapping[str, object]) -> GroupChat:
    """Read ``group_chat``."""
    return GroupChat(
        chat_id=text(item, "chat_id"),
        name=text(item, "name"),
        owner=text(item, "owner"),
        create_time=number(item, "create_time"),
        notice=text(item, "notice"),
        member_list=tuple(_chat_member(member) for member in records(item, "member_list")),
        admin_list=tuple(text(admin, "userid") for admin in records(item, "admin_list")),
        member_version=text(item, "member_version"),
    )


def group_msg(item: Mapping[str, object]) -> GroupMsg:
    """Read one of ``group_msg_list``."""
    return GroupMsg(
        msgid=text(item, "msgid"),
        creator=text(item, "creator"),
        create_time=number(item, "create_time"),
        create_type=number(item, "create_type"),
        content=text(record(item, "text"), "content"),
        attachments=tuple(records(item, "attachments")),
    )


def group_msg_task(item: Mapping[str, object]) -> GroupMsgTask:
    """Read one of ``task_list``."""
    return GroupMsgTask(text(item, "userid"), number(item, "status"), number(item, "send_time"))


def group_msg_result(item: Mapping[str, object]) -> GroupMsgResult:
    """Read one of ``send_list``."""
    return GroupMsgResult(
        userid=text(item, "userid"),
        external_userid=text(item, "external_userid"),
        chat_id=text(item, "chat_id"),
        status=number(item, "status"),
        send_time=number(item, "send_time"),
    )


def _follow_tag(item: Mapping[str, object]) -> FollowTag:
    return FollowTag(
        tag_id=text(item, "tag_id"),
        tag_name=text(item, "tag_name"),
        group_name=text(item, "group_name"),
        type=number(item, "type"),
    )


def _chat_member(item: Mapping[str, object]) -> ChatMember:
    return ChatMember(
        userid=text(item, "userid"),
        type=number(item, "type"),
        name=text(item, "name"),
        group_nickname=text(item, "group_nickname"),
        unionid=text(item, "unionid"),
        join_time=number(item, "join_time"),
        join_scene=number(item, "join_scene"),
        invitor=text(record(item, "invitor"), "userid"),
        state=text(item, "state"),
    )
