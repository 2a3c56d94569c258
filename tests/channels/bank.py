"""A small bank in the local WeCom, and the bot's channels on top of it over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.channels.app import AppChannel
from bot.channels.archive import ArchiveChannel
from bot.channels.contact import ContactChannel
from bot.channels.directory import WeComDirectory
from bot.channels.inheritance import Inheritance
from bot.channels.kf import KfChannel
from bot.channels.media import MediaShelf
from bot.channels.moments import MomentStates
from bot.channels.ways import WeComWays
from bot.clock import FakeClock
from bot.domain.events import Notice
from bot.emulator.callbacks import render_xml
from bot.emulator.contact import befriend
from bot.emulator.groups import create
from bot.emulator.server import serve_emulator
from bot.emulator.world import App, Customer, Member, World
from bot.ports import Channel
from bot.wecom.app import AppApi
from bot.wecom.archive import ArchiveClient
from bot.wecom.client import MemoryTokens, WeComClient
from bot.wecom.contact import ContactApi
from bot.wecom.kf import KfApi
from bot.wecom.transfers import TransferApi
from bot.wecom.ways import WayApi
from tests.make import ACCOUNT, CUSTOMER, NOON, OWNER

AGENT, SECRET, ARCHIVE_SECRET = 1000002, "app-secret", "archive-secret"
OTHER = "wang.haoran"
REPEATED_ID = 40058


@dataclass
class Bank:
    """The world and what talks to it."""

    world: World
    clock: FakeClock
    chat: str
    kf: KfChannel
    app: AppChannel
    contact: ContactChannel
    archive: ArchiveChannel
    directory: WeComDirectory
    ways: WeComWays
    inheritance: Inheritance
    moments: MomentStates

    def channels(self) -> dict[str, Channel]:
        found: tuple[Channel, ...] = (self.kf, self.app, self.contact, self.archive)
        return {channel.name: channel for channel in found}


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    clock = FakeClock(NOON)
    world = World(clock)
    world.archive.secret = ARCHIVE_SECRET
    world.add_app(App(AGENT, SECRET))
    for userid, name in ((OWNER, "李敏"), (OTHER, "王浩然")):
        world.add_member(Member(userid, name))
    world.add_customer(Customer(CUSTOMER, "李女士"))
    world.add_customer(Customer("wmZhao", "赵先生"))
    world.kf.add_account("小安", ACCOUNT)
    world.kf.add_servicer(ACCOUNT, OWNER)
    befriend(world, OTHER, CUSTOMER, quiet=True)
    clock.advance(minutes=1)
    befriend(world, OWNER, CUSTOMER, quiet=True)
    chat = create(world, OWNER, "梧桐街银龄安心群1", [CUSTOMER, "wmZhao"], quiet=True).chat_id
    async with serve_emulator(world, live=False) as server:
        client = WeComClient(server.base_url, world.corp_id, SECRET, MemoryTokens(), clock)
        archive = ArchiveClient(server.base_url, ARCHIVE_SECRET)
        contact, media = ContactApi(client), MediaShelf(client, tmp_path, clock)
        yield Bank(
            world,
            clock,
            chat,
            KfChannel(KfApi(client), clock, REPEATED_ID, media),
            AppChannel(AppApi(client, AGENT)),
            ContactChannel(contact, media),
            ArchiveChannel(archive, clock),
            WeComDirectory(contact),
            WeComWays(WayApi(client)),
            Inheritance(TransferApi(client)),
            MomentStates(contact),
        )
        await archive.close()
        await client.close()


def doorbell(world: World) -> Notice:
    """Return a kf doorbell with a token that opens the log."""
    token = world.new_id("ENC")
    world.kf.account(ACCOUNT).log.give_token(token, world.now())
    body = render_xml({"Event": "kf_msg_or_event", "Token": token, "OpenKfId": ACCOUNT})
    return Notice(key=token, channel="kf", body=body)


def told(channel: str, key: str = "k", **fields: object) -> Notice:
    """Return a stored callback with these fields."""
    head = {"CreateTime": int(NOON.timestamp())}
    return Notice(key=key, channel=channel, body=render_xml({**head, **fields}))
