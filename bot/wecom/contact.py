"""客户联系: customers, tags, welcomes; with groups, mass messages and moments, of one client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from bot.errors import WeComError
from bot.wecom import answers
from bot.wecom.fields import chunks, record, records, strings, text
from bot.wecom.groups import GroupCalls
from bot.wecom.mass import MassCalls
from bot.wecom.messages import Attachment, message
from bot.wecom.moments import MomentCalls
from bot.wecom.paging import page, pages

_USERS_A_CALL = 100
_CUSTOMERS_A_PAGE = 100
_NO_CUSTOMERS = 84061
_BATCH = "externalcontact/batch/get_by_user"


class ContactApi(GroupCalls, MassCalls, MomentCalls):
    """The externalcontact interfaces, lists read to their end; raises as ``WeComClient`` does."""

    async def get_follow_user_list(self) -> tuple[str, ...]:
        """Return the userids of members who may have customers."""
        answer = await self._client.get("externalcontact/get_follow_user_list")
        return strings(answer, "follow_user")

    async def list_customers(self, userid: str) -> tuple[str, ...]:
        """Return the external_userids of one member's customers."""
        try:
            answer = await self._client.get("externalcontact/list", userid=userid)
        except WeComError as error:
            # A member without customers is answered with an error code.
            if error.errcode == _NO_CUSTOMERS:
                return ()
            raise
        return strings(answer, "external_userid")

    async def get_customer(self, external_userid: str) -> answers.Contact:
        """Return a customer with every member who follows them."""
        follows: list[answers.FollowUser] = []
        contact: dict[str, object] = {}
        cursor = ""
        while True:
            query = {"cursor": cursor} if cursor else {}
            answer = await self._client.get(
                "externalcontact/get", external_userid=external_userid, **query
            )
            contact = contact or record(answer, "external_contact")
            follows += [answers.follow_user(item) for item in records(answer, "follow_user")]
            before, cursor = cursor, text(answer, "next_cursor")
            if cursor in ("", before):
                return answers.Contact(answers.external_contact(contact), tuple(follows))

    async def batch_get_by_user(
        self, userids: Sequence[str]
    ) -> AsyncIterator[answers.FollowedContact]:
        """Yield every customer of these members, once for each member who has them."""
        for chunk in chunks(userids, _USERS_A_CALL):
            items = pages(self._client, _BATCH, _batch_body(chunk), "external_contact_list")
            async for item in items:
                yield answers.followed_contact(item)

    async def batch_get_by_user_page(
        self, userid: str, cursor: str
    ) -> tuple[list[answers.FollowedContact], str]:
        """Return one page of a member's customers, and where to read on, "" at the end."""
        body = _batch_body([userid])
        items, following = await page(self._client, _BATCH, body, "external_contact_list", cursor)
        return [answers.followed_contact(item) for item in items], following

    async def get_corp_tag_list(self) -> list[answers.CorpTagGroup]:
        """Return the corp's tag groups with their tags; deleted ones are left out."""
        answer = await self._client.post("externalcontact/get_corp_tag_list", {})
        groups = records(answer, "tag_group")
        return [answers.corp_tag_group(item) for item in groups if item.get("deleted") is not True]

    async def add_corp_tag(self, group_name: str, names: Sequence[str]) -> answers.CorpTagGroup:
        """Add tags (at most 30 characters each) to the group of this name, making it if new."""
        body = {"group_name": group_name, "tag": [{"name": name} for name in names]}
        answer = await self._client.post("externalcontact/add_corp_tag", body)
        return answers.corp_tag_group(record(answer, "tag_group"))

    async def mark_tag(
        self,
        userid: str,
        external_userid: str,
        add_tag: Sequence[str] = (),
        remove_tag: Sequence[str] = (),
    ) -> None:
        """Put tag ids on a member's customer and take others off; doing it again is harmless."""
        body: dict[str, object] = {"userid": userid, "external_userid": external_userid}
        if add_tag:
            body["add_tag"] = list(add_tag)
        if remove_tag:
            body["remove_tag"] = list(remove_tag)
        await self._client.post("externalcontact/mark_tag", body)

    async def send_welcome_msg(
        self, welcome_code: str, content: str, attachments: Sequence[Attachment] = ()
    ) -> None:
        """Send a new friend the one welcome, within 20 seconds of the event."""
        body = {"welcome_code": welcome_code, **message(content, attachments)}
        await self._client.post("externalcontact/send_welcome_msg", body)


def _batch_body(userids: Sequence[str]) -> dict[str, object]:
    return {"userid_list": list(userids), "limit": _CUSTOMERS_A_PAGE}
