"""客户群: lists, members, and the welcome material that owners attach."""

from __future__ import annotations

from collections.abc import Sequence

from bot.wecom import answers
from bot.wecom.client import WeComClient
from bot.wecom.fields import chunks, record, text
from bot.wecom.messages import Attachment, check_text
from bot.wecom.paging import page, pages

MAX_GROUP_WELCOME_BYTES = 3000
_USERS_A_CALL = 100
_CHATS_A_PAGE = 1000


class GroupCalls:
    """The groupchat interfaces; raises as ``WeComClient`` does."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def groupchat_list(self, owners: Sequence[str] = ()) -> list[str]:
        """Return the chat_ids of these owners' groups; without owners all that can be seen."""
        found: list[str] = []
        for chunk in chunks(owners, _USERS_A_CALL) if owners else ((),):
            items = pages(self._client, _LIST, _list_body(chunk), "group_chat_list")
            found += [text(item, "chat_id") async for item in items]
        return found

    async def groupchat_list_page(
        self, owners: Sequence[str], cursor: str
    ) -> tuple[list[str], str]:
        """Return one page of at most 100 owners' groups, and where to read on, "" at the end."""
        items, following = await page(
            self._client, _LIST, _list_body(owners), "group_chat_list", cursor
        )
        return [text(item, "chat_id") for item in items], following

    async def groupchat_get(self, chat_id: str) -> answers.GroupChat:
        """Return a customer group with its members and their names."""
        body = {"chat_id": chat_id, "need_name": 1}
        answer = await self._client.post("externalcontact/groupchat/get", body)
        return answers.group_chat(record(answer, "group_chat"))

    async def group_welcome_template_add(
        self, content: str, attachment: Attachment | None = None, *, notify: bool = True
    ) -> str:
        """Add a welcome that owners can attach to their groups; return its template_id."""
        check_text(content, MAX_GROUP_WELCOME_BYTES)
        body: dict[str, object] = {"text": {"content": content}, "notify": int(notify)}
        if attachment is not None:
            kind = text(attachment, "msgtype")
            body[kind] = attachment[kind]
        answer = await self._client.post("externalcontact/group_welcome_template/add", body)
        return text(answer, "template_id")


_LIST = "externalcontact/groupchat/list"


def _list_body(owners: Sequence[str]) -> dict[str, object]:
    body: dict[str, object] = {"status_filter": 0, "limit": _CHATS_A_PAGE}
    if owners:
        body["owner_filter"] = {"userid_list": list(owners)}
    return body
