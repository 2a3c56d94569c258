"""A proposed answer in a model's words: from cited passages alone, under the guard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from bot.answering.citing import cited_in, without_marks
from bot.answering.guard import objections
from bot.answering.persona import room_for
from bot.answering.prompt import NOTHING_FOUND, system_prompt
from bot.domain.knowledge import RISK_NOTICE, Plane, Prompt, warns
from bot.errors import Retryable
from bot.log import logger
from bot.ports import ChatModel
from bot.teaching.drafting import Source
from bot.workers.files import Snapshot

log = logger(__name__)
_WITHIN_S = 30.0  # nobody waits at a counter for it
_PASSAGES = 3


class Drafted(NamedTuple):
    """A model's words, and the sections that it wrote them from, as it named them."""

    words: str
    used: tuple[Source, ...]


async def written_by_model(
    chat: ChatModel, snapshot: Snapshot, title: str, sources: Sequence[Source], plane: Plane
) -> Drafted | None:
    """Return a model's answer that the guard lets pass; None where it has none in time."""
    persona = next(iter(snapshot.personas.values()))
    room = room_for(persona, plane)
    offered = sources[:_PASSAGES]
    passages = tuple(one.section.text for one in offered)
    prompt = Prompt(
        system=system_prompt(persona, room, (), care=False), question=title, passages=passages
    )
    try:
        async with asyncio.timeout(_WITHIN_S):
            text = await chat.write(prompt)
    except (TimeoutError, Retryable) as error:
        log.warning("draft_not_written", reason=type(error).__name__)
        return None
    words, cited = without_marks(text).strip(), cited_in(text)
    if NOTHING_FOUND in text or not cited or not all(1 <= one <= len(offered) for one in cited):
        log.warning(
            "draft_refused", reasons="nothing_found" if NOTHING_FOUND in text else "uncited"
        )
        return None
    used = tuple(offered[number - 1] for number in cited)
    said = [one.section.text for one in used]
    wrong = objections(words, said, rules=snapshot.rules, persona=persona, room=room, plane=plane)
    if wrong:
        log.warning("draft_refused", reasons=",".join(wrong))
        return None
    if any(one.document.must_warn for one in used) and not warns(words):
        words = f"{words}\n{RISK_NOTICE}"
    return Drafted(words, used)
