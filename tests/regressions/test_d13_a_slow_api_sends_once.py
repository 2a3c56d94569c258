"""D13: an API that takes its time, or longer than we wait, makes one task, not two.

The peer's job came back after five seconds while its call took eight; here both are scaled down.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.channels.contact import ContactChannel
from bot.channels.made import MadeTasks
from bot.channels.media import MediaShelf
from bot.domain.delivery import Terms
from bot.domain.messages import Broadcast, Text
from bot.emulator.faults import Kind
from bot.emulator.server import serve_emulator
from bot.storage.db import Database
from bot.wecom.client import MemoryTokens, WeComClient
from bot.wecom.contact import ContactApi
from bot.workers.content import Content
from bot.workers.outbox import OutboxWorker
from bot.workers.reconcile import DoubtWorker
from tests.channels.bank import SECRET, Bank
from tests.channels.bank import bank as bank
from tests.make import NOON, OWNER
from tests.workers.conftest import content as content
from tests.workers.conftest import database as database
from tests.workers.conftest import snapshot as snapshot

API = "externalcontact/add_msg_template"
SLOW_S = 0.4


class Sender:
    """A sender over HTTP that waits so long for each answer."""

    def __init__(
        self, bank: Bank, database: Database, content: Content, client: WeComClient
    ) -> None:
        api, media = ContactApi(client), MediaShelf(client, Path("/nowhere"), bank.clock)
        self.outbox = OutboxWorker(
            database, {"contact": ContactChannel(api, media)}, content, bank.clock
        )
        self.doubts = DoubtWorker(database, MadeTasks(api), content, bank.clock)


async def put(database: Database, chat: str) -> None:
    message = Broadcast(owner=OWNER, chats=(chat,), contents=(Text(text="今天讲防骗"),))
    terms = Terms(purpose="control", subject=chat)
    async with database.begin() as tx:
        await tx.outbox.put("sop:1:d02:1", message, terms, NOON)


@pytest.mark.parametrize(
    ("waits_s", "fault"),
    [
        pytest.param(5.0, "slow", id="slower than the peer's job"),
        pytest.param(0.1, "slow", id="slower than our patience, and never made"),
        pytest.param(5.0, "lost_answer", id="made, and the answer lost"),
    ],
)
async def test_a_call_that_takes_its_time_makes_one_task(
    bank: Bank, database: Database, content: Content, waits_s: float, fault: Kind
) -> None:
    async with serve_emulator(bank.world, live=False) as server, AsyncExitStack() as stack:
        given = (server.base_url, bank.world.corp_id, SECRET, MemoryTokens(), bank.clock)
        client = WeComClient(*given, timeout_s=waits_s)
        stack.push_async_callback(client.close)
        sender = Sender(bank, database, content, client)
        await client.post("externalcontact/groupchat/list", {"limit": 1})  # the token is there
        bank.world.faults.plan(API, fault, times=1, seconds=SLOW_S)
        await put(database, bank.chat)
        await sender.outbox.step()
        for _ in range(8):  # while the call is under way, time goes on and others look
            bank.clock.advance(seconds=1)
            await sender.outbox.step()
            await asyncio.sleep(SLOW_S / 20)
        for _ in range(20):
            await sender.outbox.step()
            await sender.outbox.drain()
            await sender.doubts.step()
            bank.clock.advance(minutes=1)
    (made,) = bank.world.broadcasts.items.values()
    async with database.read() as tx:
        assert await tx.outbox.state_of("sop:1:d02:1") == ("sent", "", made.msgid)
        assert await tx.ledger.count("doubt_cleared") == (waits_s < 1 or fault != "slow")
