"""Which tasks were made: WeCom's own lists, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.channels.made import MadeTasks
from bot.domain.doubt import looks_like
from bot.domain.messages import Broadcast, Link, Text
from bot.emulator.groups import create
from bot.emulator.server import serve_emulator
from bot.errors import Retryable
from bot.wecom.client import MemoryTokens, WeComClient
from bot.wecom.contact import ContactApi
from tests.channels.bank import OTHER, SECRET, Bank
from tests.make import CUSTOMER, MINUTE, OWNER

WORDS = (Text(text="今天讲防骗"), Link(title="讲座", url="https://bank.example/talk"))


async def test_a_made_task_is_found_by_its_words_and_told_apart_by_owner_and_group(
    bank: Bank,
) -> None:
    others = create(bank.world, OTHER, "别人的群", [CUSTOMER], quiet=True).chat_id
    ours = Broadcast(owner=OWNER, chats=(bank.chat,), contents=WORDS)
    theirs = Broadcast(owner=OTHER, chats=(others,), contents=WORDS)
    for key, message in (("a", theirs), ("b", ours)):
        await bank.contact.send(key, message, repeated=False)
    now = bank.clock.now()
    async with serve_emulator(bank.world, live=False) as server:
        client = WeComClient(
            server.base_url, bank.world.corp_id, SECRET, MemoryTokens(), bank.clock
        )
        made = MadeTasks(ContactApi(client))
        try:
            found = await made.between(ours, now - MINUTE, now + MINUTE)
            assert len(found) == 2
            assert all(looks_like(task, ours) for task in found)
            yes = [one.msgid for one in found if bank.chat in await made.receivers(one.msgid, ours)]
            assert len(yes) == 1
            assert OWNER in bank.world.broadcasts.items[yes[0]].tasks
            assert await made.between(ours, now - timedelta(days=2), now - timedelta(days=1)) == []
            bank.world.broadcasts.dispatch_for = timedelta(hours=1)
            with pytest.raises(Retryable):  # 41063: too early to tell is not absence
                await made.receivers(yes[0], ours)
        finally:
            await client.close()
