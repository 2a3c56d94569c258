"""AI bots (智能机器人): who they are, the talks members have with them, what each message shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from bot.emulator.aibot_uploads import Uploads
from bot.emulator.limits import HOUR, MINUTE
from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

Mode = Literal["websocket", "webhook"]
CallbackKind = Literal["message", "enter_chat", "card", "feedback"]
INVALID_REQ_ID, STREAM_EXPIRED, BAD_CHAT = 846605, 846608, 93006
REPLY_LIFE = timedelta(hours=24)
STREAM_LIFE = {"websocket": timedelta(minutes=10), "webhook": timedelta(minutes=6)}
RESPONSE_URL_LIFE = timedelta(hours=1)
PER_MINUTE, PER_HOUR = 30, 1000


@dataclass
class AiBot:
    """One bot: its two ways to be reached exclude each other; ``None`` is visible to everybody."""

    bot_id: str
    secret: str
    name: str = "小安"
    mode: Mode = "websocket"
    url: str = ""
    token: str = ""
    aes_key: str = ""
    visible_to: frozenset[str] | None = None


@dataclass
class BotCallback:
    """A message or an event as it was given to a bot, and what may still be said to it."""

    req_id: str
    bot_id: str
    kind: CallbackKind
    userid: str
    chatid: str
    at: datetime
    body: dict[str, object]
    response_code: str = ""
    answered: bool = False
    """A welcome, a card update or a card was sent: each is for once."""
    card: Shown | None = None

    @property
    def chat(self) -> str:
        """Return the conversation: the group, or the member one to one."""
        return self.chatid or self.userid


@dataclass
class Shown:
    """One message of a bot's as people see it; a stream grows until it is finished or closed."""

    msgid: str
    bot_id: str
    chat: str
    kind: str
    source: str
    at: datetime
    text: str
    content: dict[str, object] = field(default_factory=dict)
    stream_id: str = ""
    req_id: str = ""
    finished: bool = True
    expired: bool = False
    frames: list[str] = field(default_factory=list)
    feedback_id: str = ""
    task_id: str = ""
    buttons: Mapping[str, str] = field(default_factory=dict)
    updated: int = 0

    def as_json(self) -> dict[str, object]:
        """Return this message as JSON fields."""
        return {
            "msgid": self.msgid,
            "bot_id": self.bot_id,
            "chat": self.chat,
            "kind": self.kind,
            "source": self.source,
            "at": self.at.isoformat(),
            "text": self.text,
            "stream_id": self.stream_id,
            "finished": self.finished,
            "expired": self.expired,
            "frames": list(self.frames),
            "task_id": self.task_id,
            "buttons": dict(self.buttons),
            "updated": self.updated,
        }


