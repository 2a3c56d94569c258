"""A group goes to another owner: its runs go on with the new one, in what is left of today."""

from __future__ import annotations

from datetime import datetime

from bot.domain.people import GroupChat
from bot.domain.quota import planned_at
from bot.domain.runs import Run, RunStep, slot_key
from bot.sop.fire import step_key
from bot.storage.db import Tx
from bot.workers.content import Content


async def change_owner(
    tx: Tx, content: Content, group: GroupChat, before: str, now: datetime
) -> None:
    """Let what waits for the old owner's hand be made anew for the new one.

    A mass-send task may still be confirmed by the old owner until its cancel is through: whoever
    asks after tasks finds that, and only then makes it anew.
    """
    tasks = {task.run_step for task in await tx.runs.waiting_tasks(before)}
    given: list[tuple[Run, RunStep]] = []  # a card that asked the old owner to do it by hand
    for run in await tx.runs.of_subject(group.id):
        branch = group.branch or run.branch
        await tx.runs.change(run.id, owner=group.owner, branch=branch)
        await tx.runs.set_due(run.id, now)
        for step in await tx.runs.steps(run.id):
            if step.state == "queued":
                key = step_key(run.id, step.step, step.iteration, step.round)
                if await tx.unsent.take_back([key], "owner_changed", now):
                    await _again(tx, content, run, step, now)
            elif step.state == "waiting" and step.id not in tasks:
                given.append((run, step))
    cards = await tx.stops.in_hand([step.id for _, step in given])
    await tx.stops.tell_of_cards(cards, "owner_changed", now)
    for run, step in given:
        await _again(tx, content, run, step, now)
    await tx.runs.wake_tasks(group.id, now)
    await tx.ledger.add("owner_changed", group.id, now, before=before, to=group.owner)


async def _again(tx: Tx, content: Content, run: Run, step: RunStep, now: datetime) -> None:
    zone = content.bank.zone
    today = planned_at(now.astimezone(zone).date(), zone)
    await tx.quota.plan_again([slot_key(run.id, step.step, step.round)], today)
    await tx.runs.set_step(step.id, now, state="planned", reason="owner_changed")
