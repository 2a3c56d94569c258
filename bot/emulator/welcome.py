"""The one automatic message to a new friend: a code, good once and for 20 seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.emulator import archive
from bot.emulator.attachments import read_body
from bot.emulator.wire import Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

CODE_LIFE = timedelta(seconds=20)
MAX_TEXT_BYTES = 4000
CODE_MISSING = 41049
CODE_INVALID = 41050
CHAT_STARTED = 41051
NOT_AGREED = 41053


@dataclass
class WelcomeCode:
    """A right to welcome this customer in this member's name."""

    code: str
    userid: str
    external_userid: str
    issued_at: datetime
    used: bool = False


@dataclass
class WelcomeBook:
    """The codes given out, and the members whom the admin console already welcomes for."""

    codes: dict[str, WelcomeCode] = field(default_factory=dict)
    by_console: set[str] = field(default_factory=set)

    def issue(self, world: World, userid: str, external_userid: str) -> str:
        """Return a new code, or "" where the console has a welcome of its own."""
        if userid in self.by_console:
            return ""
        code = world.new_id("WELCOME")
        self.codes[code] = WelcomeCode(code, userid, external_userid, world.now())
        return code

    def redeem(self, world: World, code: str) -> WelcomeCode:
        """Use a code up or refuse: 41050 unknown or too late, 41051 used or already chatting."""
        welcome = self.codes.get(code)
        if welcome is None or world.now() - welcome.issued_at > CODE_LIFE:
            raise ApiError(CODE_INVALID)
        friendship = world.contacts.find(welcome.userid, welcome.external_userid)
        if welcome.used or (friendship is not None and friendship.chat_started):
            raise ApiError(CHAT_STARTED)
        welcome.used = True
        return welcome


async def _send(world: World, call: Call) -> dict[str, object]:
    code = call.text("welcome_code", code=CODE_MISSING)
    body = read_body(world, call, max_bytes=MAX_TEXT_BYTES)
    known = world.contacts.welcomes.codes.get(code)
    if known is not None and archive.disagrees(world, known.userid, known.external_userid):
        raise ApiError(NOT_AGREED)
    welcome = world.contacts.welcomes.redeem(world, code)
    userid, external_userid = welcome.userid, welcome.external_userid
    for number, part in enumerate(body.parts()):
        world.deliveries.add(
            "welcome",
            to=external_userid,
            sender=userid,
            text=part.shown(),
            at=world.now(),
            source="send_welcome_msg",
            meta={"part": number, "msgtype": part.msgtype, part.msgtype: part.payload},
        )
        kept = part.archived()
        archive.append(world, userid, [external_userid], "", kept.msgtype, kept.payload)
    return {}


APIS: tuple[Api, ...] = (Api("POST", "externalcontact/send_welcome_msg", _send),)
