"""微信客服 as its customers and its human servicers use it: the book, and the players' hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bot.emulator.kf_knowledge import KnowledgeBook
from bot.emulator.kf_ring import write
from bot.emulator.kf_state import (
    CODE_LIFE,
    REPLY_WINDOW,
    TRANSITIONS,
    Code,
    CodeKind,
    Conversation,
    KfAccount,
    Line,
    Servicer,
    State,
)
from bot.emulator.kf_text import clicked, plain_text
from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

_CUSTOMER, _EVENT, _SERVICER = 3, 4, 5


@dataclass
class KfBook:
    """All kf accounts; the methods here are what people do in WeChat and in the WeCom client."""

    world: World = field(repr=False)
    accounts: dict[str, KfAccount] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    transitions: frozenset[tuple[State, State]] = TRANSITIONS
    upgrade_members: set[str] = field(default_factory=set)
    upgrade_groups: set[str] = field(default_factory=set)
    upgrade_departments: set[int] = field(default_factory=set)
    knowledge: KnowledgeBook = field(default_factory=KnowledgeBook)

    def add_account(self, name: str, open_kfid: str = "", *, avatar: str = "") -> KfAccount:
        """Open an account, with an id of its own unless one is given."""
        account = KfAccount(open_kfid or self.world.new_id("wk"), name, avatar)
        self.accounts[account.open_kfid] = account
        return account

    def add_servicer(self, open_kfid: str, userid: str) -> None:
        """Let a member receive this account's customers."""
        self.account(open_kfid).servicers[userid] = Servicer(userid)

    def account(self, open_kfid: str) -> KfAccount:
        """Return an account; refuse a bad, unknown or not granted id."""
        if not open_kfid:
            raise ApiError(60251)
        if not open_kfid.startswith("wk"):
            raise ApiError(95000)
        account = self.accounts.get(open_kfid)
        if account is None:
            raise ApiError(95004)
        if not account.managed:
            raise ApiError(48007)
        return account

    def conversation(self, open_kfid: str, external_userid: str) -> Conversation:
        """Return the conversation of a known customer; refuse an unknown one."""
        if external_userid not in self.world.customers:
            raise ApiError(40096)
        return self.account(open_kfid).conversation(external_userid)

    # What customers do.

    def enter(
        self,
        open_kfid: str,
        external_userid: str,
        *,
        scene: str = "",
        scene_param: str = "",
        channels: Mapping[str, object] | None = None,
    ) -> str:
        """Open the chat from a link; return the welcome code, "" when none is due."""
        conversation = self.conversation(open_kfid, external_userid)
        now = self.world.now()
        conversation.entered_at = now
        conversation.scene, conversation.scene_param = scene, scene_param
        welcomed = conversation.welcomed_at
        recently = welcomed is not None and now <= welcomed + REPLY_WINDOW
        conversation.channels = dict(channels or {})
        fields: dict[str, object] = {"scene": scene, "scene_param": scene_param}
        fields |= {"wechat_channels": conversation.channels} if channels else {}
        code = ""
        if not recently and not conversation.window_open(now):
            code = self.new_code("welcome", open_kfid, external_userid)
            self.codes.pop(conversation.welcome_code, None)
            conversation.welcome_code = code
            fields["welcome_code"] = code
        self.emit(open_kfid, "enter_session", external_userid, **fields)
        return code

    def customer_says(
        self, open_kfid: str, external_userid: str, text: str, *, menu_id: str = ""
    ) -> str:
        """Let the customer write a text (or press a menu item); return its msgid."""
        payload: dict[str, object] = {"content": text}
        if menu_id:
            payload["menu_id"] = menu_id
        return self.customer_sends(open_kfid, external_userid, "text", payload)

    def customer_sends(
        self, open_kfid: str, external_userid: str, msgtype: str, payload: Mapping[str, object]
    ) -> str:
        """Let the customer send a message of any type; return its msgid."""
        conversation = self.conversation(open_kfid, external_userid)
        account = self.account(open_kfid)
        if conversation.rejected_by:
            conversation.rejected_at.append(self.world.now())
            raise ApiError(40143, "the servicer refuses this customer's messages")
        conversation.customer_wrote(self.world.now(), account.first_state)
        if conversation.stored_state is State.HUMAN and not conversation.servicer:
            on_duty = {member.userid for member in self.world.members.values() if member.on_duty}
            userid = account.next_receiving(on_duty)
            conversation.assign(userid, self.world.now())
        return self._say(account, conversation, "customer", external_userid, msgtype, dict(payload))

    def customer_clicks(self, open_kfid: str, external_userid: str, item_id: str) -> str:
        """Press a click item of the newest menu that has it; return the msgid of the text."""
        words = clicked(self.conversation(open_kfid, external_userid).lines, item_id)
        return self.customer_says(open_kfid, external_userid, words, menu_id=item_id)

    def customer_recalls(self, open_kfid: str, external_userid: str, msgid: str) -> None:
        """Let the customer take a message back."""
        self.account(open_kfid).line(external_userid, msgid).recalled = True
        self.emit(open_kfid, "user_recall_msg", external_userid, recall_msgid=msgid)

    # What human servicers do in the client; none of it is done by API.

    def servicer_takes(self, open_kfid: str, external_userid: str, userid: str) -> str:
        """Take a waiting customer from the pool; return the reply code of the event."""
        conversation = self.conversation(open_kfid, external_userid)
        if conversation.state(self.world.now()) is not State.POOL:
            raise ApiError(95016, "the customer is not in the pool")
        self.check_servicer(open_kfid, userid)
        conversation.assign(userid, self.world.now())
        code = self.new_code("assigned", open_kfid, external_userid)
        self._session_changed(
            open_kfid, external_userid, 1, new_servicer_userid=userid, msg_code=code
        )
        return code

    def servicer_transfers(self, open_kfid: str, external_userid: str, userid: str) -> None:
        """Hand a customer over to another servicer."""
        conversation = self.conversation(open_kfid, external_userid)
        if conversation.state(self.world.now()) is not State.HUMAN:
            raise ApiError(95016, "no servicer has this customer")
        self.check_servicer(open_kfid, userid)
        old = conversation.servicer
        conversation.assign(userid, self.world.now())
        self._session_changed(
            open_kfid, external_userid, 2, old_servicer_userid=old, new_servicer_userid=userid
        )

    def servicer_says(self, open_kfid: str, external_userid: str, userid: str, text: str) -> str:
        """Write as a human; an ended session is opened again. Return the msgid."""
        return self.servicer_sends(open_kfid, external_userid, userid, "text", {"content": text})

    def servicer_sends(
        self,
        open_kfid: str,
        external_userid: str,
        userid: str,
        msgtype: str,
        payload: Mapping[str, object],
    ) -> str:
        """Send a message of any type as a human; return its msgid."""
        conversation = self.conversation(open_kfid, external_userid)
        self.check_servicer(open_kfid, userid)
        state = conversation.state(self.world.now())
        if state is State.ENDED:
            old = conversation.servicer
            conversation.session_at = self.world.now()
            conversation.assign(userid, self.world.now())
            who = {"old_servicer_userid": old or userid, "new_servicer_userid": userid}
            self._session_changed(open_kfid, external_userid, 4, **who)
        elif state is not State.HUMAN or conversation.servicer != userid:
            raise ApiError(95018, "another has this customer")
        if self.world.assumed.intercept_words_in_kf:
            self.world.intercepts.check(self.world, userid, plain_text(msgtype, payload))
        account, body = self.account(open_kfid), dict(payload)
        msgid = self._say(account, conversation, "servicer", userid, msgtype, body)
        self.world.deliveries.add(
            "kf",
            to=external_userid,
            sender=userid,
            text=plain_text(msgtype, payload),
            at=self.world.now(),
            source="person",
            meta={"open_kfid": open_kfid, "msgid": msgid},
        )
        return msgid

    def servicer_ends(self, open_kfid: str, external_userid: str) -> str:
        """End a session by hand; return the code for a good-bye message (20 s)."""
        conversation = self.conversation(open_kfid, external_userid)
        if conversation.state(self.world.now()) is not State.HUMAN:
            raise ApiError(95016, "no servicer has this customer")
        old, conversation.stored_state = conversation.servicer, State.ENDED
        code = self.new_code("ended", open_kfid, external_userid)
        self._session_changed(open_kfid, external_userid, 3, old_servicer_userid=old, msg_code=code)
        return code

    def servicer_status(
        self, open_kfid: str, userid: str, *, receiving: bool, stop_type: int = 0
    ) -> None:
        """Let a servicer begin or stop receiving (stop_type 0 stopped, 1 suspended)."""
        servicer = self.account(open_kfid).servicers.get(userid)
        if servicer is None:
            raise ApiError(60253)
        servicer.status, servicer.stop_type = (0, 0) if receiving else (1, stop_type)
        fields = {"servicer_userid": userid, "status": 1 if receiving else 2}
        if not receiving:
            fields["stop_type"] = stop_type
        self.emit(open_kfid, "servicer_status_change", "", **fields)

    # What the platform does.

    def check_servicer(self, open_kfid: str, userid: str) -> None:
        """Refuse a member who may not receive a customer of this account now."""
        account, parties = self.account(open_kfid), self.world.app_messages.parties
        servicer = account.servicers.get(userid)
        if any(userid in parties.get(str(number), ()) for number in account.departments):
            servicer = servicer or Servicer(userid)
        member = self.world.members.get(userid)
        if servicer is None or member is None or not member.active:
            raise ApiError(95014)
        if servicer.status != 0:
            raise ApiError(95019)

    def new_code(self, kind: CodeKind, open_kfid: str, external_userid: str) -> str:
        """Return a new one-time code for send_msg_on_event."""
        code = self.world.new_id("")
        ends_at = self.world.now() + CODE_LIFE[kind]
        self.codes[code] = Code(kind, open_kfid, external_userid, ends_at)
        return code

    def emit(self, open_kfid: str, event_type: str, external_userid: str, **fields: object) -> None:
        """Write an event into the account's log and ring the doorbell."""
        event: dict[str, object] = {"event_type": event_type, "open_kfid": open_kfid}
        if external_userid:
            event["external_userid"] = external_userid
        event.update(fields)
        item: dict[str, object] = {
            "msgid": self.world.new_id(""),
            "send_time": self.world.timestamp(),
            "origin": _EVENT,
            "msgtype": "event",
            "event": event,
        }
        write(self.world, self.accounts[open_kfid], item)

    def _session_changed(
        self, open_kfid: str, external_userid: str, change_type: int, **fields: str
    ) -> None:
        event = "session_status_change"
        self.emit(open_kfid, event, external_userid, change_type=change_type, **fields)

    def _say(
        self,
        account: KfAccount,
        conversation: Conversation,
        side: Literal["customer", "servicer"],
        sender: str,
        msgtype: str,
        payload: dict[str, object],
    ) -> str:
        msgid = self.world.new_id("")
        text = plain_text(msgtype, payload)
        line = Line(msgid, side, sender, msgtype, payload, text, self.world.now())
        conversation.lines.append(line)
        item: dict[str, object] = {
            "msgid": msgid,
            "open_kfid": account.open_kfid,
            "external_userid": conversation.external_userid,
            "send_time": self.world.timestamp(),
            "origin": _CUSTOMER if side == "customer" else _SERVICER,
            "msgtype": msgtype,
            msgtype: payload,
        }
        if side == "servicer":
            item["servicer_userid"] = sender
        write(self.world, account, item)
        return msgid
