"""D3: a peer put together all that was due of one employee, and customers got each other's."""

from __future__ import annotations

from bot.clock import FakeClock
from bot.domain.ids import CustomerId, RmId
from bot.domain.messages import CHANNEL_OF
from bot.domain.people import Customer, Follow
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.loop import run_until_idle
from bot.workers.outbox import OutboxWorker
from tests.make import NOON, OWNER
from tests.regressions.sending import Line, put_step
from tests.storage.test_gate_race import enrolled
from tests.workers.conftest import content as content
from tests.workers.conftest import snapshot as snapshot

TEN = NOON.replace(hour=10)


async def known(database: Database, *customers: str) -> None:
    async with database.begin() as tx:
        for one in customers:
            follow = Follow(manager=RmId(OWNER), since=NOON)
            friend = Customer(
                id=CustomerId(one), name=one, managers=(RmId(OWNER),), follows=(follow,)
            )
            await tx.people.learn(friend, NOON)


async def sent_by(database: Database, content: Content, clock: FakeClock) -> dict[str, list[str]]:
    line = Line()
    worker = OutboxWorker(database, dict.fromkeys(CHANNEL_OF.values(), line), content, clock)
    await run_until_idle([worker], database, clock)
    await worker.drain()
    return line.heard()


async def test_steps_of_one_manager_due_at_one_moment_reach_each_customer_with_his_own_words(
    database: Database, content: Content
) -> None:
    clock = FakeClock(TEN)
    words = {"wmA": "李阿姨您好", "wmB": "王叔叔您好", "wmC": "大家好", "wmD": "大家好"}
    await known(database, *words)
    for customer, text in words.items():
        run = await enrolled(database, content, customer, TEN)
        async with database.begin() as tx:
            await tx.runs.change(run, subject_kind="customer")
            await put_step(tx, run, customer, text, TEN, subject_kind="customer")
    assert await sent_by(database, content, clock) == {one: [text] for one, text in words.items()}


async def test_groups_of_one_owner_at_different_days_of_a_script_get_each_their_own_day(
    database: Database, content: Content
) -> None:
    clock = FakeClock(TEN)
    words = {"wrA": "第二天", "wrB": "第三天", "wrC": "第三天"}
    for chat, text in words.items():
        run = await enrolled(database, content, chat, TEN)
        async with database.begin() as tx:
            await put_step(tx, run, chat, text, TEN)
    assert await sent_by(database, content, clock) == {one: [text] for one, text in words.items()}
