"""Notices what the bank's data tell of a need: a day that comes near, money that came in.

The customer has said nothing: the own manager gets a question to send, and only a yes makes it a
lead that somebody works on (S21). Whom a script speaks with already, or nobody has as a friend, is
left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from bot.domain.happening import EventKind
from bot.domain.ids import CustomerId
from bot.domain.lead import Evidence, Need, Origin, Signal
from bot.domain.people import Customer
from bot.domain.subject import Raw
from bot.leads.desk import LeadDesk
from bot.leads.draft_use import QUESTIONS
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.workers.content import Content
from bot.workers.noticing import Noticing

A_DAY_EACH = 10
"""How many questions to customers a manager gets on one day, those of the nearest days first.

What is asked because of a group's talk counts, too; it is counted in the database.
"""
_BEGINS, _ENDS = time(9, 0), time(17, 0)
_PAGE, _BATCH = 1000, 20
_LATELY = timedelta(days=4)  # over a weekend; how fresh it still is the score says
_OF_A_DAY, _OF_MONEY = 35.0, 30.0
_WORDS: dict[str, str] = {
    Need.MATURITY: "您好，您有一笔钱快到期了，要不要我跟您说说怎么安排？",
    Need.WEALTH: "您好，最近有没有钱上的事要我帮着安排？",
}
_OTHER_WORDS = "您好，您这边有件事快到日子了，要不要我跟您说说？"
_HOW = "回「好」就行，不方便也不要紧。"


class _Hint(NamedTuple):
    """What is known of one customer; in their order the nearest days come first."""

    on: date
    customer: str
    need: Need
    source: str
    quote: str
    key: str
    points: float
    at: datetime
    origin: Origin

    @property
    def signal(self) -> Signal:
        return Signal(
            customer=CustomerId(self.customer),
            need=self.need,
            evidence=Evidence(quote=self.quote, at=self.at, source=self.source),
            origin=self.origin,
            explicit=False,
            points=self.points,
            ask_first=True,
            key=self.key,
        )


@dataclass
class _Pass:
    """How far one day's work has come: first everybody is read, then the hints are gone over."""

    on: date
    after: str = ""
    all_read: bool = False
    hints: list[_Hint] = field(default_factory=list)


class LeadDays:
    """Goes over the customers' dates on each working day, and over large deposits as they come.

    What it noticed is in the database by a key: begun anew, it notices nothing twice.
    """

    watches: tuple[str, ...] = ()

    def __init__(
        self,
        database: Database,
        content: Content,
        desk: LeadDesk,
        noticing: Noticing,
        clock: Clock,
    ) -> None:
        self._database = database
        self._content = content
        self._desk = desk
        self._noticing = noticing
        self._clock = clock
        self._pass: _Pass | None = None
        self._last_event = 0

    async def step(self) -> int:
        """Do the next piece of the day's work; return how many customers it looked at."""
        now = self._clock.now()
        local = now.astimezone(self._content.bank.zone)
        if not _BEGINS <= local.time() < _ENDS or not self._content.tables.is_workday(local.date()):
            return 0
        if self._pass is None or self._pass.on != local.date():
            self._pass = _Pass(local.date())
            self._last_event = 0  # what found no room yesterday is looked at once more
        if looked_at := await self._money(self._pass, now):  # first: it grows old by the hour
            return looked_at
        if not self._pass.all_read:
            return await self._read(self._pass, now)
        if self._pass.hints:
            batch, self._pass.hints = self._pass.hints[:_BATCH], self._pass.hints[_BATCH:]
            await self._go_over(self._pass, batch, now)
            return len(batch)
        return 0

    async def _read(self, day: _Pass, now: datetime) -> int:
        """Read the next page of customers for their dates."""
        async with self._database.read() as tx:
            page = await tx.facts.after(day.after, limit=_PAGE)
        for customer, facts in page:
            day.hints += self._dates(customer, facts, day.on, now)
        day.all_read = len(page) < _PAGE
        if page:
            day.after = page[-1][0]
        if day.all_read:
            day.hints.sort()
        return len(page)

    def _dates(
        self, customer: str, facts: dict[str, Raw], today: date, now: datetime
    ) -> list[_Hint]:
        found = []
        rules = self._content.scoring
        for name, need in rules.dates.items():
            on = _day(facts.get(name))
            if on is None or not 0 <= (on - today).days <= rules.date_days:
                continue
            quote = f"{name} {on.month}月{on.day}日"
            key = f"date:{customer}:{name}:{on}"
            found.append(_Hint(on, customer, need, name, quote, key, _OF_A_DAY, now, "date"))
        return found

    async def _money(self, day: _Pass, now: datetime) -> int:
        """Look at the large deposits that came since the last time."""
        kind = EventKind.LARGE_DEPOSIT.value
        async with self._database.read() as tx:
            came = await tx.occurrences.since(kind, now - _LATELY, self._last_event, limit=_BATCH)
        hints = [
            _Hint(
                day.on,
                one.subject,
                Need.WEALTH,
                kind,
                kind,
                f"event:{one.key}"[:160],
                _OF_MONEY,
                one.at,
                "behaviour",
            )
            for one in came
        ]
        if hints:
            await self._go_over(day, hints, now)
            self._last_event = came[-1].id
        return len(hints)

    async def _go_over(self, day: _Pass, hints: Sequence[_Hint], now: datetime) -> None:
        """Have the managers asked of whom nobody knew it, as many a day as they can bear."""
        begins = datetime.combine(day.on, time(0), tzinfo=self._content.bank.zone)
        async with self._database.begin() as tx:
            known = await tx.lead_signals.known([hint.key for hint in hints])
            talked_to = {
                run.subject
                for run in await tx.stops.live([hint.customer for hint in hints])
                if not run.of_group
            }
            fresh: list[tuple[_Hint, Customer]] = []
            for hint in hints:
                if hint.key in known or hint.customer in talked_to:
                    continue
                customer = await tx.people.customer(CustomerId(hint.customer))
                if customer is not None and customer.managers:
                    fresh.append((hint, customer))
            owners = {customer.managers[0] for _, customer in fresh}
            asked = Counter(await tx.drafts.made_by_key(QUESTIONS, owners, begins))
            for hint, customer in fresh:
                if asked[customer.managers[0]] < A_DAY_EACH:
                    asked[customer.managers[0]] += await self._notice(tx, hint, customer, now)

    async def _notice(self, tx: Tx, hint: _Hint, customer: Customer, now: datetime) -> bool:
        """Have a manager ask his customer; tell whether there is something to ask."""
        manager = customer.managers[0]
        lead = await self._desk.hear(tx, hint.signal, owner=manager, group="", now=now)
        if lead is None or lead.stage != "asking" or lead.opened_at != now:
            return False
        words = _WORDS.get(hint.need, _OTHER_WORDS) + _HOW
        await self._noticing.ask(tx, lead, manager, customer.name or "客户", words, now)
        return True


def _day(raw: Raw | None) -> date | None:
    """Return a datum as a day; None where it is none."""
    try:
        return date.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