@dataclass
class AiBotBook:
    """Every bot of the enterprise, and what was said to and by each."""

    world: World = field(repr=False)
    bots: dict[str, AiBot] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)
    """Internal groups that bots are in, with their members."""
    shown: list[Shown] = field(default_factory=list)
    callbacks: dict[str, BotCallback] = field(default_factory=dict)
    lost: int = 0
    """Callbacks for which nobody was connected; WeCom promises no queue."""
    refreshes_count: bool = False
    """Whether each further frame of a stream counts in the 30 a minute; WeCom does not say."""
    subscribes_per_minute: int = 10
    uploads: Uploads = field(init=False)
    carry: dict[Mode, Callable[[AiBot, BotCallback], None]] = field(default_factory=dict)
    """How a callback reaches its bot, by the bot's mode; whoever serves that mode signs in here."""
    _codes: dict[str, tuple[BotCallback, bool]] = field(default_factory=dict)
    _talks: set[tuple[str, str]] = field(default_factory=set)
    _entered: set[tuple[str, str, object]] = field(default_factory=set)
    _tasks: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.uploads = Uploads(self.world)

    def add(self, bot: AiBot) -> AiBot:
        """Put a bot into the enterprise."""
        self.bots[bot.bot_id] = bot
        return bot

    def need(self, bot_id: str) -> AiBot:
        """Return a bot or refuse."""
        bot = self.bots.get(bot_id)
        if bot is None:
            raise ApiError(40058, "no such bot")
        return bot

    def add_group(self, chatid: str, members: set[str]) -> None:
        """Let there be an internal group."""
        self.groups[chatid] = members

    # What happens to a bot.

    def tell(
        self,
        bot_id: str,
        kind: CallbackKind,
        userid: str,
        body: Mapping[str, object],
        *,
        chatid: str = "",
        card: Shown | None = None,
    ) -> BotCallback:
        """Hand a message or an event to a bot; a member who does not see the bot is refused."""
        bot = self.need(bot_id)
        known = userid in self.world.members
        if not known or (bot.visible_to is not None and userid not in bot.visible_to):
            raise ApiError(60011, userid)
        if chatid and userid not in self.groups.get(chatid, ()):
            raise ApiError(BAD_CHAT, chatid)
        code = self.world.new_id("RC")
        full: dict[str, object] = {
            "msgid": self.world.new_id("CAIQ"),
            "aibotid": bot_id,
            "chattype": "group" if chatid else "single",
            "from": {"userid": userid},
            "create_time": self.world.timestamp(),
            "response_url": f"{self.world.base_url}/cgi-bin/aibot/response?response_code={code}",
            **({"chatid": chatid} if chatid else {}),
            **body,
        }
        req_id = self.world.new_id("req")
        now = self.world.now()
        told = BotCallback(req_id, bot_id, kind, userid, chatid, now, full, code, card=card)
        self.callbacks[req_id] = told
        self._codes[code] = (told, False)
        self._talks.add((bot_id, told.chat))
        self._carry(bot, told)
        return told

    def again(self, req_id: str) -> None:
        """Give a bot the same callback once more, as a nervous network does."""
        told = self.callbacks.get(req_id)
        if told is None:
            raise ApiError(846605, req_id)
        self._carry(self.need(told.bot_id), told)

    def _carry(self, bot: AiBot, told: BotCallback) -> None:
        carry = self.carry.get(bot.mode)
        if carry is None:
            self.lost += 1
        else:
            carry(bot, told)

    def first_of_the_day(self, bot_id: str, userid: str) -> bool:
        """Tell whether a member enters the single chat for the first time today."""
        key = (bot_id, userid, self.world.now().date())
        if key in self._entered:
            return False
        self._entered.add(key)
        return True

    # What bots say.

    def answering(self, bot_id: str, req_id: str, *kinds: CallbackKind) -> BotCallback:
        """Return the callback that a reply is for; refuse a wrong or an old req_id."""
        told = self.callbacks.get(req_id)
        if told is None or told.bot_id != bot_id or told.kind not in kinds:
            raise ApiError(INVALID_REQ_ID)
        if told.at + REPLY_LIFE <= self.world.now():
            raise ApiError(STREAM_EXPIRED, "more than 24 hours ago")
        return told

    def spend_code(self, code: str) -> BotCallback:
        """Use up a response_url: one call, within an hour."""
        told, used = self._codes.get(code, (None, True))
        if told is None or used or told.at + RESPONSE_URL_LIFE <= self.world.now():
            raise ApiError(60140)
        self._codes[code] = (told, True)
        return told

    def talked(self, bot_id: str, chat: str) -> bool:
        """Tell whether a member or a group has talked to this bot before."""
        return (bot_id, chat) in self._talks

    def count(self, bot_id: str, chat: str) -> None:
        """Count a reply or a push; refuse more than 30 a minute or 1,000 an hour."""
        key, now = f"aibot:{bot_id}:{chat}", self.world.now()
        self.world.limits.spend(key, now, (MINUTE, PER_MINUTE), (HOUR, PER_HOUR))

    def claim_task(self, bot_id: str, task_id: str) -> None:
        """Refuse a task_id that this bot has used before."""
        if task_id and (bot_id, task_id) in self._tasks:
            raise ApiError(40058, "task_id was used before")
        self._tasks.add((bot_id, task_id))

    def show(self, item: Shown) -> Shown:
        """Put a message before people's eyes; it counts as delivered once it is finished."""
        self.shown.append(item)
        if item.finished:
            self.deliver(item)
        return item

    def deliver(self, item: Shown) -> None:
        """Note down that a whole message reached a conversation."""
        self.world.deliveries.add(
            "aibot",
            to=item.chat,
            sender=f"aibot:{item.bot_id}",
            text=item.text,
            at=self.world.now(),
            source=item.source,
            meta={"msgid": item.msgid, "kind": item.kind, "frames": len(item.frames)},
        )

    def stream(self, bot_id: str, stream_id: str) -> Shown | None:
        """Return a stream by its id."""
        return next(
            (one for one in self.shown if one.bot_id == bot_id and one.stream_id == stream_id), None
        )

    def seen_by(self, chat: str) -> list[Shown]:
        """Return what a conversation shows, oldest first."""
        return [item for item in self.shown if item.chat == chat]

    def item(self, msgid: str) -> Shown:
        """Return a message by its id or refuse."""
        for item in self.shown:
            if item.msgid == msgid:
                return item
        raise ApiError(40058, "no such message")

    def expire_streams(self) -> int:
        """Close every stream that is not finished, as WeCom does when its time is over."""
        open_ones = [one for one in self.shown if one.stream_id and not one.finished]
        for one in open_ones:
            one.expired = True
        return len(open_ones)
