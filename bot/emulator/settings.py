"""The world's numbers over HTTP: limits, assumptions, and how callbacks are posted."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

_CALLBACKS = (
    "answer_limit_s",
    "verify_limit_s",
    "pause_s",
    "parallel",
    "duplicate_all",
    "shuffle",
)


def _places(world: World) -> dict[str, tuple[object, str]]:
    """Return every setting by its name: where it is kept, and under which attribute."""
    found: dict[str, tuple[object, str]] = {
        "corp.verified": (world, "verified"),
        "broadcasts.dispatch_s": (world.broadcasts, "dispatch_s"),
    }
    for group, holder in (("limits", world.limits), ("assumed", world.assumed)):
        for item in fields(holder):
            if not item.name.startswith("_"):
                found[f"{group}.{item.name}"] = (holder, item.name)
    for name in _CALLBACKS:
        found[f"callbacks.{name}"] = (world.callbacks, name)
    return found


async def _get(world: World, call: Call) -> Answer:
    return {"settings": {name: getattr(*place) for name, place in _places(world).items()}}


async def _set(world: World, call: Call) -> Answer:
    """Set some by name, all or none: ``{"settings": {"limits.member_per_minute": 3}}``."""
    given, places = call.obj("settings"), _places(world)
    for name, value in given.items():
        if name not in places:
            raise ApiError(40058, f"no setting {name}")
        old = getattr(*places[name])
        if type(value) is not type(old) and not (isinstance(old, float) and type(value) is int):
            raise ApiError(40058, f"{name} must be {type(old).__name__}")
        if isinstance(value, (int, float)) and value < (name == "callbacks.parallel"):
            raise ApiError(40058, f"{name} is too small")
    for name, value in given.items():
        holder, attribute = places[name]
        old = getattr(holder, attribute)
        setattr(holder, attribute, type(old)(value))
    return await _get(world, call)


async def _faults(world: World, call: Call) -> Answer:
    return {"faults": world.faults.listed()}


async def _tokens(world: World, call: Call) -> Answer:
    """Withdraw every token given so far: 42001 as if expired, or another code."""
    world.tokens.withdraw_all(call.integer("errcode", 42001))
    return {}


async def _app(world: World, call: Call) -> Answer:
    """Stop or start an app, or set its trusted addresses and domains, as the console does."""
    agent_id = call.integer("agent_id")
    if agent_id not in world.apps:
        raise ApiError(40056)
    world.set_app(
        agent_id,
        enabled=call.flag("enabled", world.apps[agent_id].enabled),
        allowed_ips=call.strings("allowed_ips") if "allowed_ips" in call.body else None,
        trusted_domains=call.strings("trusted_domains") if "trusted_domains" in call.body else None,
    )
    return {}


async def _lost(world: World, call: Call) -> Answer:
    """List what was kept from the bot, and what it answered that could not be taken."""
    return {"lost": list(world.callbacks.lost), "bad_replies": list(world.callbacks.bad_replies)}


CONTROLS: tuple[Api, ...] = (
    Api("GET", "settings", _get, token=False),
    Api("POST", "settings", _set, token=False),
    Api("GET", "faults", _faults, token=False),
    Api("POST", "tokens/withdraw", _tokens, token=False),
    Api("POST", "app/console", _app, token=False),
    Api("GET", "callbacks/lost", _lost, token=False),
)
