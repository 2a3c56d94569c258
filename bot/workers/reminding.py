"""Reminds owners of mass-send tasks that wait for them: three times a day at most, over all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from bot.domain.delivery import Terms
from bot.domain.ids import RmId
from bot.domain.messages import BroadcastReminder
from bot.domain.polling import REMINDERS, REMINDERS_A_DAY, wants_reminder
from bot.domain.runs import SendTask
from bot.domain.staff_messages import StaffText
from bot.domain.steps import Step
from bot.storage.db import Tx
from bot.storage.tasks import InList
from bot.workers.content import Content


class Reminding:
    """One task is reminded of by WeCom itself; of several at once one message tells."""

    def __init__(self, content: Content) -> None:
        self._content = content

    async def remind(self, tx: Tx, owner: str, tasks: Sequence[SendTask], now: datetime) -> None:
        """Remind the owner of these receivers' task, if it is time and not too often."""
        earliest = [one for one in tasks if wants_reminder(one, REMINDERS_A_DAY, now)]
        if not earliest or "sop" in await tx.switches.stopped():
            return
        task = earliest[0]
        waiting = await tx.tasks.open_of(owner)
        listed = waiting.get(task.msgid)
        if listed is None:
            return
        # Read afresh: one message may have reminded of several since this task was taken up.
        fresh = task.model_copy(update={"reminded": listed.reminded})
        if not wants_reminder(fresh, await self._most(tx, task, now), now):
            return
        given = await tx.ledger.count("owner_reminded", since=self._today(now), subject=owner)
        if given >= REMINDERS_A_DAY:
            return
        day = now.astimezone(self._content.bank.zone).date()
        key = f"remind:{owner}:{day:%Y%m%d}:{given + 1}"
        if await self._put(tx, key, task, waiting, now):
            await tx.tasks.reminded(waiting if len(waiting) > 1 else [task.msgid])
            await tx.ledger.add("owner_reminded", owner, now, tasks=len(waiting))

    async def _put(
        self, tx: Tx, key: str, task: SendTask, waiting: dict[str, InList], now: datetime
    ) -> bool:
        # One that was held back overnight would be a fourth of the next day.
        closes_at = min(task.closes_at, self._today(now) + timedelta(days=1))
        if len(waiting) == 1:
            terms = Terms(purpose="control", subject=task.chat, closes_at=closes_at)
            return await tx.outbox.put(key, BroadcastReminder(task=task.msgid), terms, now)
        until = f"{task.closes_at.astimezone(self._content.bank.zone):%H:%M}"
        receivers = sum(one.receivers for one in waiting.values())
        text = (
            f"群发助手里有 {len(waiting)} 条群发等您点「发送」，一共发给 {receivers} 个群或客户，"
            f"最早的一条 {until} 收回。麻烦您有空时看一下。"
        )
        terms = Terms(purpose="staff", subject=task.owner, closes_at=closes_at)
        return await tx.outbox.put(key, StaffText(to=(RmId(task.owner),), text=text), terms, now)

    async def _most(self, tx: Tx, task: SendTask, now: datetime) -> int:
        """Return how often the file lets the owner be reminded of a step; 0 while it is paused."""
        step = await tx.runs.step(task.run_step)
        run = await tx.runs.get(step.run)
        script = await self._content.script(tx, run.script, run.version) if run else None
        if run is None or script is None or step.state != "waiting":
            return 0
        holds = await self._content.holds(tx, [(run.script, run.version)], now)
        if holds and holds.pausing(
            run.script, run.version, step.step, run.branch, task.owner, run.subject
        ):
            return 0
        part = script.part(step.step)
        said = part.unconfirmed if isinstance(part, Step) else None
        return REMINDERS if said is None else said.reminders

    def _today(self, now: datetime) -> datetime:
        zone = self._content.bank.zone
        return datetime.combine(now.astimezone(zone).date(), time(0), tzinfo=zone)
