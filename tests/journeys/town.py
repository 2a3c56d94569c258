"""What stories are told with: people act, the clock is pushed, the bot works until it is idle."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.demo.running import AddRoutes, Demo, open_demo
from bot.domain.lead import Lead
from bot.domain.runs import RunStep
from bot.emulator import broadcast, groups
from bot.emulator.app import InboxItem
from bot.emulator.deliveries import Delivery
from bot.storage.tables import leads, outbox
from bot.workspace import Workspace
from tests.make import ZONE, local

START = local("08:00")
SCRIPT = "senior-21d"


@dataclass
class Life:
    """A town with its bot, and the hands of its people."""

    demo: Demo
    seen: int = 0

    @property
    def world(self):  # type: ignore[no-untyped-def]
        return self.demo.town.world

    @property
    def account(self) -> str:
        return self.demo.town.kf_account

    @property
    def visitor(self) -> str:
        """Return a customer with a manager, who writes one to one."""
        return self.demo.town.visitors[0]

    @property
    def chat(self) -> str:
        return self.demo.town.groups[0]

    def owner(self, chat: str) -> str:
        return str(self.world.groups.need(chat).owner)

    def member(self, chat: str, number: int = 0) -> str:
        return str(self.world.groups.need(chat).customers()[number])

    async def settle(self) -> int:
        return await self.demo.settle()

    async def go_to(self, clock: str, day: str = "2026-10-12") -> None:
        """Push the clock to a moment of the bank's day, stopping at whatever falls due."""
        target = local(clock, day)
        while True:
            await self.settle()
            async with self.demo.bot.database.read() as tx:
                due = await tx.next_due(after=self.demo.clock.now())
            if due is None or due > target:
                break
            self.demo.clock.jump(due)
        self.demo.clock.jump(target)
        await self.settle()

    async def wait(self, minutes: float) -> None:
        """Push the clock on by some minutes."""
        moment = (self.world.now() + timedelta(minutes=minutes)).astimezone(ZONE)
        await self.go_to(moment.time().isoformat(), moment.date().isoformat())

    def new(self, kind: str = "", to: str = "") -> list[Delivery]:
        """Return what reached people since the last look, of one kind and one person at will."""
        fresh = self.world.deliveries.since(self.seen)
        self.seen = len(self.world.deliveries)
        return [item for item in fresh if item.kind.startswith(kind) and (not to or item.to == to)]

    async def asks(self, text: str, customer: str = "") -> list[str]:
        """Let a customer write one to one; return what was answered."""
        return await self.sends("text", {"content": text}, customer)

    async def sends(self, form: str, payload: dict[str, object], customer: str = "") -> list[str]:
        """Let a customer send a message of any form; return what was answered."""
        customer = customer or self.visitor
        self.new()
        self.world.kf.customer_sends(self.account, customer, form, payload)
        await self.settle()
        return self.answers(customer)

    def answers(self, customer: str = "") -> list[str]:
        """Return what was answered to a customer since the last look."""
        fresh = self.new("kf", customer or self.visitor)
        return [item.text for item in fresh if item.source == "kf_send_msg"]

    def last_msgid(self, customer: str = "") -> str:
        """Return the id of what a customer wrote last."""
        talk = self.world.kf.conversation(self.account, customer or self.visitor)
        return str([line for line in talk.lines if line.side == "customer"][-1].msgid)

    def on_occasion(self, customer: str = "") -> list[str]:
        """Return what was said to a customer as a session began, waited, was taken or ended."""
        said = self.world.deliveries.select("kf", customer or self.visitor, "kf_send_msg_on_event")
        return [item.text for item in said]

    async def says(self, chat: str, member: str, text: str) -> None:
        """Let somebody write in a group."""
        groups.says(self.world, chat, member, text)
        await self.settle()

    def cards(self, userid: str, kind: str = "") -> list[InboxItem]:
        """Return the cards with buttons that a member of staff has, of one kind at will."""
        return [
            item
            for item in self.world.app_messages.inbox(userid)
            if item.buttons and next(iter(item.buttons)).startswith(kind)
        ]

    def all_cards(self, kind: str) -> list[InboxItem]:
        return [card for userid in self.world.members for card in self.cards(userid, kind)]

    async def press(
        self, card: InboxItem, verb: str, selected: dict[str, list[str]] | None = None
    ) -> None:
        key = next(key for key in card.buttons if key.endswith(f":{verb}"))
        self.world.app_messages.press(card.userid, card.msgid, key, selected)
        await self.settle()

    def tasks(self, chat: str) -> list[str]:
        """Return the mass-send tasks that wait for a group's owner."""
        return [
            task.msgid
            for task in self.world.broadcasts.todo(self.owner(chat))
            if chat in task.tasks[self.owner(chat)].outcomes
        ]

    def confirm(self, chat: str) -> list[int]:
        """Let the owner press 发送 on what waits; return the results for this group."""
        owner = self.owner(chat)
        done = [broadcast.confirm(self.world, msgid, owner) for msgid in self.tasks(chat)]
        return [int(result[chat]) for result in done]

    def broadcasts_to(self, chat: str) -> list[Delivery]:
        """Return the mass messages of the bot's that reached a group, a first part each."""
        return [
            item
            for item in self.world.deliveries.select("group", chat, "broadcast:")
            if item.meta["part"] == 0
        ]

    async def step(self, chat: str, name: str) -> RunStep:
        """Return a group's step as it stands."""
        async with self.demo.bot.database.read() as tx:
            for run in await tx.runs.of_subject(chat, state=None):
                for row in await tx.runs.steps(run.id):
                    if row.step == name:
                        return row
        raise LookupError(name)

    async def had(self, name: str) -> None:
        """Let the first group have had a step on its day; the days before were slept through."""
        opens = (await self.step(self.chat, name)).opens_at.astimezone(ZONE)
        midnight = opens.replace(hour=0, minute=0)
        if midnight > self.world.now():
            self.demo.clock.jump(midnight)
        await self.go_to(opens.time().isoformat(), opens.date().isoformat())
        while (step := await self.step(self.chat, name)).state in ("planned", "queued"):
            if step.state == "queued":  # what goes to many is gathered for a moment
                await self.wait(1)
                continue
            later = step.opens_at.astimezone(ZONE)  # a holiday or a full week moved it on
            await self.go_to(later.time().isoformat(), later.date().isoformat())
        assert step.state == "waiting", step
        if self.tasks(self.chat):
            assert self.confirm(self.chat) == [1]
        else:
            (card,) = self.cards(self.owner(self.chat), f"step:{step.id}:")
            await self.press(card, "sent")
        await self.wait(10)
        assert (await self.step(self.chat, name)).state == "confirmed"

    async def run_states(self) -> dict[str, str]:
        async with self.demo.bot.database.read() as tx:
            return {run.subject: run.state for run in await tx.runs.of_script(SCRIPT)}

    async def leads(self, customer: str = "") -> list[Lead]:
        """Return every lead, or a customer's, oldest first."""
        async with self.demo.bot.database.read() as tx:
            rows = (await tx.connection.execute(leads.select().order_by(leads.c.id))).all()
            every = [await tx.leads.get(row.id) for row in rows]
        return [one for one in every if one and (not customer or one.customer == customer)]

    async def ledger(self, kind: str) -> int:
        async with self.demo.bot.database.read() as tx:
            return await tx.ledger.count(kind)

    async def outbox_states(self) -> dict[str, str]:
        """Return each message's state by its key."""
        async with self.demo.bot.database.read() as tx:
            rows = await tx.connection.execute(outbox.select())
            return {row.key: row.state for row in rows}

    def state(self, customer: str = "") -> int:
        """Return WeCom's state of a customer's session."""
        talk = self.world.kf.conversation(self.account, customer or self.visitor)
        return int(talk.state(self.world.now()))


@asynccontextmanager
async def live(
    workspace: Workspace,
    start: datetime = START,
    *,
    groups: int = 3,
    members: int = 30,
    seed: int = 1,
    add_routes: AddRoutes | None = None,
) -> AsyncIterator[Life]:
    """Open a town whose groups have entered the script."""
    gc.collect()  # the bot before has closed, but its parts hold each other and ten megabytes
    async with open_demo(
        workspace, start, groups=groups, members=members, seed=seed, add_routes=add_routes
    ) as demo:
        life = Life(demo)
        await life.settle()
        yield life


def edit(workspace: Workspace, name: str, old: str, new: str) -> None:
    """Save a file with one place changed."""
    file = workspace.root / name
    text = file.read_text("utf-8")
    assert text.count(old) == 1, (old, text.count(old))
    file.write_text(text.replace(old, new), "utf-8")
