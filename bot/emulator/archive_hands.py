"""The archive's controls: keys, consent, seats, files, and messages of any kind put into it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from bot.emulator import archive
from bot.emulator.archive_sealed import load_key
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World


async def _keys(world: World, call: Call) -> Answer:
    """Configure a public key; from now on messages are sealed under the newest version."""
    version, pem = call.integer("version", low=1), call.text("pem")
    load_key(pem)
    world.archive.public_keys[version] = pem
    return {}


async def _settings(world: World, call: Call) -> Answer:
    """Set the secret, the seats, the trusted addresses, what no answer means, the expiry."""
    book = world.archive
    book.secret = call.text("secret", required=False) if "secret" in call.body else book.secret
    if "seats" in call.body:
        book.seats = frozenset(call.strings("seats"))
    if "allowed_ips" in call.body:
        book.allowed_ips = frozenset(call.strings("allowed_ips")) or None
    book.consent.by_default = call.flag("agree_by_default", book.consent.by_default)
    book.expired = call.flag("expired", book.expired)
    return {}


async def _append(world: World, call: Call) -> Answer:
    """Archive a message of any msgtype, its object as the library gives it."""
    msgtype = call.text("msgtype")
    entry = archive.append(
        world,
        call.text("from"),
        call.strings("tolist", required=True),
        call.text("roomid", required=False),
        msgtype,
        call.obj(msgtype),
    )
    return {"seq": entry.seq, "msgid": entry.msgid} if entry is not None else {"seq": 0}


async def _revoke(world: World, call: Call) -> Answer:
    """Let the sender take a message back: a message of its own, action recall."""
    entry = archive.revoke(world, call.text("msgid"))
    return {"seq": entry.seq, "msgid": entry.msgid}


async def _switch(world: World, call: Call) -> Answer:
    """Let a member change the corp he acts for: action switch."""
    entry = archive.switch(world, call.text("userid"))
    return {"seq": entry.seq, "msgid": entry.msgid}


async def _file(world: World, call: Call) -> Answer:
    """Store a file; the sdkfileid goes into a message's object."""
    try:
        data = base64.b64decode(call.text("base64"), validate=True)
    except ValueError:
        raise ApiError(40058, "base64 cannot be read") from None
    return {"sdkfileid": archive.put_file(world, data)}


async def _robot(world: World, call: Call) -> Answer:
    robot_id = call.text("robot_id")
    if not robot_id.startswith("wb"):
        raise ApiError(40058, "a robot_id begins with wb")
    world.archive.robots[robot_id] = (call.text("name"), call.text("creator"))
    return {}


CONTROLS: tuple[Api, ...] = (
    Api("POST", "archive/keys", _keys, token=False),
    Api("POST", "archive/settings", _settings, token=False),
    Api("POST", "archive/append", _append, token=False),
    Api("POST", "archive/revoke", _revoke, token=False),
    Api("POST", "archive/switch", _switch, token=False),
    Api("POST", "archive/file", _file, token=False),
    Api("POST", "archive/robot", _robot, token=False),
)
