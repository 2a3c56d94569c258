"""A draft that a member of staff asks for in the sidebar."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bot.domain.ids import RmId
from bot.domain.value import Value

AskState = Literal["waiting", "ready", "none"]


class Ask(Value):
    """What to say to a customer's words; ``chat`` is the group, "" for a talk of two.

    ``draft`` is what came of it; without one ``words`` say why there is none.
    """

    id: int
    by: RmId
    customer: str = ""
    chat: str = ""
    question: str
    state: AskState
    draft: int | None = None
    words: str = ""
    at: datetime
    attempt: int = 0
