"""Leads: what a customer needs, who takes care of it, and by when."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field

from bot.domain.ids import CustomerId, RmId, digest
from bot.domain.value import Value

Stage = Literal["asking", "new", "taken", "later", "invalid", "won", "lost", "closed", "refused"]
Outcome = Literal["won", "lost", "invalid", "closed"]
Origin = Literal["kf", "group", "private", "script", "behaviour", "date", "staff"]
MOST_EVIDENCE = 10  # quotes a lead keeps; every signal has a row of its own besides


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
    MATURITY = "到期续存"
    LOAN = "贷款咨询"
    CARD = "银行卡"
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
    Need.MATURITY: timedelta(minutes=240),
    Need.LOAN: timedelta(minutes=240),
    Need.CARD: timedelta(minutes=240),
    Need.WAKE: timedelta(minutes=240),
    Need.UNANSWERED: timedelta(minutes=120),
}


GRAVE = frozenset({Need.RED_FLAG, Need.COMPLAINT})
"""What goes before everything and round every limit (S19, S20)."""
SELLING = frozenset({Need.WEALTH, Need.MATURITY, Need.LOAN, Need.CARD, Need.EVENT, Need.WAKE})
"""What may end in a sale: who refuses marketing is not spoken to of it unasked (S07)."""


class Evidence(Value):
    """The customer's own words (masked) that made the lead, and where they stand.

    ``danger`` says in which the customer is: 被骗, 轻生, 突发疾病.
    """

    quote: str
    at: datetime
    source: str
    danger: str = ""


class Reason(Value):
    """Why a lead scores as it does: a code, the words for staff, and the points it brings."""

    code: str
    words: str
    points: float


class Signal(Value):
    """A reason to open a lead, or to add to the one that is open.

    ``product`` is the class of product it is about, "" for none. ``explicit`` tells that the
    customer asked for it outright, or a script says so: it needs no score. ``points`` say how
    strongly it speaks while it is new. ``key`` tells it from
    every other signal where the words and their moment do not.
    """

    customer: CustomerId
    need: Need
    product: str = ""
    evidence: Evidence
    origin: Origin = "kf"
    explicit: bool = True
    points: float = Field(30.0, ge=0, le=60)
    key: str = ""
    minutes: int | None = None
    ask_first: bool = False
    chat: str = ""
    script: str = ""
    step: str = ""
    cautions: tuple[str, ...] = ()

    @property
    def bypasses(self) -> bool:
        """Tell whether it opens a lead whatever its score: a wish, a complaint, a red flag."""
        return self.explicit or self.need in GRAVE

    @property
    def its_key(self) -> str:
        """Return what tells it from every other signal: the same words twice are one."""
        said = self.evidence
        return self.key or digest(
            self.customer, self.need, self.product, said.source, said.at.isoformat(), said.quote
        )

    def respond_by(self) -> datetime:
        """Return when a person must have answered."""
        within = timedelta(minutes=self.minutes) if self.minutes else RESPOND_WITHIN[self.need]
        return self.evidence.at + within


class Lead(Value):
    """One need of one customer for one class of product, open at most once.

    ``rm`` is who has it, "" while it lies in the pool of ``branch``. ``asked``: the customer was
    asked before anybody was told. ``offers`` counts those it was offered to, ``accept_by`` ends
    the offer. ``first_response_at`` is a person's first word to the customer, never a program's.
    """

    id: int
    customer: CustomerId
    need: Need
    product: str = ""
    origin: Origin = "kf"
    stage: Stage
    rm: RmId
    branch: str = ""
    chat: str = ""
    script: str = ""
    step: str = ""
    evidence: tuple[Evidence, ...] = ()
    opened_at: datetime
    respond_by: datetime
    taken_at: datetime | None = None
    closed_at: datetime | None = None
    score: float = 0.0
    reasons: tuple[Reason, ...] = ()
    asked: bool = False
    offers: int = 0
    accept_by: datetime | None = None
    sleeps_until: datetime | None = None
    first_response_at: datetime | None = None
    outcome_reason: str = ""


class Moved(Value):
    """What was done with a lead: the lead as it is now, and the words for whoever did it.

    ``changed`` is False where it stood so already; ``woke``: it had been put off until later.
    """

    lead: Lead
    words: str
    changed: bool = True
    woke: bool = False


class Refused(Value):
    """Why nothing was done with a lead, in words for whoever asked."""

    words: str
