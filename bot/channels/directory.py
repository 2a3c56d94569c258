"""Who customers and groups are, asked of WeCom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.channels.tags import TagIds
from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.domain.people import Customer, Follow, GroupChat, GroupMember, known_by
from bot.domain.polling import Answer, Status
from bot.errors import WeComError
from bot.wecom import answers
from bot.wecom.contact import ContactApi
from bot.wecom.errcodes import as_channel_error
from bot.wecom.kf import KfApi

_MEMBER = 1
_NO_RELATION = frozenset({84061, 40096})
_TOO_MANY_PEOPLE = 81017  # more than 1,000: then only by owners
_STATUS = {int(status): status for status in Status}
_NOT_A_GROUP = frozenset({90501, 90509, 40050})


class WeComDirectory:
    """The directory over 客户联系."""

    def __init__(self, api: ContactApi, tags: TagIds | None = None) -> None:
        self._api = api
        self._tags = tags or TagIds(api)

    async def customer(self, customer: CustomerId) -> Customer:
        """Return a customer with all their managers; one nobody serves comes back without."""
        try:
            contact = await self._api.get_customer(customer)
        except WeComError as error:
            if error.errcode in _NO_RELATION:
                return Customer(id=customer)
            raise as_channel_error(error) from error
        follows = [
            # A tag that one manager made for himself has no id, and is none of the bank's.
            _follow(one, frozenset(tag.tag_name for tag in one.tags if tag.tag_id))
            for one in contact.follow_user
        ]
        return known_by(Customer(id=customer, name=contact.external_contact.name), follows)

    async def managers(self) -> Sequence[RmId]:
        """List the members who may have customers."""
        try:
            return [RmId(userid) for userid in await self._api.get_follow_user_list()]
        except WeComError as error:
            raise as_channel_error(error) from error

    async def customers_of(self, manager: RmId, cursor: str) -> tuple[Sequence[Customer], str]:
        """Return one page of a manager's customers, each as this manager knows them."""
        try:
            found, following = await self._api.batch_get_by_user_page(manager, cursor)
            customers = [
                known_by(
                    Customer(
                        id=CustomerId(one.external_contact.external_userid),
                        name=one.external_contact.name,
                    ),
                    [_follow(one.follow_info, await self._tags.names(one.tag_id), manager)],
                )
                for one in found
            ]
        except WeComError as error:
            if error.errcode in _NO_RELATION:
                return (), ""
            raise as_channel_error(error) from error
        return customers, following

    async def groups_of(
        self, owners: Sequence[RmId], cursor: str
    ) -> tuple[Sequence[GroupChatId], str]:
        """Return one page of the groups that these members own, at most 100 of them."""
        try:
            chats, following = await self._api.groupchat_list_page(owners, cursor)
        except WeComError as error:
            raise as_channel_error(error) from error
        return [GroupChatId(chat) for chat in chats], following

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
        return GroupChat(
            id=chat,
            name=found.name,
            owner=RmId(found.owner),
            members=members,
            version=found.member_version,
        )

    async def groups(self) -> Sequence[GroupChatId]:
        """List every customer group the bank's staff own."""
        try:
            chats = await self._all_groups()
        except WeComError as error:
            raise as_channel_error(error) from error
        return [GroupChatId(chat) for chat in chats]

    async def _all_groups(self) -> list[str]:
        try:
            return await self._api.groupchat_list()
        except WeComError as error:
            if error.errcode != _TOO_MANY_PEOPLE:
                raise
        return await self._api.groupchat_list(await self._api.get_follow_user_list())


def _follow(item: answers.FollowUser, tags: frozenset[str], manager: RmId | None = None) -> Follow:
    return Follow(
        manager=manager or RmId(item.userid),
        since=datetime.fromtimestamp(item.createtime, UTC),
        state=item.state,
        tags=tags,
    )


class SendResults:
    """What became of mass-send tasks."""

    def __init__(self, api: ContactApi) -> None:
        self._api = api

    async def all(self, msgid: str, owner: str) -> Mapping[str, Answer]:
        """Return what became of each receiver of one owner's task, read to the list's end."""
        try:
            results = await self._api.get_groupmsg_send_result(msgid, owner)
        except WeComError as error:
            raise as_channel_error(error) from error
        return {one.chat_id or one.external_userid: _answer(one) for one in results}


def _answer(result: answers.GroupMsgResult) -> Answer:
    """Read one result; a status that is not documented is none yet."""
    sent_at = datetime.fromtimestamp(result.send_time, UTC) if result.send_time else None
    return Answer(_STATUS.get(result.status, Status.UNSENT), sent_at)


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
