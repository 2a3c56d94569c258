"""The assembled bot and the local WeCom in one process: small, quick to open, easy to break.

Files are read once and an echo answers: everything else is the bot as ``zhilin serve`` runs it.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bot.clock import FakeClock
from bot.config import Settings
from bot.demo.running import Demo, demo_settings
from bot.demo.town import AGENT_ID, CORP_SECRET, Town
from bot.emulator.server import serve_emulator
from bot.emulator.world import App, Customer, Member, World
from bot.storage.db import Database
from bot.workers.content import Content, Snapshot, read_snapshot, tables_for
from bot.workspace import Workspace
from tests.faults.power import Power, PowerCut
from tests.make import NOON
from tests.workers.room import Echo

ACCOUNT = "wkA"
PEOPLE = ("wmA", "wmB", "wmC")
_LOOKED_AT = ("notices", "events", "outbox", "doubts")
_LONGEST = timedelta(hours=3)


class NoIndex:
    """Where an echo answers, nothing is looked up."""

    async def publish(self, *args: object, **options: object) -> None:
        return None

    def report(self) -> dict[str, object]:
        return {}


@dataclass(frozen=True)
class Ground:
    """What every opened town shares: its files, and a database that a first start has made."""

    workspace: Workspace
    snapshot: Snapshot
    database: Path


@dataclass
class SmallTown:
    """A bot that can be cut off at any moment, and the world around it."""

    demo: Demo
    power: Power
    servicers: list[str]

    @property
    def world(self) -> World:
        return self.demo.town.world

    @property
    def clock(self) -> FakeClock:
        return self.demo.clock

    @property
    def database(self) -> Database:
        return self.demo.bot.database

    async def settle(self) -> bool:
        """Let everything happen that is due; False where the power went meanwhile."""
        try:
            await self.demo.settle()
        except PowerCut:
            await self.start_again()
            return False
        if self.power.dead:  # it went while a callback was answered
            await self.start_again()
            return False
        self.power.back()
        return True

    async def start_again(self) -> None:
        """Start the bot on what its dead process left behind."""
        await self.demo.stop()
        self.power.back()
        await self.demo.start()

    async def come_to_rest(self) -> None:
        """Let time go by until nothing is left to do."""
        until = self.clock.now() + _LONGEST
        self.clock.advance(minutes=11)  # by then every lost doorbell is made up for
        while True:
            await self.settle()
            async with self.database.read() as tx:
                due = await tx.next_due(_LOOKED_AT)
            if due is None or due > until:
                return
            self.clock.jump(max(due, self.clock.now() + timedelta(milliseconds=1)))

    async def rows(self, statement: Any) -> list[Any]:
        async with self.database.read() as tx:
            return list(await tx.connection.execute(statement))


@contextmanager
def quick_parts(ground_snapshot: Snapshot) -> Iterator[None]:
    """Have ``assemble`` take files that were read before, and an echo for an answer."""

    async def open_content(
        stack: object, settings: Settings, workspace: Workspace, clock: Any, snapshot: Snapshot
    ) -> tuple[NoIndex, Content]:
        answerer: Any = Echo()
        return NoIndex(), Content(
            workspace=workspace,
            snapshot=snapshot,
            answerer=answerer,
            tables=tables_for(clock.now().date()),
            make_answerer=lambda current: answerer,
        )

    with ExitStack() as stack:
        stack.enter_context(patch("bot.app.open_content", open_content))
        stack.enter_context(patch("bot.app.read_snapshot", lambda *_: ground_snapshot))
        yield


def make_world(clock: FakeClock, snapshot: Snapshot) -> tuple[World, list[str]]:
    """Return a bank with one account, its staff, and a few customers."""
    world = World(clock)
    world.add_app(App(AGENT_ID, CORP_SECRET))
    for member in snapshot.bank.staff:
        world.add_member(Member(member.userid, member.name))
    for person in PEOPLE:
        world.add_customer(Customer(person, person))
    world.kf.add_account("小安", ACCOUNT)
    servicers = [member.userid for member in snapshot.bank.staff if member.branch is not None]
    for userid in servicers:
        world.kf.add_servicer(ACCOUNT, userid)
    return world, servicers


@asynccontextmanager
async def open_town(
    ground: Ground, file: Path, power: Power | None = None, clock: FakeClock | None = None
) -> AsyncIterator[SmallTown]:
    """Open the town with its bot on a copy of the ground's database."""
    clock = clock or FakeClock(NOON)
    world, servicers = make_world(clock, ground.snapshot)
    if ground.database.exists():
        shutil.copyfile(ground.database, file)
    async with serve_emulator(world, live=False) as server:
        settings = demo_settings(ground.workspace, ground.workspace, server.base_url, "")
        own = settings.database.model_copy(update={"url": f"sqlite:///{file}"})
        settings = settings.model_copy(update={"database": own})
        demo = Demo(Town(world, ACCOUNT, ""), server, settings, ground.workspace, clock)
        await demo.start()
        try:
            yield SmallTown(demo, power or Power(), servicers)
        finally:
            await demo.stop()


async def prepare(workspace: Workspace, folder: Path) -> Ground:
    """Read the files, and let a first start make the database and compare the people."""
    snapshot = read_snapshot(workspace, NOON.date())
    ground = Ground(workspace, snapshot, folder / "ground.db")
    with quick_parts(snapshot):
        async with open_town(ground, ground.database) as town:
            await town.settle()
    return ground
