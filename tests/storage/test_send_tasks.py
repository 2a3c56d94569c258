"""Tasks for many receivers: claimed together, and cancelled only where nobody else needs them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.domain.delivery import Terms
from bot.domain.messages import BroadcastCancel
from bot.domain.people import GroupChat
from bot.domain.runs import cancel_key
from bot.storage.db import Database, Tx
from tests.make import MINUTE, NOON, OWNER, new_step
from tests.storage.test_runs import enrol

HOUR = timedelta(hours=1)
CHATS = ("wrA", "wrB", "wrC")


async def a_task_for_three(tx: Tx, msgid: str = "m1") -> list[int]:
    """Give one task that three groups wait for; return their runs."""
    runs = []
    for chat in CHATS:
        run = await enrol(tx, chat)
        assert run is not None
        await tx.people.put_group(
            GroupChat(id=chat, name=f"{chat}的群", owner=OWNER, members=()), NOON
        )
        await tx.runs.add_steps(run, [new_step("d02")], NOON)
        (step,) = await tx.runs.steps(run)
        await tx.runs.set_step(step.id, NOON, state="waiting", iteration=1)
        await tx.runs.add_task(task(msgid, step.id, chat))
        runs.append(run)
    control = Terms(purpose="control", subject=CHATS[0])
    cancel = BroadcastCancel(task=msgid)
    await tx.outbox.put(cancel_key(msgid), cancel, control, NOON, due_at=NOON + HOUR)
    return runs


def task(msgid: str, step: int, chat: str) -> dict[str, Any]:
    return {
        "msgid": msgid,
        "run_step": step,
        "owner": OWNER,
        "chat": chat,
        "created_at": NOON,
        "closes_at": NOON + HOUR,
        "due_at": NOON + 5 * MINUTE,
    }


async def leaving(tx: Tx) -> list[tuple[str, Any]]:
    """Return what leaves now: keys with their messages."""
    now = NOON + MINUTE
    due = await tx.outbox.claim(now, urgent=False) + await tx.outbox.claim(now, urgent=True)
    return [(one.key, one.message) for one in due]


async def test_one_claim_brings_all_receivers_of_a_task(database: Database) -> None:
    async with database.begin() as tx:
        await a_task_for_three(tx)
        await tx.runs.wake_tasks("wrB", NOON)
        (poll,) = await tx.tasks.claim(NOON)  # one is due, and with it come the others
        assert [one.chat for one in poll] == list(CHATS)
        assert await tx.tasks.claim(NOON + MINUTE) == []  # in hand
        steps = await tx.tasks.steps(poll)
        assert [steps[one.run_step].state for one in poll] == ["waiting"] * 3
        assert await tx.tasks.open_of(OWNER) == {"m1": (3, 0)}


async def test_x2_one_who_leaves_is_left_out_by_hand_and_the_last_cancels_the_task(
    database: Database,
) -> None:
    async with database.begin() as tx:
        first, second, third = await a_task_for_three(tx)
        await tx.runs.end(first, "exited", "complaint", NOON + MINUTE)
        ((_, told),) = await leaving(tx)
        assert told.to == (OWNER,)
        assert "请不要发给「wrA的群」" in told.text
        await tx.runs.end_all([second, third], "exited", "stopped", NOON + MINUTE)
        assert [key for key, _ in await leaving(tx)] == [cancel_key("m1")]


async def test_x2_where_all_leave_together_the_task_is_cancelled_and_nobody_is_asked(
    database: Database,
) -> None:
    async with database.begin() as tx:
        runs = await a_task_for_three(tx)
        await tx.runs.end_all(runs, "exited", "stopped", NOON + MINUTE)
        assert [key for key, _ in await leaving(tx)] == [cancel_key("m1")]


async def test_whoever_is_named_to_the_owner_is_named_once(database: Database) -> None:
    async with database.begin() as tx:
        await a_task_for_three(tx)
        for _ in range(2):
            assert await tx.runs.take_back([("m1", "wrA")], NOON + MINUTE) == []
        assert len(await leaving(tx)) == 1
        named = [("m1", chat) for chat in CHATS]
        assert await tx.runs.take_back(named, NOON + MINUTE) == ["m1"]
