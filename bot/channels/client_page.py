"""What a page inside WeCom's client needs of WeCom: who looks at it, and its signatures."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from bot.errors import ConfigError, Retryable, WeComError
from bot.ports import Clock
from bot.wecom.errcodes import classify
from bot.wecom.login import SPENT_CODES, LoginApi
from bot.wecom.tickets import JsapiTicket, signature


@dataclass(frozen=True, slots=True)
class Signed:
    """A page's signature, as ``ww.register`` wants it."""

    timestamp: int
    nonce: str
    signature: str


class ClientPage:
    """Sends members to WeCom to say who they are, and signs the page for its JS-SDK.

    Calls raise ``Retryable`` where WeCom cannot be reached now, and ``ConfigError`` with what a
    person has to change.
    """

    def __init__(
        self, login: LoginApi, corp_ticket: JsapiTicket, app_ticket: JsapiTicket, clock: Clock
    ) -> None:
        self._login = login
        self._tickets = (corp_ticket, app_ticket)
        self._clock = clock

    def login_address(self, back_to: str, state: str) -> str:
        """Return where a member says who he is; ``state`` comes back with him."""
        return self._login.page(back_to, state)

    async def member(self, code: str) -> str:
        """Return the userid behind a code; "" where the code is worth nothing, or a customer's."""
        try:
            return await self._login.member(code)
        except WeComError as error:
            if error.errcode in SPENT_CODES:
                return ""
            raise _in_words(error) from error

    async def signed(self, url: str) -> tuple[Signed, Signed]:
        """Return a page's signature of the corp, and of the application."""
        try:
            tickets = [await ticket.current() for ticket in self._tickets]
        except WeComError as error:
            raise _in_words(error) from error
        corp, app = (self._sign(ticket, url) for ticket in tickets)
        return corp, app

    def _sign(self, ticket: str, url: str) -> Signed:
        nonce, timestamp = secrets.token_hex(8), int(self._clock.now().timestamp())
        return Signed(timestamp, nonce, signature(ticket, nonce, timestamp, url))


def _in_words(error: WeComError) -> ConfigError | Retryable:
    if classify(error.errcode) in ("retry", "refresh", "rate"):
        return Retryable(f"wecom_{error.errcode}")
    return ConfigError(error.hint or f"企业微信不答应（错误码 {error.errcode}），请联系管理员。")
