"""What follows where a message to staff was refused."""

from __future__ import annotations

from datetime import datetime

from bot.channels.aibot import STREAM_CLOSED
from bot.domain.staff_messages import StaffMarkdown, StaffStream
from bot.storage.db import Tx
from bot.storage.outbox import Envelope


async def say_anew(tx: Tx, envelope: Envelope, reason: str, now: datetime) -> None:
    """Say an answer in a message of its own whose open message was closed before it came."""
    message = envelope.message
    if not isinstance(message, StaffStream) or reason != STREAM_CLOSED:
        return
    words = StaffMarkdown(to=message.to, reply=message.reply, text=message.text)
    await tx.outbox.put(f"{envelope.key}:anew", words, envelope.terms, now)
