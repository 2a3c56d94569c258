"""A self-built app's messages as members hold them in their hands: inboxes, cards, presses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

RESPONSE_CODE_LIFE = timedelta(hours=72)
RECALL_LIFE = timedelta(hours=24)
UNKNOWN_MSGID = 40058
EVERYBODY = "@all"


@dataclass
class InboxItem:
    """One app message in one member's client; a card may be updated later."""

    msgid: str
    agent_id: int
    userid: str
    msgtype: str
    content: dict[str, object]
    text: str
    at: datetime
    task_id: str = ""
    card_type: str = ""
    buttons: Mapping[str, str] = field(default_factory=dict)
    """Keys that can be pressed, with their words; empty once the card is greyed."""
    menu: Mapping[str, str] = field(default_factory=dict)
    replaced: str = ""
    """The words on the greyed button, such as 已接手."""
    recalled: bool = False
    pressed: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Return this item as JSON fields, the moment in ISO form."""
        return {
            "msgid": self.msgid,
            "agent_id": self.agent_id,
            "userid": self.userid,
            "msgtype": self.msgtype,
            "content": self.content,
            "text": self.text,
            "at": self.at.isoformat(),
            "task_id": self.task_id,
            "card_type": self.card_type,
            "buttons": dict(self.buttons),
            "menu": dict(self.menu),
            "replaced": self.replaced,
            "recalled": self.recalled,
            "pressed": list(self.pressed),
        }


@dataclass
class ResponseCode:
    """The right to update one card, once, within 72 hours."""

    agent_id: int
    msgid: str
    expires_at: datetime
    used: bool = False


@dataclass(frozen=True)
class Receivers:
    """Whom a message goes to, and what of the address was not good."""

    userids: tuple[str, ...]
    invalid_users: tuple[str, ...] = ()
    invalid_parties: tuple[str, ...] = ()
    invalid_tags: tuple[str, ...] = ()


def _chosen(selected: Mapping[str, Sequence[str]]) -> list[dict[str, object]]:
    return [
        {"QuestionKey": question, "OptionIds": {"OptionId": list(options)}}
        for question, options in selected.items()
    ]


@dataclass
class AppBook:
    """All app messages; the methods here are what members do in the WeCom client."""

    world: World = field(repr=False)
    parties: dict[str, set[str]] = field(default_factory=dict)
    tags: dict[str, set[str]] = field(default_factory=dict)
    dropped: int = 0
    """Messages a member did not get as he had got too many (30 a minute, 1000 an hour)."""
    _inboxes: dict[str, list[InboxItem]] = field(default_factory=dict)
    _by_msgid: dict[str, list[InboxItem]] = field(default_factory=dict)
    _codes: dict[str, ResponseCode] = field(default_factory=dict)
    _task_ids: set[tuple[int, str]] = field(default_factory=set)
    _repeats: dict[tuple[int, str], tuple[datetime, dict[str, object]]] = field(
        default_factory=dict
    )

    # What members see and do.

    def inbox(self, userid: str) -> list[InboxItem]:
        """Return a member's app messages, oldest first, without those recalled."""
        return [item for item in self._inboxes.get(userid, []) if not item.recalled]

    def press(
        self,
        userid: str,
        msgid: str,
        key: str,
        selected: Mapping[str, Sequence[str]] | None = None,
    ) -> str:
        """Press a button (or a menu action) of a card; return the new response code.

        ``selected`` holds the chosen option ids by question key. A greyed or unknown button is
        refused (42017).
        """
        item = self.item(userid, msgid)
        if key in item.buttons:
            event = "template_card_event"
        elif key in item.menu:
            event = "template_card_menu_event"
        else:
            raise ApiError(42017, "the card has no such button now")
        item.pressed.append(key)
        code = self.new_code(item.agent_id, msgid)
        fields: dict[str, object] = {
            "FromUserName": userid,
            "MsgType": "event",
            "Event": event,
            "EventKey": key,
            "TaskId": item.task_id,
            "CardType": item.card_type,
            "ResponseCode": code,
            "AgentID": item.agent_id,
        }
        if selected:
            fields["SelectedItems"] = {"SelectedItem": _chosen(selected)}
        self.world.ring(self.world.apps[item.agent_id].callback, fields)
        return code

    def member_says(self, userid: str, agent_id: int, text: str) -> str:
        """Write to the app from the client; return the message's MsgId."""
        msgid = str(self.world.rng.randrange(10**18, 9 * 10**18))
        fields = {
            "FromUserName": userid,
            "MsgType": "text",
            "Content": text,
            "MsgId": msgid,
            "AgentID": agent_id,
        }
        self.world.ring(self.world.apps[agent_id].callback, fields)
        return msgid

    def enter_app(self, userid: str, agent_id: int) -> None:
        """Open the app in the client."""
        fields = {
            "FromUserName": userid,
            "MsgType": "event",
            "Event": "enter_agent",
            "EventKey": "",
            "AgentID": agent_id,
        }
        self.world.ring(self.world.apps[agent_id].callback, fields)

    def item(self, userid: str, msgid: str) -> InboxItem:
        """Return a member's copy of a message; refuse one he does not have."""
        for item in self._by_msgid.get(msgid, []):
            if item.userid == userid and not item.recalled:
                return item
        raise ApiError(UNKNOWN_MSGID, "the member has no such message")

    # What the platform does.

    def resolve(self, agent_id: int, users: str, parties: str, tags: str) -> Receivers:
        """Return the members an address means; those out of the app's range are invalid."""
        app = self.world.apps[agent_id]
        if users == EVERYBODY:
            return Receivers(tuple(uid for uid in self.world.members if app.sees(uid)))
        good: dict[str, None] = {}
        bad: list[str] = []
        for userid in _split(users):
            if userid in self.world.members and app.sees(userid):
                good[userid] = None
            else:
                bad.append(userid.lower())
        bad_parties = self._spread(_split(parties), self.parties, good, agent_id)
        bad_tags = self._spread(_split(tags), self.tags, good, agent_id)
        return Receivers(tuple(good), tuple(bad), bad_parties, bad_tags)

    def deliver(self, item: InboxItem, *, source: str = "message_send") -> None:
        """Put a message into a member's inbox, or drop it in silence if he got too many."""
        if not self.world.limits.allow_member(item.agent_id, item.userid, self.world.now()):
            self.dropped += 1
            return
        self._inboxes.setdefault(item.userid, []).append(item)
        self._by_msgid.setdefault(item.msgid, []).append(item)
        self.world.deliveries.add(
            "member",
            to=item.userid,
            sender=f"app:{item.agent_id}",
            text=item.text,
            at=item.at,
            source=source,
            meta={"msgid": item.msgid, "msgtype": item.msgtype, "task_id": item.task_id},
        )

    def new_code(self, agent_id: int, msgid: str) -> str:
        """Return a new response code for a card."""
        code = self.world.new_id("") + self.world.new_id("")
        self._codes[code] = ResponseCode(agent_id, msgid, self.world.now() + RESPONSE_CODE_LIFE)
        return code

    def use_code(self, agent_id: int, value: str) -> str:
        """Use up a response code and return its message's id; refuse a bad, old or used one."""
        code = self._codes.get(value)
        spent = code is None or code.used or code.expires_at <= self.world.now()
        if code is None or spent or code.agent_id != agent_id:
            raise ApiError(60140)
        code.used = True
        return code.msgid

    def claim_task_id(self, agent_id: int, task_id: str) -> None:
        """Refuse a task_id that this app has used before."""
        if (agent_id, task_id) in self._task_ids:
            raise ApiError(40058, "task_id was used before")
        self._task_ids.add((agent_id, task_id))

    def repeated(self, agent_id: int, request: str, within: timedelta) -> dict[str, object] | None:
        """Return the first answer to the same request if it came within this span."""
        known = self._repeats.get((agent_id, request))
        if known is None or known[0] + within <= self.world.now():
            return None
        return known[1]

    def remember(self, agent_id: int, request: str, answer: dict[str, object]) -> None:
        """Keep an answer for the duplicate check."""
        self._repeats[agent_id, request] = (self.world.now(), answer)

    def copies(self, msgid: str, userids: Iterable[str] | None = None) -> list[InboxItem]:
        """Return the members' copies of a message, all of them or those of some members."""
        wanted = None if userids is None else set(userids)
        return [
            item
            for item in self._by_msgid.get(msgid, [])
            if wanted is None or item.userid in wanted
        ]

    def recall(self, agent_id: int, msgid: str) -> None:
        """Take a message back from every client; at most 24 hours after it was sent."""
        copies = [item for item in self.copies(msgid) if item.agent_id == agent_id]
        if not copies:
            raise ApiError(self.world.assumed.unknown_app_msgid, "no such msgid")
        if copies[0].at + RECALL_LIFE < self.world.now():
            raise ApiError(42052)
        for item in copies:
            item.recalled = True

    def _spread(
        self,
        names: Iterable[str],
        groups: Mapping[str, set[str]],
        good: dict[str, None],
        agent_id: int,
    ) -> tuple[str, ...]:
        app = self.world.apps[agent_id]
        bad = []
        for name in names:
            if name not in groups:
                bad.append(name)
            for userid in sorted(groups.get(name, ())):
                if app.sees(userid):
                    good[userid] = None
        return tuple(bad)


def _split(names: str) -> list[str]:
    return [name for name in names.split("|") if name]
