"""A sidebar as a process without an index serves it, beside a small local WeCom."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import FakeClock
from bot.config import Settings
from bot.config.parts import SidebarSettings, WeComSettings
from bot.console.health import Health
from bot.console.own_files import OwnFiles
from bot.domain.assigning_rules import AssigningRules
from bot.domain.ids import CustomerId
from bot.domain.lead import Evidence, Lead, Need, Signal
from bot.domain.people import Customer
from bot.emulator.server import serve_emulator
from bot.emulator.world import App, Member, World
from bot.front import application_of, listening
from bot.storage.db import Database
from bot.web_parts import open_sidebar
from bot.workers.happenings import StoredScripts
from bot.workers.lead_desk import desk_beside
from bot.workspace import Workspace, starter_root
from tests.journeys.sidebar import Browser, browser_at
from tests.make import NOON

MANAGER, OTHER, HEAD, HEAD_OFFICE = "li.min", "chen.xiaowen", "shen.mingyuan", "he.jing"
MINE, THEIRS = CustomerId("wmMine"), CustomerId("wmTheirs")
SECRET, AGENT = "the-apps-secret", 1000002


@dataclass
class House:
    """The sidebar's process with all that stands round it."""

    base: str
    world: World
    database: Database
    clock: FakeClock
    files: OwnFiles
    settings: Settings

    def browser(self, member: str = "") -> AbstractAsyncContextManager[Browser]:
        return browser_at(self.base, self.world, member)

    async def lead(
        self, customer: CustomerId, need: Need = Need.WEALTH, quote: str = "想问问理财"
    ) -> Lead:
        """Open a lead of a customer's, given as leads are."""
        said = Evidence(quote=quote, at=self.clock.now(), source="微信客服")
        desk = desk_beside(lambda: self.files().bank, lambda: self.files().tables, AssigningRules())
        async with self.database.begin() as tx:
            lead = await desk.open(
                tx,
                Signal(customer=customer, need=need, evidence=said),
                owner=None,
                group="",
                now=self.clock.now(),
            )
        assert lead is not None
        return lead


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a folder with the files that the sidebar reads."""
    folder = tmp_path_factory.mktemp("files")
    shutil.copytree(starter_root() / "sop", folder / "sop")
    return Workspace(folder)


@pytest.fixture(scope="session")
def read_files(shelf: Workspace) -> OwnFiles:
    return OwnFiles(shelf, FakeClock(NOON))


@pytest.fixture
def world(clock: FakeClock, read_files: OwnFiles) -> World:
    """Give a WeCom with the bank's app and its staff."""
    made = World(clock)
    made.add_app(App(AGENT, SECRET))
    for one in read_files().bank.staff:
        made.add_member(Member(one.userid, one.name, one.role, one.branch or "", one.address_as))
    return made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
async def database(
    tmp_path: Path, clock: FakeClock, migrated_sqlite: Path
) -> AsyncIterator[Database]:
    file = shutil.copyfile(migrated_sqlite, tmp_path / "zhilin.db")
    opened = await Database.open(f"sqlite:///{file}", durable=False)
    async with opened.begin() as tx:
        for customer, manager in ((MINE, MANAGER), (THEIRS, OTHER)):
            known = Customer(id=customer, name=f"{customer[2:]}阿姨", managers=(manager,))
            await tx.people.put_customer(known, clock.now() - timedelta(days=9))
    yield opened
    await opened.close()


@pytest.fixture
async def house(
    world: World, database: Database, clock: FakeClock, read_files: OwnFiles, shelf: Workspace
) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        wecom = await stack.enter_async_context(serve_emulator(world, live=False))
        settings = Settings(
            wecom=WeComSettings(
                api_base=wecom.base_url, corp_id=world.corp_id, secret=SECRET, agent_id=AGENT
            ),
            sidebar=SidebarSettings(
                oauth_url=f"{wecom.base_url}/connect/oauth2/authorize",
                sdk_url="https://sdk.example:8443/ww.js",
            ),
        )
        sidebar = open_sidebar(
            stack,
            settings,
            shelf,
            database,
            clock,
            files=read_files,
            script_of=StoredScripts().script,
            desk=desk_beside(
                lambda: read_files().bank, lambda: read_files().tables, AssigningRules()
            ),
        )
        assert sidebar is not None
        application = application_of(None, Health(database, clock, "web"), "", sidebar.routes())
        address = await stack.enter_async_context(listening(application, "127.0.0.1", 0))
        yield House(f"{address}/sidebar", world, database, clock, read_files, settings)
