"""Asks WeCom what became of mass-send tasks: nothing tells us when an owner presses send."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.runs import RunStep, SendTask, cancel_key, remind_keys
from bot.errors import ChannelError, DatabaseFailed, Undeliverable
from bot.log import logger
from bot.ports import Clock
from bot.sop.fire import step_key
from bot.storage.db import Database, Tx
from bot.workers.content import Content
from bot.workers.owners import make_anew, take_from_old_owner
from bot.workers.settle import reopen_or_skip

log = logger(__name__)
_LONGEST_POLL = timedelta(minutes=60)
_CANCEL_GRACE = timedelta(seconds=30)
_ASK_AGAIN = timedelta(minutes=1)
_GIVE_UP_AFTER = timedelta(days=1)  # after a window that nobody could learn the end of
_SENT, _NOT_A_FRIEND, _QUOTA = 1, 2, 3  # wecom_protocol §5.7
_NOT_DONE = ("failed", "dead")  # what a message comes to that WeCom would not take
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
                await self._ask(task, cancelled[task.msgid])
            except DatabaseFailed:
                raise
            except Exception as error:  # one that stumbles does not keep the others waiting
                log.exception("task_stumbled", task=task.msgid)
                async with self._database.begin() as tx:
                    await self._put_off(tx, task, type(error).__name__, self._clock.now())
        return len(tasks)

    async def _ask(self, task: SendTask, cancelled: bool) -> None:
        try:
            status = await self._results.of(task.msgid, task.owner, task.chat)
        except ChannelError as error:
            await self._no_answer(task, error, cancelled)
            return
        async with self._database.begin() as tx:
            await self._settle(tx, task, status, cancelled, self._clock.now())

    async def _no_answer(self, task: SendTask, error: ChannelError, cancelled: bool) -> None:
        """Ask again; a task that WeCom will never tell about is in doubt, not made again."""
        log.warning("task_poll_failed", task=task.msgid, reason=str(error))
        now = self._clock.now()
        async with self._database.begin() as tx:
            if isinstance(error, Undeliverable) and cancelled and now >= task.closes_at:
                await self._end(tx, task, "failed", "in_doubt", now)
            else:
                await self._put_off(tx, task, str(error), now)

    async def _put_off(self, tx: Tx, task: SendTask, error: str, now: datetime) -> None:
        """Ask again; a day after its window the task is a dead letter, and its step in doubt."""
        if now < task.closes_at + _GIVE_UP_AFTER:
            await tx.runs.finish_task(task, due_at=now + _ASK_AGAIN, error=error)
            return
        step = await tx.runs.step(task.run_step)
        await tx.runs.finish_task(task, error=error)
        if step.state == "waiting":
            await tx.runs.set_due(step.run, now)
            await tx.runs.set_step(step.id, now, state="failed", reason="in_doubt")
            await tx.ledger.add(
                "step_failed", task.chat, now, step=step.step, by=task.owner, reason="in_doubt"
            )

    async def _settle(
        self, tx: Tx, task: SendTask, status: int, cancelled: bool, now: datetime
    ) -> None:
        step = await tx.runs.step(task.run_step)
        if step.state != "waiting":
            await self._settle_late(tx, task, step, status, cancelled, now)
            return
        key = step_key(step.run, step.step, step.iteration)
        if status == _SENT:
            await self._end(tx, task, "confirmed", "", now)
        elif status in _REASONS:
            await tx.quota.release(key)
            await self._end(tx, task, "failed", _REASONS[status], now)
        elif now < task.closes_at and await self._moved(tx, task):
            await take_from_old_owner(tx, task, now)
        elif now < task.closes_at:
            waited = now - task.created_at
            again = min(now + min(max(waited, timedelta(minutes=5)), _LONGEST_POLL), task.closes_at)
            await tx.runs.finish_task(task, due_at=again)
        elif cancelled and await self._cancel_failed(tx, task):
            # The old task may still be in its owner's list: a second one could be sent as well.
            await self._end(tx, task, "failed", "cancel_failed", now)
        elif cancelled:
            await tx.runs.finish_task(task, state="cancelled")
            if await self._moved(tx, task) and await make_anew(tx, self._content, step, now):
                return
            await reopen_or_skip(tx, self._content, step, "owner_unconfirmed", now)
        else:
            await tx.runs.finish_task(task, due_at=now + _CANCEL_GRACE)

    async def _settle_late(
        self,
        tx: Tx,
        task: SendTask,
        step: RunStep,
        status: int,
        cancelled: bool,
        now: datetime,
    ) -> None:
        """Settle a task whose run has ended: until its cancel is through, it may be sent."""
        if status == _SENT and step.state == "skipped":
            await self._end(tx, task, "confirmed", "", now)
        elif status == _SENT or status in _REASONS or cancelled:
            await tx.quota.release(step_key(step.run, step.step, step.iteration))
            await tx.runs.finish_task(task, state="over")
        else:
            await tx.runs.finish_task(task, due_at=now + _CANCEL_GRACE)

    async def _moved(self, tx: Tx, task: SendTask) -> bool:
        """Tell whether the group has gone to another owner, who can confirm nothing of this."""
        owner = await tx.people.owner_of(task.chat)
        return bool(owner) and owner != task.owner

    async def _cancelled(self, tx: Tx, task: SendTask) -> bool:
        """Tell whether the cancel has gone through: before it has, the owner may still send."""
        state = await tx.outbox.state_of(cancel_key(task.msgid))
        return state is not None and state[0] in ("sent", *_NOT_DONE)

    async def _cancel_failed(self, tx: Tx, task: SendTask) -> bool:
        state = await tx.outbox.state_of(cancel_key(task.msgid))
        return state is not None and state[0] in _NOT_DONE

    async def _end(self, tx: Tx, task: SendTask, state: str, reason: str, now: datetime) -> None:
        step = await tx.runs.step(task.run_step)
        await tx.runs.set_due(step.run, now)  # a run before its steps: see Settlement
        await tx.runs.set_step(step.id, now, state=state, reason=reason)
        await tx.runs.finish_task(task, state="over")
        await tx.outbox.void([cancel_key(task.msgid), *remind_keys(task.msgid)], "over", now)
        await tx.ledger.add(
            f"step_{state}", task.chat, now, step=step.step, by=task.owner, reason=reason
        )
