"""客户联系: customers, tags, customer groups, welcomes and mass messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from bot.errors import WeComError
from bot.wecom import answers
from bot.wecom.client import WeComClient
from bot.wecom.fields import chunks, record, records, strings, text

Attachment = Mapping[str, object]
"""``{"msgtype": "link", "link": {…}}`` and its kin: image, miniprogram, video, file."""

MAX_TEXT_BYTES = 4000
MAX_GROUP_WELCOME_BYTES = 3000
MAX_ATTACHMENTS = 9
MAX_GROUPS_A_TASK = 2000
MAX_CUSTOMERS_A_TASK = 10_000
_USERS_A_CALL = 100
_CHATS_A_PAGE = 1000
_RESULTS_A_PAGE = 1000
_MESSAGES_A_PAGE = 100
_NO_CUSTOMERS = 84061


class ContactApi:
    """The externalcontact interfaces, lists read to their end; raises as ``WeComClient`` does."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client

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
            body: dict[str, object] = {"userid_list": list(chunk), "limit": 100}
            pages = self._pages("externalcontact/batch/get_by_user", body, "external_contact_list")
            async for item in pages:
                yield answers.followed_contact(item)

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

    async def groupchat_list(self, owners: Sequence[str] = ()) -> list[str]:
        """Return the chat_ids of these owners' groups; without owners all that can be seen."""
        found: list[str] = []
        for chunk in chunks(owners, _USERS_A_CALL) if owners else ((),):
            body: dict[str, object] = {"status_filter": 0, "limit": _CHATS_A_PAGE}
            if chunk:
                body["owner_filter"] = {"userid_list": list(chunk)}
            pages = self._pages("externalcontact/groupchat/list", body, "group_chat_list")
            found += [text(item, "chat_id") async for item in pages]
        return found

    async def groupchat_get(self, chat_id: str) -> answers.GroupChat:
        """Return a customer group with its members and their names."""
        body = {"chat_id": chat_id, "need_name": 1}
        answer = await self._client.post("externalcontact/groupchat/get", body)
        return answers.group_chat(record(answer, "group_chat"))

    async def send_welcome_msg(
        self, welcome_code: str, content: str, attachments: Sequence[Attachment] = ()
    ) -> None:
        """Send a new friend the one welcome, within 20 seconds of the event."""
        body = {"welcome_code": welcome_code, **_message(content, attachments)}
        await self._client.post("externalcontact/send_welcome_msg", body)

    async def add_msg_template(
        self,
        chat_type: Literal["single", "group"],
        sender: str,
        receivers: Sequence[str],
        content: str,
        attachments: Sequence[Attachment] = (),
    ) -> answers.MsgTemplate:
        """Make a mass-send task, which goes out once ``sender`` has confirmed it in WeCom.

        ``receivers`` are chat_ids (at most 2,000) or external_userids (at most 10,000).
        """
        group = chat_type == "group"
        limit = MAX_GROUPS_A_TASK if group else MAX_CUSTOMERS_A_TASK
        # Without receivers WeCom would take all of the sender's customers.
        if not 1 <= len(receivers) <= limit:
            raise ValueError(f"{len(receivers)} receivers: must be 1 to {limit}")
        body = {
            "chat_type": chat_type,
            "sender": sender,
            "chat_id_list" if group else "external_userid": list(receivers),
            **_message(content, attachments),
        }
        answer = await self._client.post("externalcontact/add_msg_template", body)
        return answers.MsgTemplate(text(answer, "msgid"), strings(answer, "fail_list"))

    async def get_groupmsg_list_v2(
        self, chat_type: Literal["single", "group"], start: datetime, end: datetime
    ) -> list[answers.GroupMsg]:
        """Return mass messages, the corp's and members' own, made in a span of at most a month."""
        body: dict[str, object] = {
            "chat_type": chat_type,
            "start_time": int(start.timestamp()),
            "end_time": int(end.timestamp()),
            "filter_type": 2,
            "limit": _MESSAGES_A_PAGE,
        }
        pages = self._pages("externalcontact/get_groupmsg_list_v2", body, "group_msg_list")
        return [answers.group_msg(item) async for item in pages]

    async def get_groupmsg_task(self, msgid: str) -> list[answers.GroupMsgTask]:
        """Return which members have confirmed a mass message."""
        body: dict[str, object] = {"msgid": msgid, "limit": _RESULTS_A_PAGE}
        pages = self._pages("externalcontact/get_groupmsg_task", body, "task_list")
        return [answers.group_msg_task(item) async for item in pages]

    async def get_groupmsg_send_result(
        self, msgid: str, userid: str
    ) -> list[answers.GroupMsgResult]:
        """Return what became of one member's part of a mass message, for each recipient."""
        body: dict[str, object] = {"msgid": msgid, "userid": userid, "limit": _RESULTS_A_PAGE}
        pages = self._pages("externalcontact/get_groupmsg_send_result", body, "send_list")
        return [answers.group_msg_result(item) async for item in pages]

    async def remind_groupmsg_send(self, msgid: str) -> None:
        """Remind members who have not confirmed; at most 3 times in 24 hours (41094)."""
        await self._client.post("externalcontact/remind_groupmsg_send", {"msgid": msgid})

    async def cancel_groupmsg_send(self, msgid: str) -> None:
        """Take back what is not yet confirmed; done before, WeCom answers 41093."""
        await self._client.post("externalcontact/cancel_groupmsg_send", {"msgid": msgid})

    async def group_welcome_template_add(
        self, content: str, attachment: Attachment | None = None, *, notify: bool = True
    ) -> str:
        """Add a welcome that owners can attach to their groups; return its template_id."""
        _check_text(content, MAX_GROUP_WELCOME_BYTES)
        body: dict[str, object] = {"text": {"content": content}, "notify": int(notify)}
        if attachment is not None:
            kind = text(attachment, "msgtype")
            body[kind] = attachment[kind]
        answer = await self._client.post("externalcontact/group_welcome_template/add", body)
        return text(answer, "template_id")

    async def _pages(
        self, path: str, body: Mapping[str, object], key: str
    ) -> AsyncIterator[dict[str, object]]:
        cursor = ""
        while True:
            answer = await self._client.post(path, {**body, "cursor": cursor} if cursor else body)
            for item in records(answer, key):
                yield item
            # A cursor that stands still would be read for ever.
            before, cursor = cursor, text(answer, "next_cursor")
            if cursor in ("", before):
                return


def _message(content: str, attachments: Sequence[Attachment]) -> dict[str, object]:
    if not content and not attachments:
        raise ValueError("text and attachments are both empty")
    if len(attachments) > MAX_ATTACHMENTS:
        raise ValueError(f"{len(attachments)} attachments: at most {MAX_ATTACHMENTS}")
    _check_text(content, MAX_TEXT_BYTES)
    message: dict[str, object] = {}
    if content:
        message["text"] = {"content": content}
    if attachments:
        message["attachments"] = [dict(attachment) for attachment in attachments]
    return message


def _check_text(content: str, max_bytes: int) -> None:
    size = len(content.encode())
    if size > max_bytes:
        raise ValueError(f"text of {size} bytes: at most {max_bytes}")
