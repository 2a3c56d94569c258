"""What is read of a group before a message in it is thought about."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.events import GroupMessageReceived
from bot.domain.ids import CustomerId
from bot.domain.lead import Lead
from bot.domain.people import GroupChat
from bot.domain.runs import RunStep
from bot.domain.script import SopScript
from bot.domain.steps import Step
from bot.storage.db import Database
from bot.workers.content import Content

_STARTED = frozenset({"waiting", "confirmed"})


@dataclass(frozen=True)
class Scene:
    """What was read before thinking; ``steps`` are those the group has had, newest first."""

    group: GroupChat
    asker: str
    script: SopScript | None
    steps: tuple[tuple[RunStep, Step], ...]
    asking: tuple[Lead, ...]


async def read_scene(
    database: Database, content: Content, event: GroupMessageReceived
) -> Scene | None:
    """Read what is needed to think about a group message; None for a group nobody knows."""
    async with database.read() as tx:
        group = await tx.people.group(event.chat)
        if group is None:
            return None
        runs = await tx.runs.of_subject(event.chat)
        script = None
        steps: list[tuple[RunStep, Step]] = []
        for run in runs:
            script = await content.script(tx, run.script, run.version)
            for row in reversed(await tx.runs.steps(run.id)):
                part = script.part(row.step) if script else None
                if row.state in _STARTED and isinstance(part, Step):
                    steps.append((row, part))
        asking = await tx.leads.asking(CustomerId(event.sender), event.chat)
    names = {member.id: member.name for member in group.members}
    return Scene(group, names.get(event.sender, ""), script, tuple(steps), tuple(asking))
