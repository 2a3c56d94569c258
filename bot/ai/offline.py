"""The chat model that needs no model: it says what is approved, word for word."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from bot.domain.knowledge import Prompt


class OfflineChat:
    """Answers with the best passage as it stands; nothing is written, nothing invented."""

    name = "offline"

    async def write(self, prompt: Prompt) -> str:
        """Return the best passage, or nothing where there is none."""
        return prompt.passages[0] if prompt.passages else ""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Give the best passage in one."""
        yield await self.write(prompt)
