"""What is read of a group before a message in it is thought about."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.events import GroupMessageReceived
from bot.domain.ids import CustomerId
from bot.domain.lead import Lead
from bot.domain.people import GroupChat
from bot.domain.runs import RunStep
from bot.domain.script import SopScript
from bot.domain.steps import Intent, Listen, Step
from bot.errors import Retryable
from bot.sop.listen import hears, plain
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
        if not group.owner and not group.dismissed:
            raise Retryable("group_not_read")  # it is known by its event only, and read in a moment
        runs = await tx.runs.of_subject(event.chat)
        script = None
        steps: list[tuple[RunStep, Step]] = []
        for run in runs:
            script = await content.script(tx, run.script, run.version)
            for row in reversed(await tx.runs.steps(run.id)):
                part = script.part(row.step) if script else None
                if row.state in _STARTED and isinstance(part, Step):
                    steps.append((row, part))
        asking = [
            lead
            for lead in await tx.leads.asking(CustomerId(event.sender), event.chat)
            if await tx.drafts.was_sent(event.chat, event.sender, lead.opened_at)
        ]
    names = {member.id: member.name for member in group.members}
    return Scene(group, names.get(event.sender, ""), script, tuple(steps), tuple(asking))


def heard_by(scene: Scene, text: str) -> tuple[RunStep | None, Listen] | None:
    """Return what listens for these words: the newest step first, the whole script last."""
    for row, step in scene.steps:
        for listen in step.listens:
            if hears(listen, text):
                return row, listen
    for listen in scene.script.listens if scene.script else ():
        if hears(listen, text):
            return None, listen
    return None


def intended(scene: Scene, intent: Intent) -> tuple[RunStep | None, Listen] | None:
    """Return what the script does about an intent: the newest step first."""
    for row, step in scene.steps:
        for listen in step.listens:
            if listen.intent is intent:
                return row, listen
    for listen in scene.script.listens if scene.script else ():
        if listen.intent is intent:
            return None, listen
    return None


def is_hoped_for(scene: Scene, text: str) -> bool:
    """Tell whether the newest step names these very words; 任意 names none."""
    return any(plain(text) in _hopes(step) for _, step in scene.steps[:1])


def hoped_for(scene: Scene, text: str, form: str) -> tuple[RunStep, Step] | None:
    """Return the newest step if the words are among those it hopes for."""
    for row, step in scene.steps[:1]:
        hoped = _hopes(step)
        if plain(text) in hoped or "任意" in hoped or (form == "image" and "图片" in hoped):
            return row, step
    return None


def _hopes(step: Step) -> set[str]:
    return {plain(word) for word in step.interaction.expects} if step.interaction else set()
