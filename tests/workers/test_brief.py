"""The morning's brief: what really waits, once; of the week, what was worked last."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from bot.clock import FakeClock
from bot.domain.lead import Need
from bot.storage.db import Database
from bot.storage.leads import Opening
from bot.storage.tables import outbox
from bot.workers.brief import BriefWorker
from bot.workers.content import Content
from bot.workers.tasks import TaskWorker
from tests.make import NOON, OWNER, signal
from tests.workers.test_tasks_of_many import CLOSES, Results, a_task

HEAD = "shen.mingyuan"
ELEVEN = NOON.replace(hour=11)


async def briefs(database: Database, kind: str = "day") -> dict[str, str]:
    """Return the briefs that are on their way, by who gets them."""
    async with database.read() as tx:
        rows = await tx.connection.execute(select(outbox.c.key, outbox.c.body))
        return {
            row.body["to"][0]: row.body["text"]
            for row in rows
            if row.key.startswith("brief:") and f":{kind}:" in row.key
        }


async def written(database: Database, content: Content, now: datetime, hour: int = 9) -> int:
    worker = BriefWorker(database, content, FakeClock(now), hour, group=False, members=True)
    return await worker.step()


async def test_tasks_to_confirm_stand_in_the_brief_which_counts_as_a_reminder(
    database: Database, content: Content
) -> None:
    await a_task(database, content, "m1", ("wrA", "wrB"))
    await a_task(database, content, "m2", ("wrC",))
    assert await written(database, content, ELEVEN, 11) == 1
    (words,) = (await briefs(database)).values()
    assert (
        "群发：2 条等您在群发助手里点「发送」，共 3 个群或客户，最早一条 今天 11:45 收回" in words
    )
    async with database.read() as tx:
        assert await tx.ledger.count("owner_reminded", subject=OWNER) == 1
    # Half an hour after they were made is past, but the brief has just said it.
    clock = FakeClock(ELEVEN + timedelta(minutes=5))
    await TaskWorker(database, Results(), content, clock).step()
    async with database.read() as tx:
        assert await tx.ledger.count("owner_reminded", subject=OWNER) == 1
    assert clock.now() < CLOSES
    assert await written(database, content, ELEVEN + timedelta(minutes=10), 11) == 0
    async with database.read() as tx:
        assert await tx.ledger.count("owner_reminded", subject=OWNER) == 1


async def test_what_nobody_has_stands_in_the_brief_of_the_branchs_head_alone(
    database: Database, content: Content
) -> None:
    async with database.begin() as tx:
        pooled = Opening(OWNER[:0], "new", branch="b01")
        await tx.leads.open(signal(Need.WEALTH, customer="wm1", at=NOON), pooled, NOON)
    assert await written(database, content, ELEVEN, 11) == 1
    told = await briefs(database)
    assert list(told) == [HEAD]
    assert "待分派：1 条线索还没有人" in told[HEAD]


async def test_the_first_brief_after_a_holiday_goes_back_to_the_last_days_of_work(
    database: Database, content: Content
) -> None:
    at = datetime(2026, 2, 13, 10, tzinfo=NOON.tzinfo)
    back = datetime(2026, 2, 24, 9, tzinfo=NOON.tzinfo)
    assert not content.tables.is_workday(back.date() - timedelta(days=1))
    assert content.tables.is_workday(back.date())
    async with database.begin() as tx:
        await tx.leads.open(
            signal(Need.WEALTH, customer="wm1", at=at), Opening(OWNER, branch="b01"), at
        )
    await written(database, content, back)
    words = (await briefs(database, "week"))[OWNER]
    assert "放假前后（2月9日 到 2月22日）" in words
    assert "新来 1 条" in words
    assert "按时回 0 / 1（0.0%）" in words
