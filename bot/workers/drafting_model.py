"""A proposed answer in a model's words: from cited passages alone, under the guard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.answering.citing import cited_in, without_marks
from bot.answering.guard import objections
from bot.answering.persona import room_for
from bot.answering.prompt import NOTHING_FOUND, system_prompt
from bot.domain.knowledge import Plane, Prompt
from bot.errors import Retryable
from bot.log import logger
from bot.ports import ChatModel
from bot.teaching.drafting import Source
from bot.workers.files import Snapshot

log = logger(__name__)
_WITHIN_S = 30.0  # nobody waits at a counter for it
_PASSAGES = 3


async def written_by_model(
    chat: ChatModel, snapshot: Snapshot, title: str, sources: Sequence[Source], plane: Plane
) -> str:
    """Return a model's answer that the guard lets pass; empty where it has none in time."""
    persona = next(iter(snapshot.personas.values()))
    room = room_for(persona, plane)
    passages = tuple(one.section.text for one in sources[:_PASSAGES])
    prompt = Prompt(
        system=system_prompt(persona, room, (), care=False), question=title, passages=passages
    )
    try:
        async with asyncio.timeout(_WITHIN_S):
            text = await chat.write(prompt)
    except (TimeoutError, Retryable) as error:
        log.warning("draft_not_written", reason=type(error).__name__)
        return ""
    words = without_marks(text).strip()
    cited = cited_in(text)
    wrong = objections(
        words, passages, rules=snapshot.rules, persona=persona, room=room, plane=plane
    )
    if NOTHING_FOUND in text or wrong or not cited or max(cited) > len(passages):
        log.warning("draft_refused", reasons=",".join(wrong) or "uncited")
        return ""
    return words
