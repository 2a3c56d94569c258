"""Asks WeCom what became of mass-send tasks: nothing tells us when an owner presses send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.polling import Answer, Cancel, Failed, Verdict, judge
from bot.domain.runs import RunStep, SendTask, cancel_key
from bot.errors import ChannelError, DatabaseFailed, Undeliverable
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.tasks import TaskEnd
from bot.workers.content import Content
from bot.workers.reminding import Reminding
from bot.workers.task_ends import TaskEnds, moved

log = logger(__name__)
_ASK_AGAIN = timedelta(minutes=1)
_GIVE_UP_AFTER = timedelta(days=1)  # after a window that nobody could learn the end of
_NOT_DONE = ("failed", "dead")  # what a message comes to that WeCom would not take
_AT_ONCE = 200  # receivers in a transaction: callbacks wait no longer


class Results(Protocol):
    """Where the results of tasks are asked for."""

    async def all(self, msgid: str, owner: str) -> Mapping[str, Answer]:
        """Return what became of each receiver of an owner's task; who is missing is unsent."""


class TaskWorker:
    """Polls tasks, ever more slowly, until they are sent or their window is over.

    One call tells of all groups or customers of a task, which are settled together.
    """

    watches = ("send_tasks",)

    def __init__(
        self, database: Database, results: Results, content: Content, clock: Clock
    ) -> None:
        self._database = database
        self._results = results
        self._content = content
        self._reminding = Reminding(content)
        self._clock = clock

    async def step(self) -> int:
        """Ask after one batch of tasks; return how many there were."""
        async with self._database.begin() as tx:
            polls = await tx.tasks.claim(self._clock.now())
            # Known before WeCom is asked: once the cancel is through, an answer is the last word.
            cancels = {poll[0].msgid: await self._cancel(tx, poll[0].msgid) for poll in polls}
        for poll in polls:
            try:
                await self._ask(poll, cancels[poll[0].msgid])
            except DatabaseFailed:
                raise
            except Exception as error:  # one that stumbles does not keep the others waiting
                log.exception("task_stumbled", task=poll[0].msgid)
                await self._put_off(poll, type(error).__name__)
        return len(polls)

    async def _cancel(self, tx: Tx, msgid: str) -> Cancel:
        """Tell what became of a task's cancel: before it is through, the owner may still send."""
        state = await tx.outbox.state_of(cancel_key(msgid))
        if state is None or state[0] not in ("sent", *_NOT_DONE):
            return ""
        return "failed" if state[0] in _NOT_DONE else "done"

    async def _ask(self, poll: Sequence[SendTask], cancel: Cancel) -> None:
        msgid, owner = poll[0].msgid, poll[0].owner
        try:
            answers = await self._results.all(msgid, owner)
        except ChannelError as error:
            await self._no_answer(poll, error, cancel)
            return
        for start in range(0, len(poll), _AT_ONCE):
            async with self._database.begin() as tx:
                part = poll[start : start + _AT_ONCE]
                await self._settle(tx, part, answers, cancel, self._clock.now())
        async with self._database.begin() as tx:
            await self._reminding.remind(tx, owner, poll, self._clock.now())

    async def _settle(
        self,
        tx: Tx,
        tasks: Sequence[SendTask],
        answers: Mapping[str, Answer],
        cancel: Cancel,
        now: datetime,
    ) -> None:
        steps = await tx.tasks.steps(tasks)
        owners = await tx.tasks.owners([one.chat for one in tasks if one.subject_kind == "group"])
        judged: list[tuple[SendTask, RunStep, Verdict]] = []
        for task in tasks:
            step, answer = steps[task.run_step], answers.get(task.chat, Answer())
            verdict = judge(task, step.state, answer, cancel, moved(task, owners), now)
            judged.append((task, step, verdict))
        await self._write(tx, judged, owners, now)

    async def _write(
        self,
        tx: Tx,
        judged: Sequence[tuple[SendTask, RunStep, Verdict]],
        owners: Mapping[str, str],
        now: datetime,
    ) -> None:
        ends = TaskEnds(self._content, owners, now)
        await ends.add(tx, judged)
        await ends.write(tx)

    async def _no_answer(
        self, poll: Sequence[SendTask], error: ChannelError, cancel: Cancel
    ) -> None:
        """Ask again; a task that WeCom will never tell about is in doubt, not made again."""
        log.warning("task_poll_failed", task=poll[0].msgid, reason=str(error))
        now = self._clock.now()
        if isinstance(error, Undeliverable) and cancel and now >= poll[0].closes_at:
            async with self._database.begin() as tx:
                steps = await tx.tasks.steps(poll)
                lost = [(task, steps[task.run_step], Failed("in_doubt")) for task in poll]
                await self._write(tx, lost, {}, now)
        else:
            await self._put_off(poll, str(error))

    async def _put_off(self, poll: Sequence[SendTask], error: str) -> None:
        """Ask again; a day after its window the task is a dead letter, and its steps in doubt."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            if now < poll[0].closes_at + _GIVE_UP_AFTER:
                again = now + _ASK_AGAIN
                await tx.tasks.finish([TaskEnd(one, "waiting", again, error) for one in poll])
                return
            steps = await tx.tasks.steps(poll)
            waiting = [one for one in poll if steps[one.run_step].state == "waiting"]
            lost = [(one, steps[one.run_step], Failed("in_doubt")) for one in waiting]
            await self._write(tx, lost, {}, now)
            # Without a moment and with its error, a row is listed for people to look at.
            await tx.tasks.bury(poll, error)
