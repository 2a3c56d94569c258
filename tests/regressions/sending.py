"""A sender with a line that notes what was said to whom, and steps of runs to be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.domain.delivery import Terms
from bot.domain.events import Notice, Received
from bot.domain.ids import CustomerId, GroupChatId
from bot.domain.messages import Broadcast, CustomerBroadcast, Outbound, Receipt, Text
from bot.sop.fire import step_key
from bot.storage.db import Tx
from tests.make import OWNER

SCRIPT, STEP = "senior-21d", "d02-rules"


class Line:
    """Notes each call: whom it reached with which words."""

    name = "any"

    def __init__(self) -> None:
        self.said: list[tuple[tuple[str, ...], str]] = []

    def cursor_of(self, notice: Notice) -> str | None:
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        return Received()

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        if isinstance(message, Broadcast | CustomerBroadcast):
            people = message.chats if isinstance(message, Broadcast) else message.customers
            words = "".join(one.text for one in message.contents if isinstance(one, Text))
            self.said.append((tuple(people), words))
        return Receipt(ref=f"msg-{key}")

    def heard(self) -> dict[str, list[str]]:
        """Return what each subject was told."""
        told: dict[str, list[str]] = {}
        for people, words in self.said:
            for person in people:
                told.setdefault(person, []).append(words)
        return told


async def put_step(tx: Tx, run: int, subject: str, words: str, now: datetime, **terms: Any) -> None:
    """Put a step's message for a group or a customer into the outbox."""
    content = (Text(text=words),)
    if terms.get("subject_kind") == "customer":
        one = (CustomerId(subject),)
        message: Outbound = CustomerBroadcast(manager=OWNER, customers=one, contents=content)
    else:
        message = Broadcast(owner=OWNER, chats=(GroupChatId(subject),), contents=content)
    asked = Terms(
        **{
            "purpose": "step",
            "subject": subject,
            "quota": True,
            "way": "企业群发",
            "script": SCRIPT,
            "step": STEP,
            "enrolment": run,
            **terms,
        }
    )
    key = step_key(run, asked.step, asked.iteration, asked.round)
    await tx.outbox.put(key, message, asked, now)
