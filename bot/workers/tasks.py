"""Asks WeCom what became of mass-send tasks: nothing tells us when an owner presses send."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.runs import SendTask
from bot.errors import ChannelError, Undeliverable
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.workers.content import Content
from bot.workers.settle import REMIND_AFTER, reopen_or_skip, step_key

log = logger(__name__)
_LONGEST_POLL = timedelta(minutes=60)
_CANCEL_GRACE = timedelta(seconds=30)
_ASK_AGAIN = timedelta(minutes=1)
_SENT, _NOT_A_FRIEND, _QUOTA = 1, 2, 3  # wecom_protocol §5.7
_REASONS = {_NOT_A_FRIEND: "not_friend", _QUOTA: "platform_quota"}


class Results(Protocol):
    """Where the results of tasks are asked for."""

    async def of(self, msgid: str, owner: str, chat: str) -> int:
        """Return a group's status in a task."""


class TaskWorker:
    """Polls tasks, ever more slowly, until they are sent or their window is over."""

    watches = ("send_tasks",)

    def __init__(
        self, database: Database, results: Results, content: Content, clock: Clock
    ) -> None:
        self._database = database
        self._results = results
        self._content = content
        self._clock = clock

    async def step(self) -> int:
        """Ask after one batch of tasks; return how many there were."""
        async with self._database.begin() as tx:
            tasks = await tx.runs.claim_tasks(self._clock.now())
            # Known before WeCom is asked: once the cancel is through, an answer is the last word.
            cancelled = {task.msgid: await self._cancelled(tx, task) for task in tasks}
        for task in tasks:
            try:
                status = await self._results.of(task.msgid, task.owner, task.chat)
            except ChannelError as error:
                await self._no_answer(task, error, cancelled[task.msgid])
                continue
            async with self._database.begin() as tx:
                await self._settle(tx, task, status, cancelled[task.msgid], self._clock.now())
        return len(tasks)

    async def _no_answer(self, task: SendTask, error: ChannelError, cancelled: bool) -> None:
        """Ask again; a task that WeCom will never tell about is in doubt, not made again."""
        log.warning("task_poll_failed", task=task.msgid, reason=str(error))
        now = self._clock.now()
        async with self._database.begin() as tx:
            if isinstance(error, Undeliverable) and cancelled and now >= task.closes_at:
                await self._end(tx, task, "failed", "in_doubt", now)
            else:
                await tx.runs.finish_task(task, due_at=now + _ASK_AGAIN)

    async def _settle(
        self, tx: Tx, task: SendTask, status: int, cancelled: bool, now: datetime
    ) -> None:
        step = await tx.runs.step(task.run_step)
        if step.state != "waiting":
            await tx.runs.finish_task(task, state="over")
            return
        key = step_key(step.run, step.step, step.iteration)
        if status == _SENT:
            await self._end(tx, task, "confirmed", "", now)
        elif status in _REASONS:
            await tx.quota.release(key)
            await self._end(tx, task, "failed", _REASONS[status], now)
        elif now < task.closes_at:
            waited = now - task.created_at
            again = min(now + min(max(waited, timedelta(minutes=5)), _LONGEST_POLL), task.closes_at)
            await tx.runs.finish_task(task, due_at=again)
        elif cancelled and await self._cancel_failed(tx, task):
            # The old task may still be in its owner's list: a second one could be sent as well.
            await self._end(tx, task, "failed", "cancel_failed", now)
        elif cancelled:
            await tx.runs.finish_task(task, state="cancelled")
            await reopen_or_skip(tx, self._content, step, "owner_unconfirmed", now)
        else:
            await tx.runs.finish_task(task, due_at=now + _CANCEL_GRACE)

    async def _cancelled(self, tx: Tx, task: SendTask) -> bool:
        """Tell whether the cancel has gone through: before it has, the owner may still send."""
        state = await tx.outbox.state_of(f"cancel:{task.msgid}")
        return state is not None and state[0] in ("sent", "failed")

    async def _cancel_failed(self, tx: Tx, task: SendTask) -> bool:
        state = await tx.outbox.state_of(f"cancel:{task.msgid}")
        return state is not None and state[0] == "failed"

    async def _end(self, tx: Tx, task: SendTask, state: str, reason: str, now: datetime) -> None:
        step = await tx.runs.step(task.run_step)
        await tx.runs.set_step(step.id, now, state=state, reason=reason)
        await tx.runs.finish_task(task, state="over")
        reminders = [f"remind:{task.msgid}:{n}" for n in range(1, len(REMIND_AFTER) + 1)]
        await tx.outbox.void([f"cancel:{task.msgid}", *reminders], "over", now)
        await tx.ledger.add(
            f"step_{state}", task.chat, now, step=step.step, by=task.owner, reason=reason
        )
        await tx.runs.set_due(step.run, now)
