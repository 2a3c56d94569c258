"""What is simulated: a script with the bank's files, a made-up audience, and how people act."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from bot.domain.admission import Holdouts
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.institution import Member
from bot.domain.knowledge import ProductSheet
from bot.domain.quota import TenantCaps
from bot.domain.script import SopScript
from bot.domain.script_parts import Status
from bot.domain.steps import Overlay, Step
from bot.domain.subject import Raw

_BEGINS = time(8, 0)  # before day 1 of a run would be tomorrow


ASKED = "说关键词"  # to say a word that a step listens for; the other rates are events' names
RATES: Mapping[str, float] = {
    "客户回复": 0.06,
    ASKED: 0.01,
    "点击链接": 0.05,
    "到网点": 0.01,
    "活动报名": 0.03,
    "活动到场": 0.02,
    "大额入金": 0.003,
    "线索成交": 0.003,
    "客户拒收": 0.0005,
    "投诉": 0.00002,
    "删好友": 0.001,
    "群解散": 0.0,
}
_OTHER_RATE = 0.005


NOT_PRESSED = "不点"  # what a manager does on some day: nothing


@dataclass(frozen=True, slots=True)
class Occasion:
    """What happens on which day of a run, at which hour: an event's name, or what is said."""

    day: int
    at: time
    what: str


@dataclass(frozen=True, slots=True)
class Manners:
    """How people act: shares of those who could, by the name of what they do.

    ``confirm`` is of tasks and cards that somebody presses send on; ``rates`` are of those who
    read a message; ``unknown`` is of customers' data, that the bank does not have.
    """

    confirm: float = 0.85
    unknown: float = 0.05
    rates: Mapping[str, float] = field(default_factory=dict)
    quiet: bool = False  # nothing happens but what is arranged

    def rate(self, name: str) -> float:
        """Return how likely a reader of a message does something."""
        return 0.0 if self.quiet else self.rates.get(name, RATES.get(name, _OTHER_RATE))


@dataclass(frozen=True, slots=True)
class Case:
    """One simulation's input: the same case gives the same outcome, byte for byte (I15).

    A script is played as if it were published; ``stands`` is what its file says.
    """

    script: SopScript
    version: str
    bank: Bank
    tables: CalendarTables
    product: Callable[[str], ProductSheet | None]
    start: date
    subjects: int
    members: int = 40
    seed: int = 1
    days: int | None = None
    kf_link: str = ""
    manners: Manners = field(default_factory=Manners)
    holdouts: Holdouts = field(default_factory=Holdouts)
    tenant: TenantCaps | None = None
    only: int | None = None  # the number of the one subject who is watched, from 1 on
    occasions: tuple[Occasion, ...] = ()
    known: Mapping[str, Raw] = field(default_factory=dict)  # of the one who is watched
    stands: Status = Status.PUBLISHED

    @property
    def begins_at(self) -> datetime:
        """Return the moment at which everybody enters."""
        return datetime.combine(self.start, _BEGINS, tzinfo=self.bank.zone)

    @property
    def parts(self) -> Mapping[str, Step | Overlay]:
        """Return the script's steps and overlays by their ids."""
        return {part.id: part for part in self.script.parts}

    def is_idle(self, day_number: int) -> bool:
        """Tell whether managers press nothing on that day of a run."""
        return any(each.day == day_number and each.what == NOT_PRESSED for each in self.occasions)

    def managers(self) -> tuple[Member, ...]:
        """Return who serves the audience: those on duty in a branch, of the roles it asks for."""
        roles = self.script.audience.owner_roles or ("客户经理", "大堂经理")
        return tuple(
            member
            for member in self.bank.staff
            if member.on_duty and member.branch and member.role in roles
        )
