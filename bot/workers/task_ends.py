"""Writes down what became of the receivers of mass-send tasks: a handful of statements for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never

from bot.domain.ids import digest
from bot.domain.polling import (
    Anew,
    AskAgain,
    Confirmed,
    Failed,
    Over,
    Refused,
    TakeBack,
    Unsent,
    Verdict,
)
from bot.domain.quota import planned_at
from bot.domain.runs import Run, RunStep, SendTask, cancel_key, slot_key
from bot.storage.db import Tx
from bot.storage.quota import QuotaRow
from bot.storage.tasks import StepEnd, TaskEnd
from bot.workers.content import Content
from bot.workers.gate import hours_of

Window = tuple[datetime, datetime]
FULL = "platform_quota"


class TaskEnds:
    """Gathers the ends of one transaction, and writes them together."""

    def __init__(self, content: Content, owners: Mapping[str, str], now: datetime) -> None:
        self._content = content
        self._owners = owners
        self._now = now
        self._tasks: list[TaskEnd] = []
        self._steps: list[StepEnd] = []
        self._entries: list[tuple[str, str, dict[str, Any]]] = []
        self._released: list[str] = []
        self._planned: list[str] = []
        self._sent: list[tuple[str, datetime]] = []
        self._full: list[QuotaRow] = []
        self._moved: list[SendTask] = []

    async def add(self, tx: Tx, judged: Sequence[tuple[SendTask, RunStep, Verdict]]) -> None:
        """Take in what is to be written of each receiver."""
        ended = (Anew, Unsent)
        asked = {step.run for _, step, verdict in judged if isinstance(verdict, ended)}
        runs = await tx.gate.runs(asked)
        for task, step, verdict in judged:
            match verdict:
                case Confirmed(at=at):
                    self._confirmed(task, step, at)
                case Refused(reason=reason):
                    self._refused(task, step, reason)
                case Failed(reason=reason):
                    self._end(task, step, "failed", reason)
                case AskAgain(at=at):
                    self._tasks.append(TaskEnd(task, "waiting", at))
                case TakeBack(again=again):
                    self._tasks.append(TaskEnd(task, "waiting", again))
                    self._moved.append(task)
                case Anew():
                    left = await self._left(tx, runs.get(step.run), step)
                    self._again(task, step, "owner_changed", left)
                case Unsent():
                    run = runs.get(step.run)
                    anew = moved(task, self._owners)
                    left = await self._left(tx, run, step, begun=anew)
                    reason = "owner_changed" if anew and left else "owner_unconfirmed"
                    self._again(task, step, reason, left, state="cancelled")
                case Over():
                    self._released.append(_slot(step))
                    self._tasks.append(TaskEnd(task, "over"))
                case _:
                    assert_never(verdict)

    async def write(self, tx: Tx) -> None:
        """Write everything; a run before its steps, and those before their tasks."""
        now = self._now
        if self._steps:
            await tx.tasks.end_steps(self._steps, now)
        await tx.tasks.finish(self._tasks)
        await tx.quota.confirm_many(self._sent)
        if self._released:
            await tx.quota.release_many(self._released)
        if self._planned:
            today = now.astimezone(self._content.bank.zone).date()
            await tx.quota.plan_again(self._planned, planned_at(today, self._content.bank.zone))
        if self._full:
            await tx.quota.learn_full(self._full)
            await tx.readbacks.hasten(now)  # others have sent what is not known yet
        await tx.planning.note(self._entries, now)
        await self._void(tx)
        for task in self._moved:
            if await tx.runs.take_back([(task.msgid, task.chat)], now):
                await tx.ledger.add("task_taken_back", task.chat, now, owner=task.owner)

    async def _void(self, tx: Tx) -> None:
        """Forget the cancels of tasks that wait for nobody any more (X2)."""
        over = {end.task.msgid for end in self._tasks if end.state == "over"}
        if over:
            done = sorted(over - await tx.tasks.still_open(over))
            await tx.outbox.void([cancel_key(msgid) for msgid in done], "over", self._now)

    def _confirmed(self, task: SendTask, step: RunStep, at: datetime) -> None:
        self._sent.append((_slot(step), at))
        self._end(task, step, "confirmed", "")

    def _refused(self, task: SendTask, step: RunStep, reason: str) -> None:
        """End what the owner pressed and WeCom did not let through; what is full is learnt."""
        if reason != FULL:
            self._released.append(_slot(step))
            self._end(task, step, "failed", reason)
            return
        key = f"full:{digest(task.msgid, task.chat)}"
        self._full.append(QuotaRow(task.chat, "broadcast", key, self._now))
        # Whoever opens steps finds no room today, and does what 额度用完 says.
        self._note("task_refused", task, step, reason)
        self._plan(task, step, step.opens_at, reason, state="over")

    def _end(self, task: SendTask, step: RunStep, state: Any, reason: str) -> None:
        self._steps.append(_as(step, state, reason))
        self._tasks.append(TaskEnd(task, "over"))
        self._note(f"step_{state}", task, step, reason)

    def _again(
        self,
        task: SendTask,
        step: RunStep,
        reason: str,
        opens_at: datetime | None,
        state: str = "over",
    ) -> None:
        """Plan a step again in what is left of its window, or skip it."""
        if opens_at is not None:
            self._plan(task, step, opens_at, reason, state=state)
            return
        self._released.append(_slot(step))
        self._steps.append(_as(step, "skipped", reason))
        self._tasks.append(TaskEnd(task, state))
        self._note("step_skipped", task, step, reason)

    def _plan(
        self, task: SendTask, step: RunStep, opens_at: datetime, reason: str, *, state: str
    ) -> None:
        kept = reason if reason == "owner_changed" else ""
        planned = _as(step, "planned", kept)
        self._steps.append(planned._replace(opens_at=opens_at))
        self._planned.append(_slot(step))
        self._tasks.append(TaskEnd(task, state))

    def _note(self, kind: str, task: SendTask, step: RunStep, reason: str) -> None:
        facts = {"step": step.step, "by": task.owner, "reason": reason, "run": step.run}
        self._entries.append((kind, task.chat, facts))

    async def _left(
        self, tx: Tx, run: Run | None, step: RunStep, *, begun: bool = True
    ) -> datetime | None:
        """Return when the next open hours of a step's window begin; ``begun`` counts these."""
        script = await self._content.script(tx, run.script, run.version) if run else None
        if run is None or script is None or run.state != "running":
            return None
        hours, window = hours_of(script, self._content), (step.opens_at, step.closes_at)
        if not begun:
            return next((each for each in hours.begins(*window) if each >= self._now), None)
        left = (span[0] for span in hours.spans(*window) if span[1] > self._now)
        return next((max(begins, self._now) for begins in left), None)


def moved(task: SendTask, owners: Mapping[str, str]) -> bool:
    """Tell whether a task's group has gone to another owner, who can confirm nothing of this."""
    owner = owners.get(task.chat, "") if task.subject_kind == "group" else ""
    return bool(owner) and owner != task.owner


def _slot(step: RunStep) -> str:
    return slot_key(step.run, step.step, step.round)


def _as(step: RunStep, state: Any, reason: str) -> StepEnd:
    return StepEnd(step.id, step.state, state, reason, step.opens_at, step.closes_at)
