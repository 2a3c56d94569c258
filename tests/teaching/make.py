"""Values for the tests of teaching."""

from __future__ import annotations

from datetime import datetime

from bot.domain.teaching import Asked, Reason
from tests.make import NOON


def asked(
    key: str,
    text: str = "保管箱怎么租",
    person: str = "wmLi",
    reason: Reason = Reason.DECLINED,
    *,
    at: datetime = NOON,
    step: str = "",
    proposal: int | None = None,
) -> Asked:
    return Asked(
        key=key,
        text=text,
        plane="kf",
        place="kf",
        person=person,
        reason=reason,
        asked_at=at,
        script="s" if step else "",
        step=step,
        proposal=proposal,
    )
