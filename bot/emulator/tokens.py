"""Access tokens: one for each app secret, 7200 seconds by the world's clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.emulator.limits import HOUR, TOO_OFTEN
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import App, World

LIFE = timedelta(seconds=7200)
UNKNOWN, EXPIRED = 40014, 42001


@dataclass
class _Token:
    value: str
    agent_id: int
    expires_at: datetime
    withdrawn: int = 0
    """The error code it is refused with from now on, 0 while it is good."""


@dataclass
class TokenBook:
    """Every token ever given, and the one each app holds now."""

    world: World = field(repr=False)
    _given: dict[str, _Token] = field(default_factory=dict)
    _held: dict[int, _Token] = field(default_factory=dict)

    def issue(self, corp_id: str, secret: str) -> str:
        """Return the app's token: the same while it is good, a new one after that."""
        if not corp_id:
            raise ApiError(41002)
        if not secret:
            raise ApiError(41004)
        if corp_id != self.world.corp_id:
            raise ApiError(40013)
        apps = (*self.world.apps.values(), *self.world.archive_app())
        app = next((app for app in apps if app.secret == secret), None)
        if app is None:
            raise ApiError(40001)
        if not app.enabled:
            raise ApiError(50003)
        held = self._held.get(app.agent_id)
        if held is None or held.withdrawn or held.expires_at <= self.world.now():
            held = _Token(self._new_value(), app.agent_id, self.world.now() + LIFE)
            self._given[held.value] = held
            self._held[app.agent_id] = held
        return held.value

    def check(self, value: str) -> App:
        """Return the app a token belongs to; refuse a missing, unknown or expired one."""
        if not value:
            raise ApiError(41001)
        token = self._given.get(value)
        if token is None:
            raise ApiError(UNKNOWN)
        if token.withdrawn:
            raise ApiError(token.withdrawn)
        if token.expires_at <= self.world.now():
            raise ApiError(EXPIRED)
        app = self.world.apps.get(token.agent_id) or next(iter(self.world.archive_app()), None)
        if app is None:
            raise ApiError(UNKNOWN)
        if not app.enabled:
            raise ApiError(50003)
        return app

    def withdraw(self, value: str, errcode: int = EXPIRED) -> None:
        """Let a good token be refused from now on, as WeCom may at any time."""
        token = self._given.get(value)
        if token is not None and not token.withdrawn:
            token.withdrawn = errcode

    def withdraw_all(self, errcode: int = UNKNOWN) -> None:
        """Let every token given so far be refused."""
        for value in self._given:
            self.withdraw(value, errcode)

    def _new_value(self) -> str:
        return self.world.new_id("") + self.world.new_id("")


async def _gettoken(world: World, call: Call) -> Answer:
    ip, now = call.http.remote or "", world.now()
    if not world.limits.is_open(f"secret:{ip}", now):
        raise ApiError(TOO_OFTEN)
    try:
        token = world.tokens.issue(call.query.get("corpid", ""), call.query.get("corpsecret", ""))
    except ApiError:
        # Too many wrong secrets close the caller's address for an hour.
        world.limits.allow(f"secret:{ip}", now, (HOUR, world.limits.bad_secrets_per_hour))
        raise
    return {"access_token": token, "expires_in": int(LIFE.total_seconds())}


async def _domain_ip(world: World, call: Call) -> Answer:
    return {"ip_list": ["127.0.0.1"]}


APIS: tuple[Api, ...] = (
    Api("GET", "gettoken", _gettoken, token=False),
    Api("GET", "get_api_domain_ip", _domain_ip),
    Api("GET", "getcallbackip", _domain_ip),
)
