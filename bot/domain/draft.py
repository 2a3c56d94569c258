"""A reply that the bot drafts and a person sends, where no program may speak."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bot.domain.value import Value


class Draft(Value):
    """Words for a group, waiting for its owner's tap."""

    id: int
    key: str
    chat: str
    owner: str
    asker: str
    question: str
    text: str
    citations: tuple[str, ...] = ()
    state: Literal["waiting", "sent", "dropped"] = "waiting"
    at: datetime
