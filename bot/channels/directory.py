"""Who customers and groups are, asked of WeCom."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.domain.people import Customer, GroupChat, GroupMember
from bot.errors import WeComError
from bot.wecom.contact import ContactApi
from bot.wecom.errcodes import as_channel_error
from bot.wecom.kf import KfApi

_MEMBER = 1
_NO_RELATION = frozenset({84061, 40096})
_NOT_A_GROUP = frozenset({90501, 90509, 40050})


class WeComDirectory:
    """The directory over 客户联系."""

    def __init__(self, api: ContactApi) -> None:
        self._api = api

    async def customer(self, customer: CustomerId) -> Customer:
        """Return a customer; one that nobody serves comes back without managers."""
        try:
            contact = await self._api.get_customer(customer)
        except WeComError as error:
            if error.errcode in _NO_RELATION:
                return Customer(id=customer)
            raise as_channel_error(error) from error
        follows = sorted(contact.follow_user, key=lambda follow: -follow.createtime)
        return Customer(
            id=customer,
            name=contact.external_contact.name,
            managers=tuple(RmId(follow.userid) for follow in follows),
            tags=frozenset(tag.tag_name for follow in follows for tag in follow.tags),
        )

    async def group(self, chat: GroupChatId) -> GroupChat | None:
        """Return a group with its members; None where it is gone."""
        try:
            found = await self._api.groupchat_get(chat)
        except WeComError as error:
            if error.errcode in _NOT_A_GROUP:
                return None
            raise as_channel_error(error) from error
        members = tuple(
            GroupMember(id=member.userid, name=member.name, staff=member.type == _MEMBER)
            for member in found.member_list
        )
        return GroupChat(id=chat, name=found.name, owner=RmId(found.owner), members=members)

    async def groups(self) -> Sequence[GroupChatId]:
        """List every customer group the bank's staff own."""
        try:
            return [GroupChatId(chat) for chat in await self._api.groupchat_list()]
        except WeComError as error:
            raise as_channel_error(error) from error


class SendResults:
    """What became of mass-send tasks."""

    def __init__(self, api: ContactApi) -> None:
        self._api = api

    async def of(self, msgid: str, owner: str, chat: str) -> int:
        """Return a group's status: 0 not sent, 1 sent, 2 no friend, 3 quota (protocol §5.7)."""
        try:
            results = await self._api.get_groupmsg_send_result(msgid, owner)
        except WeComError as error:
            raise as_channel_error(error) from error
        return next((result.status for result in results if result.chat_id == chat), 0)


class SessionStates:
    """Who has a customer's 微信客服 session, asked of WeCom itself."""

    def __init__(self, api: KfApi) -> None:
        self._api = api

    async def of(self, account: str, customer: str) -> int:
        """Return the state: 0 new, 1 bot, 2 in the pool, 3 with a person, 4 ended (§4.7)."""
        try:
            return (await self._api.service_state(account, customer)).service_state
        except WeComError as error:
            raise as_channel_error(error) from error
