"""Answers what the bank's own staff ask: of the AI bot, or of the self-built app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from typing import assert_never

from bot.answering.answer import Question
from bot.answering.writing import Show
from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.events import AnswerRated, CardPressed, StaffAsked, StaffCame
from bot.domain.ids import CustomerId, RmId, digest
from bot.domain.staff_messages import (
    BotCard,
    BotCardUpdate,
    Button,
    Card,
    ReplyTo,
    StaffCard,
    StaffCardUpdate,
    StaffMarkdown,
    StaffStream,
    StaffText,
    StaffWelcome,
)
from bot.domain.staff_question import (
    HELP,
    WELCOME,
    AskCustomer,
    AskFact,
    AskHelp,
    AskLead,
    AskLeads,
    AskSay,
    AskScript,
    AskScripts,
    AskToday,
    AskTodo,
    Chosen,
    chosen_title,
    read_chosen,
    read_question,
)
from bot.domain.text import split_text
from bot.domain.variables import variables_for
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedEvent
from bot.workers.content import Content
from bot.workers.staff_customers import Said, StaffCustomers
from bot.workers.staff_sheet import fact_sheet, plain, script_sheet, scripts_sheet, today_sheet
from bot.workers.staff_work import StaffWork

APP_TEXT_BYTES = 2048  # wecom_protocol §3.4
SoFar = Callable[[ReplyTo, str], Awaitable[None]]
_IN_TIME = timedelta(seconds=5)  # for a welcome and for a card's update, §6.5
_WORTH_SAYING = timedelta(hours=24)  # as long as WeCom takes an answer, §6.5
_LABEL = 10
_CANNOT_READ = "我现在只看得懂文字，请把问题打出来。"
_ONLY_ALONE = "客户的情况只能在单聊里看，请私下问我。"
_NO_STEPS = "今天您的群没有要发的内容。"
_NO_RUNS = "您名下的群现在没有在跑的剧本。"


class StaffTalk:
    """Reads, thinks, and puts the answer where the question came from."""

    def __init__(
        self,
        database: Database,
        content: Content,
        clock: Clock,
        so_far: SoFar | None = None,
    ) -> None:
        self._so_far = so_far
        self._database = database
        self._content = content
        self._customers = StaffCustomers(content)
        self._work = StaffWork(database, content, self._customers)
        self._clock = clock

    @property
    def _bank(self) -> Bank:
        return self._content.bank

    async def asked(self, claimed: ClaimedEvent, event: StaffAsked) -> None:
        """Answer one question; it and its answer are written down in one go."""
        now = self._clock.now()
        said = await self._answer(event, now)
        async with self._database.begin() as tx:
            if not await tx.inbox.finish_event(claimed):
                return
            lane = f"talk:{event.msgid}"
            closes_at = event.at + _WORTH_SAYING
            terms = Terms(purpose="staff", subject=event.by, closes_at=closes_at, urgent=True)
            key = f"staff:{event.msgid}"
            if event.reply.via == "app":
                await self._text(tx, key, event.by, said.text, event.at, now)
            else:
                stream = StaffStream(
                    to=event.by, reply=event.reply, text=said.text, asked_at=event.at
                )
                await tx.outbox.put(key, stream, terms, now, lane=lane)
            if (card := _card_under(event, said)) is not None:
                await tx.outbox.put(f"{key}:card", card, terms, now, lane=lane)
            await tx.ledger.add("staff_answered", event.by, now, via=event.reply.via, **said.facts)

    def is_choice(self, event: CardPressed) -> bool:
        """Tell whether a button stands for a customer to be shown."""
        return read_chosen(event.key) is not None

    async def pressed(self, claimed: ClaimedEvent, event: CardPressed) -> None:
        """Show the customer whose button was pressed, or what to say to them."""
        chosen = read_chosen(event.key)
        if chosen is None:
            return
        now, customer = self._clock.now(), CustomerId(chosen.customer)
        if chosen.says:
            said = await self._work.say_to(event.by, customer, chosen.topic, now)
        else:
            async with self._database.read() as tx:
                said = await self._customers.chosen(tx, event.by, customer, now)
        async with self._database.begin() as tx:
            if await tx.inbox.finish_event(claimed):
                await self._put_chosen(tx, event, chosen, said, now)

    async def _put_chosen(
        self, tx: Tx, event: CardPressed, chosen: Chosen, said: Said, now: datetime
    ) -> None:
        key = f"chosen:{digest(event.task, event.by, event.at.isoformat(), event.key)}"
        terms = Terms(purpose="staff", subject=event.by, urgent=True)  # it is waited for
        reply = event.reply
        if reply is None:
            await self._text(tx, key, event.by, said.text, event.at, now)
            grey = StaffCardUpdate(to=event.by, response_code=event.response_code, replace="已选")
            await tx.outbox.put(f"{key}:grey", grey, terms, now)
        else:
            words = StaffMarkdown(to=event.by, reply=reply, text=said.text)
            await tx.outbox.put(key, words, terms, now)
            await self._grey(tx, key, event, reply, chosen_title(chosen.name), now)
        await tx.ledger.add("staff_answered", event.by, now, via="card", **said.facts)

    async def came(self, tx: Tx, event: StaffCame, now: datetime) -> None:
        """Greet whoever opens the bot; over the webhook the callback's response did it."""
        if event.reply.via != "socket":
            return
        welcome = StaffWelcome(to=event.by, reply=event.reply, text=WELCOME)
        terms = Terms(purpose="staff", subject=event.by, closes_at=event.at + _IN_TIME)
        await tx.outbox.put(f"staff:{event.msgid}", welcome, terms, now)

    async def rated(self, tx: Tx, event: AnswerRated, now: datetime) -> None:
        """Record whether an answer was right."""
        await tx.ledger.add(
            f"answer_{event.verdict}", event.by, now, answer=event.answer, why=list(event.reasons)
        )

    async def _grey(
        self, tx: Tx, key: str, event: CardPressed, reply: ReplyTo, title: str, now: datetime
    ) -> None:
        """Grey the pressed card; over the webhook the callback's response did it."""
        if reply.via != "socket":
            return
        update = BotCardUpdate(to=event.by, reply=reply, task=event.task, title=title)
        terms = Terms(purpose="staff", subject=event.by, closes_at=event.at + _IN_TIME)
        await tx.outbox.put(f"{key}:grey", update, terms, now)

    async def _text(
        self, tx: Tx, key: str, to: RmId, text: str, asked_at: datetime, now: datetime
    ) -> None:
        """Answer in the app.

        It folds the same words within half an hour: the hour of the question sets two answers
        apart that are the same, while one answer sent twice is still folded.
        """
        words = f"{plain(text)}\n（{asked_at.astimezone(self._bank.zone):%H:%M:%S} 的提问）"
        terms = Terms(purpose="staff", subject=to, urgent=True)  # who asks waits for it
        for number, part in enumerate(split_text(words, APP_TEXT_BYTES), 1):
            message = StaffText(to=(to,), text=part)
            await tx.outbox.put(f"{key}:{number}", message, terms, now, lane=f"staff:{to}")

    async def _answer(self, event: StaffAsked, now: datetime) -> Said:
        """Return the answer, and what the ledger keeps of it: never a customer's words."""
        text = event.text.strip()
        if not text:
            return Said(_CANNOT_READ, {"about": "nothing", "form": event.form})
        scripts = self._content.snapshot.scripts
        asked = read_question(text, {id: script.name for id, script in scripts.items()})
        match asked:
            case AskHelp():
                return Said(HELP, {"about": "help"})
            case AskToday():
                return Said(await self._today(event.by, now), {"about": "today"})
            case AskScript(script=script, day=day):
                sheet = script_sheet(scripts[script], day)
                return Said(sheet, {"about": "script", "script": script})
            case AskScripts():
                return Said(scripts_sheet(scripts.values()), {"about": "scripts"})
            case AskLeads() | AskLead() | AskTodo() | AskSay() | AskCustomer() | AskFact():
                return await self._of_work(event, asked, now) or await self._fact(event, now)
            case _:
                assert_never(asked)

    async def _of_work(
        self,
        event: StaffAsked,
        asked: AskLeads | AskLead | AskTodo | AskSay | AskCustomer | AskFact,
        now: datetime,
    ) -> Said | None:
        """Answer about leads, tasks and customers; None where the words mean something else."""
        match asked:
            case AskLeads(team=team):
                return await self._work.leads(event, now, team=team)
            case AskLead(number=number):
                return await self._work.lead(event, number, now)
            case AskTodo():
                return await self._work.todo(event.by, now)
            case AskSay():
                return await self._work.say(event, asked, now)
            case AskCustomer():
                return await self._customer(event, asked, now)
            case AskFact():
                return None
            case _:
                assert_never(asked)

    async def _fact(self, event: StaffAsked, now: datetime) -> Said:
        variables = variables_for(
            self._bank,
            today=now.astimezone(self._bank.zone).date(),
            manager=event.by,
            kf_link=self._content.kf_link,
        )
        question = Question(text=event.text.strip(), plane="staff", variables=variables)
        answer = await self._content.answerer.answer(question, now, self._show(event.reply))
        facts: dict[str, object] = {
            "about": "fact",
            "answer": answer.kind.value,
            "sources": [citation.document_id for citation in answer.citations],
            "confidence": round(answer.confidence, 3),
        }
        return Said(fact_sheet(answer), facts)

    def _show(self, reply: ReplyTo) -> Show | None:
        """Return what shows a model's words while it writes them; nothing shows them in the app."""
        tell = self._so_far
        if tell is None or reply.via == "app":
            return None
        return lambda words: tell(reply, words)

    async def _today(self, by: RmId, now: datetime) -> str:
        zone = self._bank.zone
        begin = datetime.combine(now.astimezone(zone).date(), time(0), tzinfo=zone)
        async with self._database.read() as tx:
            steps = await tx.staff_view.steps_between(by, begin, begin + timedelta(days=1))
            if not steps:
                return _NO_STEPS if await tx.staff_view.has_runs(by) else _NO_RUNS
        return today_sheet(steps, self._content.snapshot.scripts, self._bank)

    async def _customer(self, event: StaffAsked, asked: AskCustomer, now: datetime) -> Said | None:
        if event.reply.chat:  # not everybody in the group may know the customer
            return Said(_ONLY_ALONE, {"about": "customer", "shown": 0}) if asked.surely else None
        async with self._database.read() as tx:
            return await self._customers.find(tx, event.by, event.text, asked, now)


def _card_under(event: StaffAsked, said: Said) -> BotCard | StaffCard | None:
    """Return the card that goes with an answer: a lead's, or one button for each customer meant."""
    card, task = said.card, said.task
    if said.choices:
        buttons = tuple(Button(text=name[:_LABEL], key=key) for key, name in said.choices)
        card, task = Card(title="您说的是哪一位？", buttons=buttons), "which"
    if card is None:
        return None
    named = f"{task}-{digest(event.msgid, size=8)}"  # WeCom takes each name of a card once
    if event.reply.via == "app":
        return StaffCard(to=event.by, task=named, card=card)
    return BotCard(to=event.by, reply=event.reply, task=named, card=card)
