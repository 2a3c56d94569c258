"""The tickets of the JS-SDK (§9.1), and a check of what was signed with them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.emulator.limits import HOUR
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

LIFE = timedelta(seconds=7200)
CORP = 0
BAD_SIGNATURE, WRONG_TICKET = 40093, 42012


@dataclass
class TicketBook:
    """The ticket of the corp (key 0) and of each app, until it expires."""

    held: dict[int, tuple[str, datetime]] = field(default_factory=dict)

    def give(self, world: World, key: int) -> dict[str, object]:
        """Return the ticket: the same one while it is good."""
        known = self.held.get(key)
        if known is None or known[1] <= world.now():
            ticket = world.new_id("") + world.new_id("")
            known = self.held[key] = (ticket, world.now() + LIFE)
        left = int((known[1] - world.now()).total_seconds())
        return {"ticket": known[0], "expires_in": left}


def sign(ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """Return the signature of a page; what stands behind # in its address does not count."""
    page = url.partition("#")[0]
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={page}"
    # The protocol fixes SHA-1; the ticket is the secret in it.
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


async def _corp(world: World, call: Call) -> Answer:
    _count(world, call)
    return world.jsapi.give(world, CORP)


async def _app(world: World, call: Call) -> Answer:
    if call.param("type") != "agent_config":
        raise ApiError(40058, "type is agent_config")
    _count(world, call)
    return world.jsapi.give(world, call.agent_id)


def _count(world: World, call: Call) -> None:
    limits, now = world.limits, world.now()
    limits.spend("tickets", now, (HOUR, limits.corp_tickets_per_hour))
    limits.spend(f"tickets:{call.agent_id}", now, (HOUR, limits.app_tickets_per_hour))


def check(world: World, call: Call, key: int) -> None:
    """Refuse a page that is not signed by the ticket ``key``: the corp's, or an app's."""
    given = call.text("signature", code=BAD_SIGNATURE)
    parts = call.text("nonceStr"), call.text("timestamp"), call.text("url")
    for owner, (ticket, ends_at) in world.jsapi.held.items():
        if ends_at > world.now() and hmac.compare_digest(sign(ticket, *parts), given):
            if owner != key:
                raise ApiError(WRONG_TICKET)
            return
    raise ApiError(BAD_SIGNATURE)


async def _check(world: World, call: Call) -> Answer:
    """Check a page's signature as the client does; ``agent_id`` for agentConfig, else config."""
    check(world, call, call.integer("agent_id", CORP))
    return {}


APIS: tuple[Api, ...] = (
    Api("GET", "get_jsapi_ticket", _corp),
    Api("GET", "ticket/get", _app),
)
CONTROLS: tuple[Api, ...] = (Api("POST", "jsapi/check", _check, token=False),)
