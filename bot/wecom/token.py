"""What WeCom gives for a while: asked for once, by one of all callers in all processes."""

from __future__ import annotations

import asyncio
import hashlib
from abc import ABC, abstractmethod
from datetime import datetime, timedelta

from bot.errors import BotError, Retryable, WeComError
from bot.ports import Clock
from bot.wecom.errcodes import classify
from bot.wecom.fields import number, text
from bot.wecom.sharing import TokenStore
from bot.wecom.transport import Transport, Unanswered, checked

REFRESH_EARLY = timedelta(minutes=5)
_SHORTEST_USE = timedelta(minutes=1)
# More than 2,000 refused gettoken calls in an hour get the corp blocked for another hour.
_REST_AFTER_REFUSAL = timedelta(seconds=30)
# A new token that is refused at once is not the old one's fault: asking again would be a storm.
_REST_AFTER_RENEWAL = timedelta(seconds=10)
_LOOK_EVERY_S = 0.05  # for the token that another process is asking for
_LOOKS = 240  # that is 12 s: its own time-out, and a little more


def key_of(corp_id: str, secret: str) -> str:
    """Name what one secret gets, so that secrets are told apart and not given away."""
    return f"{corp_id}:{hashlib.sha256(secret.encode()).hexdigest()[:16]}"


class Lasting(ABC):
    """A token or a ticket as this process knows it; the store has it for all of them."""

    what = "token"

    def __init__(self, key: str, store: TokenStore, clock: Clock) -> None:
        self._key = key
        self._store = store
        self._clock = clock
        self._token = ""
        self._refresh_at: datetime | None = None
        self._renewed: tuple[str, datetime] | None = None
        self._lock = asyncio.Lock()
        self._failure: BotError | None = None
        self._failures = 0
        self._rest_until: datetime | None = None

    async def current(self) -> str:
        """Return the token, renewed a little before its end."""
        if self._refresh_at is None or self._clock.now() >= self._refresh_at:
            return await self.other_than("")
        return self._token

    async def other_than(self, spent: str) -> str:
        """Return a token other than ``spent``; of many callers at once, only one asks WeCom.

        One that was renewed a moment ago comes back even if it is refused.
        """
        failures = self._failures
        async with self._lock:
            now = self._clock.now()
            if self._refresh_at is not None and now < self._refresh_at and self._token != spent:
                return self._token
            if self._renewed is not None and self._just_renewed(spent, self._renewed, now):
                return spent
            # Whoever queued behind a failing call shares its failure instead of repeating it.
            resting = self._rest_until is not None and now < self._rest_until
            if self._failure is not None and (resting or self._failures != failures):
                raise self._failure.with_traceback(None)
            try:
                token, expires_at = await self._found(spent, now) or await self._alone(spent, now)
            except BotError as error:
                self._remember(error, now)
                raise
            self._keep(token, expires_at, now)
            if spent:
                self._renewed = (token, now)
            return token

    def _just_renewed(self, spent: str, renewed: tuple[str, datetime], now: datetime) -> bool:
        return renewed[0] == spent and now < renewed[1] + _REST_AFTER_RENEWAL

    def _keep(self, token: str, expires_at: datetime, now: datetime) -> None:
        self._token = token
        # While a token is valid WeCom hands out the same one again, so a fresh answer may
        # itself be near its end; it is then used for a while rather than asked for each time.
        early = max(expires_at - REFRESH_EARLY, now + _SHORTEST_USE)
        self._refresh_at = min(expires_at, early)
        self._failure = self._rest_until = None

    async def _found(self, spent: str, now: datetime) -> tuple[str, datetime] | None:
        """Return the token another process has fetched, if it is of use."""
        found = await self._store.read(self._key)
        if found is None or found[0] == spent or now >= found[1] - REFRESH_EARLY:
            return None
        return found

    async def _alone(self, spent: str, now: datetime) -> tuple[str, datetime]:
        """Ask WeCom, unless another process is asking: then take what it is given."""
        for _ in range(_LOOKS):
            if await self._store.claim(self._key):
                try:
                    # It may have been fetched between the look and the claim.
                    return await self._found(spent, now) or await self._granted(now)
                finally:
                    await self._store.release(self._key)
            await asyncio.sleep(_LOOK_EVERY_S)
            if found := await self._found(spent, now):
                return found
        raise Retryable(f"no {self.what}: another process has been asking for long")

    async def _granted(self, now: datetime) -> tuple[str, datetime]:
        try:
            token, seconds = await self._asked()
        except Unanswered as error:
            # Asking twice for a token does no harm, and the call it was for was not sent.
            raise Retryable(f"no {self.what}: {error.reason}", error.after) from None
        if not token:
            raise Retryable(f"no {self.what}: WeCom's answer holds none")
        expires_at = now + timedelta(seconds=seconds)
        await self._store.write(self._key, token, expires_at)
        return token, expires_at

    @abstractmethod
    async def _asked(self) -> tuple[str, int]:
        """Ask WeCom for it; return it with its life in seconds."""

    def _remember(self, error: BotError, now: datetime) -> None:
        self._failure = error
        self._failures += 1
        refused = isinstance(error, WeComError) and classify(error.errcode) != "retry"
        self._rest_until = now + _REST_AFTER_REFUSAL if refused else None


class AccessToken(Lasting):
    """The access token of one application."""

    what = "access token"

    def __init__(
        self,
        http: Transport,
        url: str,
        corp_id: str,
        secret: str,
        store: TokenStore,
        clock: Clock,
    ) -> None:
        super().__init__(key_of(corp_id, secret), store, clock)
        self._http = http
        self._url = url
        self._query = {"corpid": corp_id, "corpsecret": secret}

    async def _asked(self) -> tuple[str, int]:
        answer = checked(await self._http.exchange("GET", self._url, query=self._query))
        return text(answer, "access_token"), number(answer, "expires_in")
