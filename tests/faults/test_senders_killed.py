"""``kill -9`` again and again while messages leave: what may be repeated arrives once for certain.

What may not be repeated blindly arrives once at most: whatever was in doubt is listed as unknown,
or WeCom's own lists have proved what became of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import func, select

from bot.bench.processes import clean_environment
from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.domain.messages import Broadcast, CustomerWelcome, KfReply, Outbound, Text
from bot.emulator.contact import befriend
from bot.emulator.groups import create
from bot.emulator.server import serve_emulator
from bot.emulator.world import App, Customer, Member, World
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.storage.stuck import Letters
from bot.storage.tables import doubts, ledger, outbox
from bot.workspace import Workspace
from tests.faults.conftest import Tell
from tests.faults.counts import FULL, times
from tests.faults.senders import AGENT, SECRET
from tests.make import ACCOUNT, NOON, staff_card
from tests.waiting import until

KILLS = times(4, 100)
SEED = 20261012
LEASE = timedelta(seconds=121)  # a dead sender's claims are free by then
_LONGEST_LEASE = timedelta(minutes=6)  # of a look after a task in doubt
_STAFF = [f"rm{number}" for number in range(8)]
_LATEST_S = 0.12


@dataclass
class Post:
    """The world, the outbox, and the senders that die."""

    world: World
    clock: FakeClock
    database: Database
    url: str
    wecom: str
    zygote: Process
    chat: str
    wave: list[str]
    """Groups of one owner that get the same words in one call."""
    keys: dict[str, list[str]] = field(default_factory=dict)
    number: int = 0
    in_wave: dict[tuple[str, str], str] = field(default_factory=dict)

    async def start(self) -> int:
        """Let a sender live; return its process id."""
        life = {
            "database": self.url,
            "wecom": self.wecom,
            "corp": self.world.corp_id,
            "now": self.clock.now().isoformat(),
        }
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        self.zygote.stdin.write(json.dumps(life).encode() + b"\n")
        line = await asyncio.wait_for(self.zygote.stdout.readline(), 60)
        assert line.startswith(b"up "), line
        return int(line.split()[1])

    async def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not Path(f"/proc/{pid}").exists())

    async def fill(self) -> None:
        """Put some of each kind into the outbox."""
        async with self.database.begin() as tx:
            for kind, message in self._messages():
                key = f"{kind}:{self.number}"
                self.number += 1
                self.keys.setdefault(kind, []).append(key)
                subject = message.chats[0] if isinstance(message, Broadcast) else key
                if kind == "wave" and isinstance(message, Broadcast):
                    self.in_wave[_words(message), subject] = key
                terms = Terms(purpose="control", subject=subject)
                await tx.outbox.put(key, message, terms, self.clock.now())

    def _messages(self) -> list[tuple[str, Outbound]]:
        found: list[tuple[str, Outbound]] = []
        for _ in range(6):
            customer = self._comes()
            self.world.kf.customer_says(ACCOUNT, customer, "在吗")
            words = Text(text=f"reply:{self.number + len(found)}")
            reply = KfReply(account=ACCOUNT, customer=CustomerId(customer), content=words)
            found.append(("reply", reply))
        for _ in range(4):
            name = f"card:{self.number + len(found)}"
            found.append(("card", staff_card(name.replace(":", "-"), _STAFF[len(found) % 8])))
        for _ in range(3):
            words = Text(text=f"task:{self.number + len(found)}")
            chats = (GroupChatId(self.chat),)
            found.append(("task", Broadcast(owner=RmId("rm0"), chats=chats, contents=(words,))))
        words = Text(text=f"wave of {self.number}")
        for chat in self.wave:
            chats = (GroupChatId(chat),)
            found.append(("wave", Broadcast(owner=RmId("rm0"), chats=chats, contents=(words,))))
        for _ in range(3):
            customer, words = self._comes(), Text(text=f"hello:{self.number + len(found)}")
            befriend(self.world, "rm1", customer, quiet=True)
            hello = CustomerWelcome(
                manager=RmId("rm1"),
                customer=CustomerId(customer),
                code=self.world.contacts.welcomes.issue(self.world, "rm1", customer),
                contents=(words,),
            )
            found.append(("hello", hello))
        return found

    def _comes(self) -> str:
        customer = Customer(self.world.new_id("wm"), "街坊")
        return self.world.add_customer(customer).external_userid

    def arrived(self) -> Counter[str]:
        """Count what reached WeCom or its people, by the key of its row."""
        said = [one.text for one in self.world.deliveries.select("kf", source="kf_send_msg")]
        said += [one.text for one in self.world.deliveries.select("welcome")]
        for one in self.world.broadcasts.items.values():
            text, reached = one.body.text, one.tasks["rm0"].outcomes
            said += [self.in_wave.get((text, chat), text) for chat in reached]
        cards = [item.task_id for name in _STAFF for item in self.world.app_messages.inbox(name)]
        return Counter(said) + Counter(task.replace("-", ":", 1) for task in cards)

    async def states(self) -> dict[str, str]:
        async with self.database.read() as tx:
            rows = await tx.connection.execute(select(outbox.c.key, outbox.c.state))
            return {row.key: row.state for row in rows}

    async def next_due(self) -> datetime | None:
        """Return when work goes on; None where none is left."""
        async with self.database.read() as tx:
            return await tx.next_due(["outbox", "doubts"])

    async def rests(self) -> bool:
        """Tell whether nobody has anything in hand, and nothing is due."""
        due = await self.next_due()
        if due is not None and due <= self.clock.now():
            return False
        async with self.database.read() as tx:
            for table in (outbox, doubts):
                held = select(func.count()).where(table.c.holder != "")
                if (await tx.connection.execute(held)).scalar_one():
                    return False
        return True


def _words(message: Broadcast) -> str:
    return "".join(one.text for one in message.contents if isinstance(one, Text))


def _world(clock: FakeClock) -> tuple[World, str, list[str]]:
    world = World(clock)
    world.add_app(App(AGENT, SECRET))
    for name in _STAFF:
        world.add_member(Member(name, name))
    world.kf.add_account("小安", ACCOUNT)
    world.add_customer(Customer("wmFirst", "街坊"))
    befriend(world, "rm0", "wmFirst", quiet=True)
    group = create(world, "rm0", "安心群", ["wmFirst"], quiet=True)
    wave = [
        create(world, "rm0", f"同文群{number}", ["wmFirst"], quiet=True).chat_id
        for number in range(5)
    ]
    world.faults.plan("*", "slow", times=1_000_000, seconds=0.02)  # calls take their time
    return world, group.chat_id, wave


@asynccontextmanager
async def open_post(url: str, files: Workspace, log: BinaryIO) -> AsyncIterator[Post]:
    clock = FakeClock(NOON, running=True)
    world, chat, wave = _world(clock)
    database = await Database.open(url)
    await upgrade(database)
    zygote = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.senders", str(files.root)),
        env=clean_environment(),
        stdin=PIPE,
        stdout=PIPE,
        stderr=log,
        start_new_session=True,
    )
    try:
        async with serve_emulator(world, live=False) as server:
            yield Post(world, clock, database, url, server.base_url, zygote, chat, wave)
    finally:
        os.killpg(zygote.pid, signal.SIGKILL)  # with the child that lives, if one does
        await zygote.communicate()
        await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("shared_url"))
    return f"sqlite:///{tmp_path / 'a.db'}"


@pytest.mark.timeout(3600 if FULL else 110)
async def test_senders_killed_at_any_moment_lose_nothing_and_repeat_only_what_may_be(
    url: str, files: Workspace, tmp_path: Path, tell: Tell
) -> None:
    chance, log = random.Random(SEED), tmp_path / "senders.log"
    with log.open("wb") as told:
        async with open_post(url, files, told) as post:
            await _strike(post, chance)
            try:
                tell(await _judged(post, url.partition(":")[0]))
            except AssertionError:
                sys.stdout.write(log.read_text("utf-8", "replace")[-3000:])
                raise


async def _strike(post: Post, chance: random.Random) -> None:
    """Kill senders at random moments; then let what is left be worked off."""
    for _ in range(KILLS):
        await post.fill()
        pid = await post.start()
        await asyncio.sleep(chance.uniform(0, _LATEST_S))
        await post.kill(pid)
        post.clock.jump(post.clock.now() + LEASE)
    await _until_idle(post)


async def _until_idle(post: Post) -> None:
    """Let senders live one after the other, each at the next due moment, until nothing waits."""
    post.clock.jump(post.clock.now() + _LONGEST_LEASE)
    while (due := await post.next_due()) is not None:
        post.clock.jump(due)
        pid = await post.start()
        await until(post.rests, within_s=60)
        await post.kill(pid)


async def _judged(post: Post, backend: str) -> str:
    arrived, states = post.arrived(), await post.states()
    async with post.database.read() as tx:
        listed = await Letters(tx.connection).find(["outbox"], ["unknown"], 100_000)
        proved = await tx.connection.execute(
            select(func.count()).where(ledger.c.kind == "doubt_cleared")
        )
        cleared = int(proved.scalar_one())
    unknown = [key for key, state in states.items() if state == "unknown"]
    every = [key for keys in post.keys.values() for key in keys]
    safe = post.keys["reply"] + post.keys["card"]
    lost = [key for key in safe if not arrived[key]]
    twice = [key for key in every if arrived[key] > 1]
    claimed = [key for key in every if states[key] == "sent" and not arrived[key]]
    silent = [key for key in every if states[key] in ("failed", "skipped") and arrived[key]]
    waves = {text for text, _ in post.in_wave}
    tasks = sum(one.body.text in waves for one in post.world.broadcasts.items.values())
    line = (
        f"senders {backend} kills {KILLS}: rows {len(every)}, lost {len(lost)}, "
        f"twice {len(twice)}, unknown {len(unknown)}, listed {len(listed)}, "
        f"proved by WeCom's lists {cleared}, "
        f"{len(post.keys['wave'])} of waves in {tasks} tasks"
    )
    why = f"{line}; seed {SEED}; {Counter(states.values())}"
    assert not lost, f"{why}; lost {lost[:5]}, {[states[key] for key in lost[:5]]}"
    assert not twice, f"{why}; twice {twice[:5]}"
    assert not claimed, f"{why}; said to be sent and never seen: {claimed[:5]}"
    assert not silent, f"{why}; arrived and said to have failed: {silent[:5]}"
    assert len(listed) == len(unknown), why
    assert tasks < len(post.keys["wave"]) / 2, why  # they went together, whoever was killed
    assert {states[key] for key in safe} == {"sent"}, why
    return line
