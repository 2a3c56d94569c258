"""What follows the end of a run that went all its way (结束后): tags, and the next script."""

from __future__ import annotations

from datetime import datetime

from bot.domain.ids import CustomerId, GroupChatId
from bot.domain.runs import Run
from bot.domain.script import SopScript
from bot.domain.step_terms import Ending
from bot.domain.steps import Step
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.entering import enter, enter_subject
from bot.workers.relations import change_tags


def ending_of(script: SopScript, node: str) -> Ending | None:
    """Return what follows a run that ended at a step.

    Where runs take different ways, each way has its own 结束后; else the script has one.
    """
    if not script.flows:
        return script.ending
    part = script.part(node)
    return part.after if isinstance(part, Step) else None


async def follow_up(
    tx: Tx, content: Content, run: Run, script: SopScript, node: str, now: datetime
) -> None:
    """Put the tags on and begin the next script; ``node`` is the step at which the run ended."""
    ending = ending_of(script, node)
    if ending is None:
        return
    if run.subject_kind == "group":
        await _group(tx, content, run, ending, now)
    else:
        await _customer(tx, content, run, ending, now)


async def _group(tx: Tx, content: Content, run: Run, ending: Ending, now: datetime) -> None:
    group = await tx.people.group(GroupChatId(run.subject))
    if group is None:
        return
    tagged = group.model_copy(update={"tags": group.tags | set(ending.group_tags)})
    if tagged.tags != group.tags:
        await tx.people.put_group(tagged, now)
        await tx.people.mark_group(group.id, now)  # a script may be for groups with the new tag
    if ending.follow_up is not None:
        following = content.version_for(ending.follow_up, run.subject, tagged.tags)
        if following is not None:
            await enter(tx, following, tagged, content, now)


async def _customer(tx: Tx, content: Content, run: Run, ending: Ending, now: datetime) -> None:
    customer = await tx.people.customer(CustomerId(run.subject))
    if customer is None:
        return
    if ending.customer_tags:
        occasion = f"ending:{run.id}"
        managers, tags = customer.managers, ending.customer_tags
        await change_tags(tx, customer.id, managers, now, add=tags, occasion=occasion)
    if ending.follow_up is not None:
        following = content.version_for(ending.follow_up, run.subject)
        if following is not None:
            await enter_subject(tx, following, run.subject, content, now)
