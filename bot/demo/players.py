"""The people of the town at work: they see what reaches them and act some minutes later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from bot.demo.people import Chance, Habit, asks_for_yes, reply_of
from bot.demo.town import Town
from bot.domain.bank import Bank
from bot.emulator import broadcast, friends, groups
from bot.emulator.app import InboxItem
from bot.emulator.attachments import Part
from bot.emulator.client_talk import post, talk_named
from bot.emulator.deliveries import Delivery
from bot.emulator.kf_state import State
from bot.emulator.page_staff import row_of

Act = Callable[[], None]
Later = Callable[[datetime, Act], None]
_TAKES, _PASSES_ON, _REFUSES = 0.86, 0.91, 0.94
_SENDS_DRAFT = 0.8
_AGREES = 0.8
_YES = "好"


class Players:
    """Everybody but the bot; each new thing is seen once and answered later."""

    def __init__(
        self,
        town: Town,
        bank: Bank,
        chance: Chance,
        habits: dict[str, Habit],
        later: Later,
        *,
        visitors: bool = True,
    ) -> None:
        # Whoever looks on is the visitor himself, and answers 小安 with his own hands.
        self._asked_alone = frozenset({"single", "kf"} if visitors else {"single"})
        self._town = town
        self._bank = bank
        self._chance = chance
        self._habits = habits
        self._later = later
        self.by_hand: set[str] = set()
        """Owners whom the viewer of the page plays; nobody presses for them."""
        self._seen_delivery = 0
        self._seen: set[tuple[str, str]] = set()
        self._served: set[str] = set()

    def look_round(self) -> None:
        """Let everybody see what is new."""
        world = self._town.world
        for delivery in world.deliveries.since(self._seen_delivery):
            self._seen_delivery = delivery.seq
            if delivery.kind == "group" and delivery.source != "person":
                self._read_in_group(delivery)
            elif delivery.kind in self._asked_alone and asks_for_yes(delivery.text):
                self._agree_alone(delivery)
        for userid in world.members:
            for item in world.app_messages.inbox(userid):
                if self._new(userid, item.msgid) and item.buttons:
                    self._read_card(item)
            for task in world.broadcasts.todo(userid):
                if self._new(userid, task.msgid):
                    self._plan_confirm(userid, task.msgid)
        self._serve_sessions()

    def _new(self, *names: str) -> bool:
        key = (names[0], names[1])
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _read_in_group(self, delivery: Delivery) -> None:
        world, chat = self._town.world, delivery.to
        if delivery.source == "sidebar" and "「可以」" in delivery.text:
            self._agree(delivery)
        if delivery.meta.get("part", 0) != 0 or not delivery.source.startswith("broadcast:"):
            return
        for member in world.groups.need(chat).customers():
            words = reply_of(self._chance, member, delivery.text)
            if words is not None:
                soon = self._chance.on_grid(5, 180, member, delivery.text)
                hour = delivery.at.replace(minute=0, second=0, microsecond=0)
                self._later(hour + timedelta(hours=1) + soon, self._speaks(chat, member, words))

    def _agree(self, delivery: Delivery) -> None:
        """Let whoever spoke last before a question for consent answer it."""
        group = self._town.world.groups.need(delivery.to)
        customers = set(group.customers())
        asked = [line.sender for line in group.lines if line.sender in customers]
        if not asked or self._chance.of("agree", asked[-1], delivery.text) > _AGREES:
            return
        at = delivery.at + self._chance.on_grid(5, 60, asked[-1], delivery.text)
        self._later(at, self._speaks(delivery.to, asked[-1], "可以"))

    def _agree_alone(self, delivery: Delivery) -> None:
        """Let a customer answer who is asked alone whether a manager may speak of something."""
        world, customer = self._town.world, delivery.to
        if self._chance.of("agree", customer, delivery.text) > _AGREES:
            return

        def answers() -> None:
            if delivery.kind == "kf":
                world.kf.customer_says(self._town.kf_account, customer, _YES)
            else:
                friends.says(world, delivery.sender, customer, _YES, by="customer")

        soon = self._chance.minutes(1, 10, customer, delivery.text)
        self._later(delivery.at + soon, answers)

    def _speaks(self, chat: str, member: str, words: str) -> Act:
        return lambda: groups.says(self._town.world, chat, member, words)

    def _plan_confirm(self, userid: str, msgid: str) -> None:
        world = self._town.world
        habit = self._habits.get(userid, Habit.PROMPT)
        local = world.now().astimezone(self._bank.zone)
        if habit is Habit.NEVER or (habit is Habit.LATE and local.hour < 12):
            return
        at = world.now() + self._chance.minutes(3, 45, userid, msgid)
        self._later(at, lambda: self._confirm(userid, msgid))

    def _confirm(self, userid: str, msgid: str) -> None:
        if userid in self.by_hand:
            return
        open_tasks = {task.msgid for task in self._town.world.broadcasts.todo(userid)}
        if msgid in open_tasks:
            broadcast.confirm(self._town.world, msgid, userid)

    def _read_card(self, item: InboxItem) -> None:
        kind = next(iter(item.buttons)).partition(":")[0]
        if kind in ("draft", "step") and self._habits.get(item.userid) is Habit.NEVER:
            return
        urgent = "紧急" in item.text
        low, high = (0.5, 4) if urgent else (3, 40)
        at = self._town.world.now() + self._chance.minutes(low, high, item.userid, item.task_id)
        match kind:
            case "lead":
                self._later(at, self._unless_by_hand(item, self._work_on_lead))
            case "draft":
                self._later(at, self._unless_by_hand(item, self._use_draft))
            case "step":
                self._later(at, self._unless_by_hand(item, self._do_step))

    def _unless_by_hand(self, item: InboxItem, act: Callable[[InboxItem], None]) -> Act:
        def acts() -> None:
            if item.userid not in self.by_hand and item.buttons:
                act(item)

        return acts

    def _press(
        self, item: InboxItem, verb: str, selected: dict[str, list[str]] | None = None
    ) -> None:
        key = next((key for key in item.buttons if key.endswith(f":{verb}")), None)
        if key is not None:
            self._town.world.app_messages.press(item.userid, item.msgid, key, selected)

    def _work_on_lead(self, item: InboxItem) -> None:
        luck = self._chance.of("lead", item.userid, item.task_id)
        selection = item.content.get("button_selection")
        if luck < _TAKES or "紧急" in item.text:
            self._press(item, "take")
        elif luck < _PASSES_ON and isinstance(selection, dict):
            chosen = selection["option_list"][0]["id"]
            self._press(item, "reassign", {selection["question_key"]: [chosen]})
        elif luck < _REFUSES:
            self._press(item, "invalid")

    def _use_draft(self, item: InboxItem) -> None:
        if self._chance.of("draft", item.userid, item.task_id) >= _SENDS_DRAFT:
            self._press(item, "drop")
            return
        world = self._town.world
        talk = talk_named(world, item.userid, row_of(item, "群"), row_of(item, "客户"))
        if talk is not None:
            post(world, item.userid, talk, Part("text", {"content": quoted(item)}), sidebar=True)
        self._press(item, "sent")

    def _do_step(self, item: InboxItem) -> None:
        world, chat = self._town.world, self._chat_named(item)
        if chat is None:
            return
        if "欢迎语" in item.text:
            words = quoted(item)
            made = world.groups.templates.items.values()
            template = next((one for one in made if one.body.text == words), None)
            if template is not None:
                groups.attach_welcome(world, chat, template.template_id)
        else:
            groups.owner_says(world, chat, quoted(item), sidebar=True)
        self._press(item, "sent")

    def _chat_named(self, item: InboxItem) -> str | None:
        rows = item.content.get("horizontal_content_list")
        listed = rows if isinstance(rows, list) else []
        named = {row["value"] for row in listed if row.get("keyname") == "群"}
        for chat in self._town.groups:
            group = self._town.world.groups.need(chat)
            if group.name in named and group.owner == item.userid:
                return chat
        return None

    def _serve_sessions(self) -> None:
        """People answer the sessions that are given to them, and end them a while later."""
        world, account = self._town.world, self._town.kf_account
        now = world.now()
        for customer in self._town.visitors:
            talk = world.kf.conversation(account, customer)
            state = talk.state(now)
            if state not in (State.POOL, State.HUMAN):
                continue
            if customer in self._served:
                continue
            self._served.add(customer)
            at = now + self._chance.minutes(2, 12, customer)
            self._later(at, partial(self._answer_in_person, customer))

    def _answer_in_person(self, customer: str) -> None:
        world, account = self._town.world, self._town.kf_account
        talk = world.kf.conversation(account, customer)
        if talk.state(world.now()) is State.POOL:
            servicer = next(iter(world.members))
            world.kf.servicer_takes(account, customer, servicer)
        if talk.state(world.now()) is not State.HUMAN:
            self._served.discard(customer)
            return
        member = self._bank.member(talk.servicer)
        name = member.address_as if member else "客户经理"
        words = f"您好，我是{name}，您的事我来办，稍等我看一下。"
        world.kf.servicer_says(account, customer, talk.servicer, words)
        ends = world.now() + timedelta(minutes=20)
        self._later(ends, lambda: self._end(customer))

    def _end(self, customer: str) -> None:
        self._served.discard(customer)
        world, account = self._town.world, self._town.kf_account
        if world.kf.conversation(account, customer).state(world.now()) is State.HUMAN:
            world.kf.servicer_ends(account, customer)


def quoted(item: InboxItem) -> str:
    """Return the words a card carries for a group."""
    area = item.content.get("quote_area")
    return str(area.get("quote_text", "")) if isinstance(area, dict) else ""
