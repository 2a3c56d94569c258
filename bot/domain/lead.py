"""Leads: what a customer needs, who takes care of it, and by when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from bot.domain.ids import CustomerId, RmId, digest
from bot.domain.value import Value

Stage = Literal["asking", "new", "taken", "invalid", "closed", "refused"]


class Need(StrEnum):
    """What a lead is about; the values are the words that script files use."""

    RED_FLAG = "红线"
    COMPLAINT = "投诉"
    LATENT_COMPLAINT = "潜在投诉"
    PERSON = "找人工"
    PRIVACY = "隐私"
    SERVICE = "服务"
    EVENT = "活动"
    WEALTH = "理财咨询"
    WAKE = "唤醒"
    UNANSWERED = "答不上"


RESPOND_WITHIN: dict[str, timedelta] = {
    Need.RED_FLAG: timedelta(minutes=5),
    Need.COMPLAINT: timedelta(minutes=60),
    Need.LATENT_COMPLAINT: timedelta(minutes=120),
    Need.PERSON: timedelta(minutes=30),
    Need.PRIVACY: timedelta(minutes=480),
    Need.SERVICE: timedelta(minutes=120),
    Need.EVENT: timedelta(minutes=240),
    Need.WEALTH: timedelta(minutes=240),
    Need.WAKE: timedelta(minutes=240),
    Need.UNANSWERED: timedelta(minutes=120),
}


class Evidence(Value):
    """The customer's own words (masked) that made the lead, and where they stand."""

    quote: str
    at: datetime
    source: str


class Signal(Value):
    """A reason to open a lead, or to add to the one that is open."""

    customer: CustomerId
    customer_name: str = ""
    need: Need
    evidence: Evidence
    minutes: int | None = None
    ask_first: bool = False
    chat: str = ""
    script: str = ""
    step: str = ""
    cautions: tuple[str, ...] = ()

    def respond_by(self) -> datetime:
        """Return when a person must have answered."""
        within = timedelta(minutes=self.minutes) if self.minutes else RESPOND_WITHIN[self.need]
        return self.evidence.at + within


class Lead(Value):
    """One need of one customer, open at most once."""

    id: int
    customer: CustomerId
    need: Need
    stage: Stage
    rm: RmId
    chat: str = ""
    script: str = ""
    step: str = ""
    evidence: tuple[Evidence, ...] = ()
    opened_at: datetime
    respond_by: datetime
    taken_at: datetime | None = None
    closed_at: datetime | None = None
    warned: int = 0


def choose_rm(
    managers: Sequence[RmId], owner: RmId | None, on_duty: Sequence[RmId], customer: CustomerId
) -> RmId | None:
    """Pick who gets a lead: the customer's own manager, the group's owner, then the branch.

    The first of each who is on duty wins; inside the branch a hash of the customer spreads the
    work and always gives the same customer to the same person. None where nobody is on duty.
    """
    preferred: list[RmId] = [*managers]
    if owner:
        preferred.append(owner)
    for candidate in preferred:
        if candidate in on_duty:
            return candidate
    if not on_duty:
        return None
    ordered = sorted(on_duty)
    chosen: RmId = ordered[int(digest(customer, size=4), 16) % len(ordered)]
    return chosen
