"""微信客服: the one place where the bot answers a customer by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from bot.channels.attachments import Attachments
from bot.channels.kf_events import read_message
from bot.channels.kf_invite import invite
from bot.channels.media import MediaShelf
from bot.domain.delivery import PERSON_STATES
from bot.domain.events import WITHDRAWN, Arrival, KfNoted, Notice, Received
from bot.domain.ids import KfAccountId, digest
from bot.domain.messages import (
    Content,
    KfEventReply,
    KfHandover,
    KfInvite,
    KfRelease,
    KfReply,
    KfTouch,
    Menu,
    Outbound,
    Receipt,
    Text,
)
from bot.errors import ChannelError, Retryable, SessionMoved, Undeliverable, WeComError
from bot.log import logger
from bot.ports import Clock
from bot.wecom.crypto import parse_xml
from bot.wecom.errcodes import as_channel_error
from bot.wecom.kf import KfApi, SyncPage

_FIRST = "first:"
log = logger(__name__)
_OLD = timedelta(minutes=10)
_POOL, _PERSON, _ENDED = 2, 3, 4
_NOT_RECEIVING = frozenset({95014, 95019})
_NOT_ALLOWED = 95016
_MOVED = frozenset({95013, 95016, 95018})  # refused for the session's state (§4.12)
_OfASession = KfReply | KfTouch | KfEventReply | KfHandover | KfRelease
_BAD_CURSOR = frozenset({50100})
_AUTH_CHANGE = "kf_account_auth_change"
_ALWAYS = datetime.fromtimestamp(0, UTC)


class HalfSaid(Retryable):
    """Some of several messages arrived; the rest follows, known by their ids."""

    may_have_arrived = True


class KfChannel:
    """Pulls messages by cursor, sends replies, hands sessions over."""

    name = "kf"

    def __init__(
        self,
        api: KfApi,
        clock: Clock,
        repeated_msgid_code: int,
        media: MediaShelf | None = None,
    ) -> None:
        self._api = api
        self._attachments = None if media is None else Attachments(media)
        self._clock = clock
        self._repeated_msgid_code = repeated_msgid_code

    def cursor_of(self, notice: Notice) -> str | None:
        """Name the account's cursor; that an account was granted or withdrawn is news itself."""
        fields = parse_xml(notice.body)
        if fields.get("Event") == _AUTH_CHANGE:
            return None
        return f"kf:{fields.get('OpenKfId', '')}"

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Pull one page. A first start reads the past three days and answers only what is new."""
        fields = parse_xml(notice.body)
        if fields.get("Event") == _AUTH_CHANGE:
            return Received(arrivals=tuple(_auth_changes(fields, self._clock.now())))
        first = not cursor or cursor.startswith(_FIRST)
        account, token = str(fields.get("OpenKfId", "")), str(fields.get("Token", ""))
        page = await self._page(account, cursor.removeprefix(_FIRST), token)
        since = self._clock.now() - _OLD if first else _ALWAYS
        arrivals = [
            arrival for item in page.msg_list if (arrival := _read_safely(item, since)) is not None
        ]
        keeps_first = first and page.has_more
        return Received(
            arrivals=tuple(arrivals),
            cursor=(_FIRST if keeps_first else "") + page.next_cursor,
            more=page.has_more,
        )

    async def _page(self, account: str, cursor: str, token: str) -> SyncPage:
        """Pull after a cursor; one that WeCom knows no longer is read again from the beginning.

        What was read before is known by its msgid, so that nothing is answered twice; what was
        never read is news, however old it is.
        """
        try:
            try:
                return await self._api.sync_msg(account, cursor, token)
            except WeComError as error:
                if error.errcode not in _BAD_CURSOR or not cursor:
                    raise
                log.warning("cursor_lost", account=account)
                return await self._api.sync_msg(account, "", token)
        except WeComError as error:
            raise as_channel_error(error) from error

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Deliver a reply or hand the session over."""
        try:
            match message:
                case KfReply():
                    return await self._reply(key, message, repeated=repeated)
                case KfTouch():
                    return await self._touch(key, message, repeated=repeated)
                case KfEventReply():
                    return Receipt(ref=await self._api.send_msg_on_event(_event_body(message)))
                case KfHandover():
                    return await self._hand_over(message, repeated=repeated)
                case KfRelease():
                    return await self._release(message)
                case KfInvite():
                    return await invite(self._api, message)
                case _:
                    raise Undeliverable("not_a_kf_message")
        except WeComError as error:
            if error.errcode in _MOVED and isinstance(message, _OfASession):
                raise await self._moved(message, error) from error
            raise as_channel_error(error) from error

    async def _reply(self, key: str, message: KfReply, *, repeated: bool) -> Receipt:
        msgid = digest(key)  # WeCom refuses a repeated id, which is what makes a retry safe
        body = {
            "touser": message.customer,
            "open_kfid": message.account,
            "msgid": msgid,
            **await self._rendered(message.content),
        }
        try:
            return Receipt(ref=await self._api.send_msg(body))
        except WeComError as error:
            if repeated and error.errcode == self._repeated_msgid_code:
                return Receipt(ref=msgid)
            raise

    async def prepare(self, message: Outbound) -> None:
        """Upload the files of a script's message, which may take long, ahead of its call."""
        if not isinstance(message, KfTouch):
            return
        try:
            for content in message.contents:
                await self._rendered(content)
        except WeComError as error:
            raise as_channel_error(error) from error

    async def _rendered(self, content: Content) -> Mapping[str, object]:
        if self._attachments is not None:
            return await self._attachments.kf(content)
        if content.kind == "text":
            return {"msgtype": "text", "text": {"content": content.text}}
        raise Undeliverable(f"kf_cannot_send_{content.kind}")

    async def _touch(self, key: str, message: KfTouch, *, repeated: bool) -> Receipt:
        """Say a script's words, a message for each content; none is said twice."""
        said: list[str] = []
        for number, content in enumerate(message.contents):
            try:
                said.append(await self._part(key, number, message, content, repeated))
            except Undeliverable as error:
                if not said:
                    raise
                # The customer has read the beginning: that is what was said.
                log.warning("kf_touch_cut_short", key=key, reason=error.reason)
                break
            except Retryable as error:
                if not said or error.may_have_arrived:
                    raise
                raise HalfSaid(error.reason, error.after) from error
        return Receipt(ref=said[0], said=len(said))

    async def _part(
        self, key: str, number: int, message: KfTouch, content: Content, repeated: bool
    ) -> str:
        msgid = digest(key, str(number))
        body = {
            "touser": message.customer,
            "open_kfid": message.account,
            "msgid": msgid,
            **await self._rendered(content),
        }
        try:
            return await self._api.send_msg(body)
        except WeComError as error:
            if repeated and error.errcode == self._repeated_msgid_code:
                return msgid
            if number == 0 and error.errcode in _MOVED:
                raise
            raise as_channel_error(error) from error

    async def _hand_over(self, message: KfHandover, *, repeated: bool) -> Receipt:
        account, customer = message.account, message.customer
        if repeated:  # ours may have got through, and a colleague may have the session since
            found = await self._api.service_state(account, customer)
            if found.service_state in PERSON_STATES:
                return Receipt(ref=found.servicer_userid)
        try:
            if message.to is not None and not message.pool:
                code = await self._api.trans(account, customer, _PERSON, message.to)
                return Receipt(ref=message.to, response_code=code)
        except WeComError as error:
            if error.errcode == _NOT_ALLOWED and await self._with_person(message):
                return Receipt(ref=message.to or "")
            if error.errcode not in _NOT_RECEIVING:
                raise
        try:
            return Receipt(response_code=await self._api.trans(account, customer, _POOL, None))
        except WeComError as error:
            if error.errcode == _NOT_ALLOWED and await self._with_person(message):
                return Receipt()
            raise

    async def _release(self, message: KfRelease) -> Receipt:
        """End a session that a person has; one that is over already is as it should be.

        WeCom is asked first: it would as well end a session that the bot has again (§4.7).
        """
        account, customer = message.account, message.customer
        found = await self._api.service_state(account, customer)
        if found.service_state == _ENDED:
            return Receipt()
        if found.service_state not in PERSON_STATES:
            raise SessionMoved("nobody_has_session", found.service_state, "")
        return Receipt(response_code=await self._api.trans(account, customer, _ENDED))

    async def _moved(self, message: _OfASession, error: WeComError) -> ChannelError:
        """Ask WeCom where the session is, after it refused something for where that is."""
        try:
            found = await self._api.service_state(message.account, message.customer)
        except (WeComError, ChannelError):
            return as_channel_error(error)
        return SessionMoved(f"wecom_{error.errcode}", found.service_state, found.servicer_userid)

    async def _with_person(self, message: KfHandover) -> bool:
        session = await self._api.service_state(message.account, message.customer)
        return session.service_state in PERSON_STATES


