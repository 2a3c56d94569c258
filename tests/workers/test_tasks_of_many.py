"""One task for many groups: settled by one call, each group by itself; owners reminded rarely."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.ids import GroupChatId, RmId
from bot.domain.messages import BroadcastCancel
from bot.domain.people import GroupChat
from bot.domain.polling import Answer, Status
from bot.domain.quota import LEARNT, Slot
from bot.domain.runs import RunStep, cancel_key, slot_key
from bot.domain.script import to_json
from bot.storage.db import Database, Tx
from bot.storage.quota import QuotaRow
from bot.workers.content import Content, version_of
from bot.workers.tasks import TaskWorker
from tests.make import NOON, OWNER
from tests.runs import a_run

SCRIPT, STEP = "senior-21d", "d02-rules"
HOUR = timedelta(hours=1)
TEN = NOON.replace(hour=10)
CLOSES = NOON.replace(hour=11, minute=45)


class Results:
    """Says of each group what it is told to say, and counts how often it is asked."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str]] = []

    async def all(self, msgid: str, owner: str) -> Mapping[str, Answer]:
        self.asked.append((msgid, owner))
        return self.answers


async def a_task(
    database: Database, content: Content, msgid: str, chats: tuple[str, ...], step: str = STEP
) -> None:
    """Give a task of the morning that these groups wait for, with their places in the ledger."""
    script = content.snapshot.scripts[SCRIPT]
    version = version_of(script)
    async with database.begin() as tx:
        await tx.scripts.publish(script.id, version, to_json(script), TEN)
        for chat in chats:
            group = GroupChat(id=GroupChatId(chat), name="群", owner=RmId(OWNER), members=())
            await tx.people.put_group(group, TEN)
            made = await a_run(
                tx, "waiting", step=step, script=SCRIPT, version=version, chat=chat, now=TEN
            )
            await tx.quota.use_many([QuotaRow(chat, "broadcast", slot_key(made.run, step), TEN)])
            await tx.runs.add_task(task(msgid, made.step, chat))
        control = Terms(purpose="control", subject=chats[0])
        cancel = BroadcastCancel(task=msgid)
        await tx.outbox.put(cancel_key(msgid), cancel, control, TEN, due_at=CLOSES)


def task(msgid: str, step: int, chat: str) -> dict[str, Any]:
    return {
        "msgid": msgid,
        "run_step": step,
        "owner": OWNER,
        "chat": chat,
        "created_at": TEN,
        "closes_at": CLOSES,
        "due_at": TEN,
    }


async def step_of(tx: Tx, chat: str) -> RunStep:
    (run,) = await tx.runs.of_subject(chat)
    (row,) = await tx.runs.steps(run.id)
    return row


async def slots_of(tx: Tx, chat: str) -> list[Slot]:
    return (await tx.quota.slots_of([chat], TEN - 24 * HOUR, TEN + 24 * HOUR))[chat]


async def cancel_of(database: Database, msgid: str) -> str:
    async with database.read() as tx:
        found = await tx.outbox.state_of(cancel_key(msgid))
    assert found is not None
    return found[0]


