"""What is read of a group before a message in it is thought about."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.events import GroupMessageReceived
from bot.domain.happening import EventKind, Happened
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Lead
from bot.domain.people import GroupChat
from bot.errors import Retryable
from bot.sop.listening import Heard, Listening, Refusal
from bot.storage.conversations import Turn
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.effects import Occasion
from bot.workers.listening import Speaker, read_listening

_TURNS = 6


@dataclass(frozen=True)
class Scene:
    """What was read before thinking."""

    group: GroupChat
    asker: str
    listening: Listening
    asking: tuple[Lead, ...]
    turns: tuple[Turn, ...] = ()

    @property
    def script(self) -> str:
        """Return the script that the group began last, "" where none runs."""
        return self.listening.playing[-1].script.id if self.listening.playing else ""

    def is_staff(self, speaker: str) -> bool:
        """Tell whether one of the bank's people said something."""
        if speaker == self.group.owner:
            return True
        return any(member.staff and member.id == speaker for member in self.group.members)


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
        listening = await read_listening(tx, content, event.chat)
        asking = [
            lead
            for lead in await tx.leads.asking(CustomerId(event.sender), event.chat)
            if await tx.drafts.was_sent(event.chat, event.sender, lead.opened_at)
        ]
        turns = tuple(await tx.conversations.last_turns(event.chat, _TURNS))
    names = {member.id: member.name for member in group.members}
    return Scene(group, names.get(event.sender, ""), listening, tuple(asking), turns)


def occasion_of(
    event: GroupMessageReceived,
    scene: Scene,
    text: str,
    heard: Heard | None = None,
    *,
    refused: Refusal | None = None,
) -> Occasion:
    """Return who said what, for what follows from it by what heard it."""
    occasion = Occasion(
        key=event.msgid,
        customer=CustomerId(event.sender),
        quote=text,
        at=event.sent_at,
        source="客户群",
        owner=RmId(scene.group.owner),
        chat=event.chat,
        group=scene.group.name,
        script=scene.script,
    )
    return occasion.of_script(heard, refused)


def speaker_of(event: GroupMessageReceived) -> Speaker:
    """Return who speaks in a group."""
    return Speaker(event.chat, event.sender, event.text, event.sent_at)


def replied(event: GroupMessageReceived) -> Happened:
    """Return the event that a member wrote something."""
    return Happened(
        key=f"replied:{event.msgid}",
        kind=EventKind.REPLIED,
        subject=event.sender,
        at=event.sent_at,
        chat=event.chat,
        facts={"form": event.form},
    )
