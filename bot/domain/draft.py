"""A reply that the bot drafts and a person sends, where no program may speak."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from bot.domain.value import Value

# waiting for its owner; sent as it is; sent in other words; not wanted; another answer was given
# in its place; nobody did anything.
DraftState = Literal["waiting", "sent", "edited", "dropped", "otherwise", "expired"]
LIVES_FOR = timedelta(hours=24)
"""How long a draft waits: an answer that is a day late is none."""

DROPPED_FOR = {
    "unsaid": "不说原因",
    "wrong": "答得不对",
    "beside": "没答到点子上",
    "not_asked": "不是在问我们",
    "said": "已经答过了",
    "tone": "话不合适",
}
"""Why a draft is not wanted: what a person may choose from, the first of them saying nothing."""


class Asker(Value):
    """Somebody who asked what a draft answers."""

    id: str
    name: str


class Draft(Value):
    """Words for a group or a customer, waiting for a person's tap.

    ``said`` is what the person said in its place, masked; ``code`` lets its card be changed once.
    """

    id: int
    key: str
    chat: str
    owner: str
    asker: str
    question: str
    text: str
    citations: tuple[str, ...] = ()
    askers: tuple[Asker, ...] = ()
    state: DraftState = "waiting"
    said: str = ""
    reason: str = ""
    code: str = ""
    at: datetime
    settled_at: datetime | None = None

    @property
    def of_two(self) -> bool:
        """Tell whether it is for a talk of two, not for a group."""
        return self.chat == self.asker

    @property
    def names(self) -> str:
        """Return the names of all who asked."""
        return "、".join(dict.fromkeys(asker.name for asker in self.askers))
