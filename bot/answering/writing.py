"""A model's words as they are written: shown sentence by sentence, none that may not be said."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from bot.answering.citing import without_marks
from bot.answering.prompt import NOTHING_FOUND
from bot.domain.knowledge import Prompt
from bot.ports import ChatModel

Show = Callable[[str], Awaitable[None]]
_SENTENCE_END = re.compile(r"[。！？!?；;\n]")


async def write(
    chat: ChatModel, prompt: Prompt, allowed: Callable[[str], bool], show: Show | None
) -> str:
    """Return what a model writes; with ``show`` give the sentences so far, while all may be said.

    What is shown is only on the way: whoever asked gets the whole answer in its place.
    """
    if show is None:
        return (await chat.write(prompt)).strip()
    text, shown = "", ""
    async with aclosing(chat.stream(prompt)) as pieces:
        async for piece in pieces:
            text += piece
            ends = [match.end() for match in _SENTENCE_END.finditer(text)]
            whole = text[: ends[-1]].strip() if ends else ""
            whole = without_marks(whole)
            if whole != shown and NOTHING_FOUND not in whole and allowed(whole):
                shown = whole
                await show(whole)
    return text.strip()
