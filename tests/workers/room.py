"""微信客服 without the rest: the local WeCom over HTTP, a database, and the workers of a talk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.answering.answer import Question
from bot.answering.meaning import Meaning, Trouble
from bot.channels.directory import SessionStates, WeComDirectory
from bot.channels.kf import KfChannel
from bot.channels.media import Recordings
from bot.clock import FakeClock
from bot.domain.actions import HandOver
from bot.domain.ids import RmId
from bot.domain.knowledge import Answer, AnswerKind
from bot.domain.lead import Need
from bot.domain.messages import Outbound, Receipt, StaffCard
from bot.emulator.server import serve_emulator
from bot.emulator.world import App, Customer, Member, World
from bot.leads.desk import LeadDesk
from bot.storage.db import Database
from bot.wecom.client import MemoryTokens, WeComClient
from bot.wecom.contact import ContactApi
from bot.wecom.kf import KfApi
from bot.workers.content import Content
from bot.workers.effects import Effects
from bot.workers.events import EventWorker
from bot.workers.hearing import Hearing
from bot.workers.inbox import InboxWorker
from bot.workers.kf_scene import Reader
from bot.workers.loop import one_by_one
from bot.workers.outbox import OutboxWorker
from bot.workers.sessions import SessionDesk
from bot.workers.talk import Talk
from bot.workers.unanswered import Unanswered
from bot.workers.voice import Ears
from tests.channels.bank import doorbell
from tests.make import ACCOUNT, NOON

AGENT, SECRET = 1000002, "app-secret"
PEOPLE = ("wmA", "wmB")


class Echo:
    """Answers every question with itself, and brings a person to whoever asks for one."""

    async def trouble(self, text: str) -> Trouble | None:
        return await Meaning(lambda: ()).trouble(text)

    async def answer(self, question: Question, now: object) -> Answer:
        if "人工" in question.text:
            return Answer(
                kind=AnswerKind.HANDOVER, text="请稍等", actions=(HandOver(need=Need.PERSON),)
            )
        return Answer(kind=AnswerKind.APPROVED, text=f"答：{question.text}")


class Nowhere:
    """Where staff cards go in this room."""

    name = "app"

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        assert isinstance(message, StaffCard) or message.kind == "staff_text"
        return Receipt(ref=key)


@dataclass
class Room:
    """The world, and the three workers that a talk passes through."""

    world: World
    clock: FakeClock
    database: Database
    kf: KfChannel
    inbox: InboxWorker
    events: EventWorker
    outbox: OutboxWorker
    servicer: RmId
    channels: dict[str, Any] = field(default_factory=dict)

    async def pull(self) -> None:
        """Let WeCom ring, and read what it has."""
        async with self.database.begin() as tx:
            bell = doorbell(self.world)
            await tx.inbox.add_notices([bell.model_copy(update={"lane": "kf"})], self.clock.now())
        await self.inbox.step()

    async def think(self) -> None:
        while await self.events.step():
            await self.events.drain()

    async def send(self) -> None:
        while await self.outbox.step():
            await self.outbox.drain()


@asynccontextmanager
async def open_room(database: Database, content: Content) -> AsyncIterator[Room]:
    """Open a bank with one account, one servicer and two customers."""
    clock = FakeClock(NOON)
    world, bank = World(clock), content.bank
    world.add_app(App(AGENT, SECRET))
    servicers = [member.userid for member in bank.staff if member.branch is not None]
    for userid in servicers:
        world.add_member(Member(userid, userid))
    for person in PEOPLE:
        world.add_customer(Customer(person, person))
    world.kf.add_account("小安", ACCOUNT)
    for userid in servicers:
        world.kf.add_servicer(ACCOUNT, userid)
    content.answerer = Echo()  # type: ignore[assignment]
    async with serve_emulator(world, live=False) as server:
        client = WeComClient(server.base_url, world.corp_id, SECRET, MemoryTokens(), clock)
        api, desk = KfApi(client), LeadDesk(lambda: bank)
        kf = KfChannel(api, clock, 40058)
        channels: dict[str, Any] = {"kf": kf, "app": Nowhere()}
        effects, ears = Effects(desk, content), Ears(None, Recordings(client))
        reader = Reader(database, content, SessionStates(api), desk, clock)
        directory = WeComDirectory(ContactApi(client))
        talk = Talk(database, content, directory, reader, effects, ears, clock)
        sessions = SessionDesk(content, Unanswered(effects))
        others: Any = (None,) * 6  # who work on events that do not come up here
        events = EventWorker(database, talk, sessions, *others, clock, manner=one_by_one)
        inbox = InboxWorker(database, channels, clock, store=Hearing(content).store)
        outbox = OutboxWorker(database, channels, content, clock, manner=one_by_one)
        servicer = RmId(servicers[0])
        try:
            yield Room(world, clock, database, kf, inbox, events, outbox, servicer, channels)
        finally:
            await client.close()