async def test_one_call_settles_every_group_of_a_task_by_what_became_of_it(
    database: Database, content: Content
) -> None:
    await a_task(database, content, "m1", ("wrSent", "wrGone", "wrFull", "wrLate"))
    sent_at = TEN + timedelta(minutes=3)
    results = Results(
        wrSent=Answer(Status.SENT, sent_at),
        wrGone=Answer(Status.NOT_A_FRIEND),
        wrFull=Answer(Status.FULL),
    )
    clock = FakeClock(TEN + timedelta(minutes=5))
    await TaskWorker(database, results, content, clock).step()
    assert results.asked == [("m1", OWNER)]
    async with database.read() as tx:
        steps = {chat: await step_of(tx, chat) for chat in ("wrSent", "wrGone", "wrFull", "wrLate")}
        assert {chat: (row.state, row.reason) for chat, row in steps.items()} == {
            "wrSent": ("confirmed", ""),
            "wrGone": ("failed", "not_friend"),
            "wrFull": ("planned", ""),  # whoever opens steps finds another day for it
            "wrLate": ("waiting", ""),
        }
        assert [slot.at for slot in await slots_of(tx, "wrSent")] == [sent_at]
        assert await slots_of(tx, "wrGone") == []
        learnt = {slot.source: slot.state for slot in await slots_of(tx, "wrFull")}
        assert learnt == {"": "planned", LEARNT: "used"}
        funnel = await tx.runs.funnel(SCRIPT)
    assert (funnel.planned, funnel.delivered, funnel.open) == (4, 1, 2)
    assert funnel.losses == {"not_friend": 1}
    assert await cancel_of(database, "m1") == "ready"  # somebody waits for it yet
    results.answers["wrLate"] = Answer(Status.SENT, sent_at)
    clock.advance(minutes=10)
    await TaskWorker(database, results, content, clock).step()
    assert await cancel_of(database, "m1") == "void"


async def test_what_nobody_sent_is_made_again_after_the_quiet_hours_or_skipped(
    database: Database, content: Content
) -> None:
    await a_task(database, content, "m1", ("wrA", "wrB"))
    clock = FakeClock(CLOSES)
    worker = TaskWorker(database, Results(), content, clock)
    await worker.step()
    async with database.begin() as tx:
        assert (await step_of(tx, "wrA")).state == "waiting"  # its cancel is not through
        (cancel,) = await tx.outbox.claim(CLOSES, urgent=False)
        await tx.outbox.settle(cancel.id, cancel.attempt, "sent", CLOSES)
    clock.advance(minutes=1)
    await worker.step()
    async with database.begin() as tx:
        for chat in ("wrA", "wrB"):
            row = await step_of(tx, chat)
            assert (row.state, row.opens_at) == ("planned", NOON.replace(hour=14, minute=30))
            assert [slot.state for slot in await slots_of(tx, chat)] == ["planned"]


async def reminders(database: Database, content: Content, clock: FakeClock, hours: int) -> int:
    worker = TaskWorker(database, Results(), content, clock)
    for _ in range(hours * 12):
        await worker.step()
        clock.advance(minutes=5)
    async with database.read() as tx:
        return await tx.ledger.count("owner_reminded", subject=OWNER)


async def test_an_owner_of_several_tasks_gets_one_message_for_all_and_three_a_day_at_most(
    database: Database, content: Content
) -> None:
    for number in range(5):
        await a_task(database, content, f"m{number}", (f"wr{number}a", f"wr{number}b"))
    clock = FakeClock(TEN)
    assert await reminders(database, content, clock, hours=1) == 1
    async with database.begin() as tx:
        due = await tx.outbox.claim(clock.now(), urgent=False)
        ((message, _),) = [(one.message, one.key) for one in due]
    assert "5 条群发" in message.text
    assert "10 个群或客户" in message.text


async def test_one_task_alone_is_reminded_of_by_wecom_itself(
    database: Database, content: Content
) -> None:
    await a_task(database, content, "m1", ("wrA",))
    clock = FakeClock(TEN)
    assert await reminders(database, content, clock, hours=1) == 1
    async with database.begin() as tx:
        (reminder,) = await tx.outbox.claim(clock.now(), urgent=False)
    assert (reminder.message.kind, reminder.message.task) == ("broadcast_reminder", "m1")


async def test_nobody_is_reminded_of_what_is_paused_or_stopped(
    database: Database, content: Content
) -> None:
    await a_task(database, content, "m1", ("wrA",))
    async with database.begin() as tx:
        await tx.holds.begin("pause", "script", SCRIPT, "王芳", "核对", TEN)
    assert await reminders(database, content, FakeClock(TEN), hours=1) == 0
