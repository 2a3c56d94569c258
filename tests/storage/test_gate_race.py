"""Several senders at once: a group never gets more than its caps, a customer never more than five.

Each sender is a database pool of its own, as a process of its own would have.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.events import Notice, Received
from bot.domain.ids import GroupChatId
from bot.domain.messages import CHANNEL_OF, Outbound, Receipt
from bot.domain.people import GroupChat
from bot.domain.script import to_json
from bot.sop.fire import step_key
from bot.storage.db import Database
from bot.workers.content import Content, version_of
from bot.workers.loop import run_until_idle
from bot.workers.outbox import OutboxWorker
from tests.make import ACCOUNT, CHAT, CUSTOMER, NOON, OWNER, answer_terms, broadcast, reply
from tests.workers.conftest import content as content
from tests.workers.conftest import snapshot as snapshot

SENDERS = 8
GROUPS = 3
SCRIPT = "senior-21d"


class Counting:
    """A channel that takes its time and notes what went to whom."""

    name = "any"

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.reached: list[str] = []

    def cursor_of(self, notice: Notice) -> str | None:
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        return Received()

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        await asyncio.sleep(0)
        self.sent.append(key)
        self.reached += getattr(message, "chats", ())
        return Receipt(ref=key)


async def work_together(
    url: str, content: Content, clock: FakeClock, line: Counting, senders: int
) -> None:
    async with AsyncExitStack() as stack:
        workers = []
        for _ in range(senders):
            own = await Database.open(url, durable=False, pool=2)
            stack.push_async_callback(own.close)
            workers.append((own, OutboxWorker(own, channels(line), content, clock)))
        await asyncio.gather(*(run_until_idle([one], own, clock) for own, one in workers))


def channels(line: Counting) -> dict[str, Counting]:
    return dict.fromkeys(CHANNEL_OF.values(), line)


async def enrolled(database: Database, content: Content, chat: str, now: datetime) -> int:
    script = content.snapshot.scripts[SCRIPT]
    async with database.begin() as tx:
        version = version_of(script)
        await tx.scripts.publish(script.id, version, to_json(script), now)
        await tx.people.put_group(
            GroupChat(id=GroupChatId(chat), name="群", owner=OWNER, members=()), now
        )
        run = await tx.runs.enrol(
            script=SCRIPT,
            version=version,
            subject=chat,
            owner=OWNER,
            branch="",
            anchor=date(2026, 10, 11),
            state="running",
            now=now,
        )
    assert run is not None
    return run


async def test_eight_senders_keep_the_cap_of_every_group(
    database: Database, url: str, content: Content
) -> None:
    clock = FakeClock(NOON.replace(hour=10))
    chats = [f"{CHAT}{number}" for number in range(GROUPS)]
    for chat in chats:
        run = await enrolled(database, content, chat, clock.now())
        async with database.begin() as tx:
            for number in range(12):
                terms = Terms(
                    purpose="step",
                    subject=chat,
                    quota=True,
                    script=SCRIPT,
                    step="d02-rules",
                    enrolment=run,
                    round=number + 1,
                    closes_at=clock.now() + timedelta(hours=1),
                )
                message = broadcast(str(number)).model_copy(update={"chats": (chat,)})
                key = step_key(run, "d02-rules", 1, number + 1)
                await tx.outbox.put(key, message, terms, clock.now())
    line = Counting()
    await work_together(url, content, clock, line, SENDERS)
    assert sorted(line.reached) == chats  # one a day for each
    async with database.read() as tx:
        counts = await tx.outbox.counts()
        assert counts == {"sent": GROUPS, "skipped": 11 * GROUPS}
        assert await tx.ledger.count("message_skipped") == 11 * GROUPS


async def test_eight_senders_keep_one_of_five_for_the_words_that_announce_a_person(
    database: Database, url: str, content: Content
) -> None:
    clock = FakeClock(NOON)
    async with database.begin() as tx:
        await tx.conversations.ensure(CUSTOMER, ACCOUNT)
        await tx.conversations.change(CUSTOMER, ACCOUNT, last_customer_at=NOON)
        for number in range(12):
            await tx.outbox.put(f"answer{number:02}", reply(str(number)), answer_terms(), NOON)
        notice = answer_terms().model_copy(update={"purpose": "notice"})
        await tx.outbox.put("notice", reply("马上请人来"), notice, NOON)
    line = Counting()
    await work_together(url, content, clock, line, SENDERS)
    assert line.sent == ["answer00", "answer01", "answer02", "answer03", "notice"]
    async with database.read() as tx:
        session = await tx.conversations.session(CUSTOMER, ACCOUNT)
    assert session is not None
    assert session.sent == 5


async def test_eight_senders_send_nothing_twice_and_leave_nothing_behind(
    database: Database, url: str, content: Content
) -> None:
    clock = FakeClock(NOON)
    async with database.begin() as tx:
        for number in range(120):
            terms = Terms(purpose="control", subject="x")
            message = broadcast(str(number)).model_copy(update={"owner": f"rm{number}"})
            await tx.outbox.put(f"k{number}", message, terms, NOON, lane=f"lane{number % 40}")
    line = Counting()
    await work_together(url, content, clock, line, SENDERS)
    assert sorted(line.sent) == sorted(f"k{number}" for number in range(120))
    for lane in range(40):
        mine = [key for key in line.sent if int(key[1:]) % 40 == lane]
        assert mine == [f"k{lane}", f"k{lane + 40}", f"k{lane + 80}"]
