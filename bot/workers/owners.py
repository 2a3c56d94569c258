"""A group goes to another owner: its runs go on with the new one, in what is left of today."""

from __future__ import annotations

from datetime import datetime

from bot.domain.delivery import open_spans
from bot.domain.people import GroupChat
from bot.domain.runs import RunStep, SendTask
from bot.sop.fire import step_key
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.gate import limits_of


async def change_owner(tx: Tx, group: GroupChat, before: str, now: datetime) -> None:
    """Let what waits for the old owner's hand be made anew for the new one.

    A mass-send task may still be confirmed by the old owner until its cancel is through: whoever
    asks after tasks finds that, and only then makes it anew.
    """
    tasks = {task.run_step for task in await tx.runs.waiting_tasks(before)}
    for run in await tx.runs.of_subject(group.id):
        branch = group.branch or run.branch
        await tx.runs.change(run.id, owner=group.owner, branch=branch)
        await tx.runs.set_due(run.id, now)
        for step in await tx.runs.steps(run.id):
            if step.state == "queued":
                key = step_key(run.id, step.step, step.iteration)
                if await tx.unsent.take_back([key], "owner_changed", now):
                    await _again(tx, step, now)
            elif step.state == "waiting" and step.id not in tasks:
                await _again(tx, step, now)  # a card that asked the old owner to do it by hand
    await tx.runs.wake_tasks(group.id, now)
    await tx.ledger.add("owner_changed", group.id, now, before=before, to=group.owner)


async def take_from_old_owner(tx: Tx, task: SendTask, now: datetime) -> None:
    """Cancel a task now whose group has gone to another owner."""
    await tx.runs.take_back([(task.msgid, task.chat)], now)
    await tx.ledger.add("task_taken_back", task.chat, now, owner=task.owner)


async def make_anew(tx: Tx, content: Content, step: RunStep, now: datetime) -> bool:
    """Plan a step again whose task was cancelled for the new owner; False if it is too late."""
    run = await tx.runs.get(step.run)
    script = await content.script(tx, run.script, run.version) if run else None
    if run is None or script is None or run.state != "running":
        return False
    quiet = limits_of(script, None).quiet
    spans = open_spans(step.opens_at, step.closes_at, quiet, content.bank.zone)
    left = [max(begins, now) for begins, ends in spans if ends > now]
    if not left:
        return False
    await tx.quota.release(step_key(step.run, step.step, step.iteration))
    await tx.runs.set_due(run.id, now)
    await tx.runs.set_step(step.id, now, state="planned", opens_at=left[0], reason="owner_changed")
    return True


async def _again(tx: Tx, step: RunStep, now: datetime) -> None:
    await tx.quota.release(step_key(step.run, step.step, step.iteration))
    await tx.runs.set_step(step.id, now, state="planned", reason="owner_changed")
