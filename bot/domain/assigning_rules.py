"""The figures by which leads are spread over people."""

from __future__ import annotations

from pydantic import Field

from bot.domain.value import Value


class AssigningRules(Value):
    """How work is spread (config: [leads])."""

    capacity: int = Field(40, ge=1)
    per_hour: int = Field(20, ge=1)
    accept_minutes: int = Field(15, ge=1)
    offers: int = Field(3, ge=1)
