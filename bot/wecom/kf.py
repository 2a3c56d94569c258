"""微信客服 (kf): accounts, pulled messages, replies and session states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.errors import WeComError
from bot.wecom.client import WeComClient
from bot.wecom.fields import chunks, number, record, records, strings, text

MAX_SYNC_LIMIT: Final = 1000
_ACCOUNTS_A_PAGE = 100
_CUSTOMERS_A_CALL = 100
_BAD_TOKEN = 95007


@dataclass(frozen=True, slots=True)
class KfAccount:
    """A kf account; without ``manage_privilege`` this application may not speak for it."""

    open_kfid: str
    name: str
    manage_privilege: bool


@dataclass(frozen=True, slots=True)
class SyncPage:
    """One page of messages; it may be empty although there is more."""

    next_cursor: str
    has_more: bool
    msg_list: list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class ServiceState:
    """Who a session is with; ``servicer_userid`` is set in the servicer state only."""

    service_state: int
    servicer_userid: str


@dataclass(frozen=True, slots=True)
class KfCustomer:
    """Somebody who wrote to a kf account; ``scene`` tells where they last came in."""

    external_userid: str
    nickname: str
    avatar: str
    gender: int
    unionid: str
    scene: str
    scene_param: str


@dataclass(frozen=True, slots=True)
class Servicer:
    """A member who answers for an account."""

    userid: str
    receiving: bool


@dataclass(frozen=True, slots=True)
class UpgradeRange:
    """To whom and into which groups customers may be led, as the console has it.

    ``departments`` tells that whole departments are meant, too, whose members are not listed.
    """

    userids: tuple[str, ...]
    departments: bool
    chat_ids: tuple[str, ...]


class KfApi:
    """The kf interfaces; raises as ``WeComClient`` does."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def list_accounts(self) -> list[KfAccount]:
        """Return every kf account this application can see."""
        found: list[KfAccount] = []
        while True:
            body = {"offset": len(found), "limit": _ACCOUNTS_A_PAGE}
            page = records(await self._client.post("kf/account/list", body), "account_list")
            found += [_account(item) for item in page]
            if len(page) < _ACCOUNTS_A_PAGE:
                return found

    async def sync_msg(
        self, open_kfid: str, cursor: str, token: str, limit: int = MAX_SYNC_LIMIT
    ) -> SyncPage:
        """Return the page after ``cursor`` ("" = the last 3 days); call while ``has_more``.

        ``token`` comes with the doorbell and lives 10 minutes; once it is too old the page is
        asked for without it, at WeCom's stricter rate limit.
        """
        body: dict[str, object] = {"open_kfid": open_kfid, "limit": limit}
        if cursor:
            body["cursor"] = cursor
        try:
            answer = await self._client.post(
                "kf/sync_msg", {**body, "token": token} if token else body
            )
        except WeComError as error:
            if not token or error.errcode != _BAD_TOKEN:
                raise
            answer = await self._client.post("kf/sync_msg", body)
        return SyncPage(
            # An answer without a cursor must not send us back to the beginning.
            next_cursor=text(answer, "next_cursor") or cursor,
            has_more=number(answer, "has_more") == 1,
            msg_list=records(answer, "msg_list"),
        )

    async def send_msg(self, body: Mapping[str, object]) -> str:
        """Send a message and return its msgid; at most 5 to one message of the customer's.

        ``body`` has touser, open_kfid, msgtype, its payload, and a msgid of at most 32 characters
        that makes a repetition recognisable. Accepted is not delivered: msg_send_fail may follow.
        """
        return text(await self._client.post("kf/send_msg", body), "msgid")

    async def send_msg_on_event(self, body: Mapping[str, object]) -> str:
        """Answer an event by its ``code`` (once; a welcome within 20 seconds); return the msgid."""
        return text(await self._client.post("kf/send_msg_on_event", body), "msgid")

    async def service_state(self, open_kfid: str, external_userid: str) -> ServiceState:
        """Return who the customer's session is with now."""
        body = {"open_kfid": open_kfid, "external_userid": external_userid}
        answer = await self._client.post("kf/service_state/get", body)
        return ServiceState(number(answer, "service_state"), text(answer, "servicer_userid"))

    async def trans(
        self, open_kfid: str, external_userid: str, state: int, servicer: str | None = None
    ) -> str:
        """Move a session to a state and return the msg_code for one word about it ("" = none).

        ``servicer`` is needed for the servicer state and must be receiving.
        """
        body: dict[str, object] = {
            "open_kfid": open_kfid,
            "external_userid": external_userid,
            "service_state": state,
        }
        if servicer:
            body["servicer_userid"] = servicer
        return text(await self._client.post("kf/service_state/trans", body), "msg_code")

    async def upgrade_range(self) -> UpgradeRange:
        """Return whom and what 升级服务 may offer."""
        answer = await self._client.get("kf/customer/get_upgrade_service_config")
        members, groups = record(answer, "member_range"), record(answer, "groupchat_range")
        return UpgradeRange(
            userids=strings(members, "userid_list"),
            departments=bool(members.get("department_id_list")),
            chat_ids=strings(groups, "chat_id_list"),
        )

    async def upgrade_service(
        self,
        open_kfid: str,
        external_userid: str,
        *,
        userid: str = "",
        chat_id: str = "",
        wording: str = "",
    ) -> None:
        """Invite a customer to add a member, or to join the group ``chat_id``; he decides.

        Refused (95031) where the customer has not consulted within 48 hours.
        """
        body: dict[str, object] = {"open_kfid": open_kfid, "external_userid": external_userid}
        if chat_id:
            body |= {"type": 2, "groupchat": {"chat_id": chat_id, "wording": wording}}
        else:
            body |= {"type": 1, "member": {"userid": userid, "wording": wording}}
        await self._client.post("kf/customer/upgrade_service", body)

    async def add_contact_way(self, open_kfid: str, scene: str = "") -> str:
        """Return a link that opens the account; ``scene`` (at most 32 bytes) tells links apart."""
        body = {"open_kfid": open_kfid, "scene": scene} if scene else {"open_kfid": open_kfid}
        return text(await self._client.post("kf/add_contact_way", body), "url")

    async def customer_batchget(self, ids: Sequence[str]) -> list[KfCustomer]:
        """Return the customers with these external_userids; unknown ones are left out."""
        found: list[KfCustomer] = []
        for chunk in chunks(ids, _CUSTOMERS_A_CALL):
            body = {"external_userid_list": list(chunk), "need_enter_session_context": 1}
            answer = await self._client.post("kf/customer/batchget", body)
            found += [_customer(item) for item in records(answer, "customer_list")]
        return found

    async def servicers(self, open_kfid: str) -> list[Servicer]:
        """Return the members who answer for an account; departments are left out."""
        answer = await self._client.get("kf/servicer/list", open_kfid=open_kfid)
        return [
            Servicer(text(item, "userid"), number(item, "status") == 0)
            for item in records(answer, "servicer_list")
            if text(item, "userid")
        ]


def _account(item: Mapping[str, object]) -> KfAccount:
    # Older answers have no manage_privilege; then every listed account is ours.
    privilege = item.get("manage_privilege", True) is True
    return KfAccount(text(item, "open_kfid"), text(item, "name"), privilege)


def _customer(item: Mapping[str, object]) -> KfCustomer:
    context = record(item, "enter_session_context")
    return KfCustomer(
        external_userid=text(item, "external_userid"),
        nickname=text(item, "nickname"),
        avatar=text(item, "avatar"),
        gender=number(item, "gender"),
        unionid=text(item, "unionid"),
        scene=text(context, "scene"),
        scene_param=text(context, "scene_param"),
    )