def _read_safely(item: Mapping[str, Any], since: datetime) -> Arrival | None:
    """Read one message; one that cannot be read must not hold up those behind it."""
    try:
        return read_message(item, since)
    except (ValueError, TypeError, AttributeError):
        log.warning("item_not_read", msgid=str(item.get("msgid", "")))
        return None


def _event_body(message: KfEventReply) -> dict[str, object]:
    content = message.content
    match content:
        case Text():
            return {
                "code": message.code,
                "msgtype": "text",
                "text": {"content": content.text},
            }
        case Menu():
            items = [
                {"type": "click", "click": {"id": item.id, "content": item.text}}
                for item in content.items
            ]
            menu = {"head_content": content.head, "list": items}
            return {"code": message.code, "msgtype": "msgmenu", "msgmenu": menu}
        case _:
            assert_never(content)


def _auth_changes(fields: Mapping[str, object], now: datetime) -> Iterator[Arrival]:
    """Give an event for each account that this application was granted, or has lost (§4.3)."""
    moment = int(str(fields.get("CreateTime", "")) or now.timestamp())
    at = datetime.fromtimestamp(moment, UTC)
    for name, what in (("AuthAddOpenKfId", "account_granted"), ("AuthDelOpenKfId", WITHDRAWN)):
        listed = fields.get(name) or []
        for account in listed if isinstance(listed, list) else [listed]:
            event = KfNoted(account=KfAccountId(str(account)), what=what, at=at)
            key = f"kf:{what}:{digest(str(account), str(moment))}"
            yield Arrival(key=key, lane=f"kf:account:{account}", event=event)
