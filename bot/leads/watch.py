"""Watches the limits of leads: a word to whoever has one, then to those above; a new offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.assigning import Staffing
from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import GRAVE, Lead
from bot.domain.messages import Outbound
from bot.domain.sla import MISSED, Timer, ladder, told_at
from bot.leads.assign import holder_of
from bot.leads.desk import LeadDesk
from bot.leads.warnings import overdue, running_out
from bot.storage.db import Tx
from bot.storage.letters import Entry, Letter, seal


@dataclass
class _Batch:
    """What a look comes to, written at its end in one statement for each table."""

    now: datetime
    names: dict[CustomerId, str]
    timers: list[tuple[Timer, datetime | None]] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def note(self, kind: str, lead: Lead, **facts: Any) -> None:
        self.entries.append((kind, lead.customer, {"lead": lead.id, **facts}))


class LeadWatch:
    """Looks at what is due of many leads at once, inside the caller's transaction."""

    def __init__(self, bank: Callable[[], Bank], desk: LeadDesk, card_link: str = "") -> None:
        self._read_bank = bank
        self._desk = desk
        self._card_link = card_link

    async def look(self, tx: Tx, due: Sequence[tuple[Lead, Timer]], now: datetime) -> None:
        """Do what the limits of leads ask for that nobody else has in hand."""
        if not due:
            return
        names = await tx.people.names(sorted({lead.customer for lead, _ in due}))
        batch = _Batch(now, names)
        offers = []
        for lead, timer in due:
            if lead.closed_at is not None:
                batch.timers.append((timer.dropped(now), None))
            elif lead.stage == "later":  # nobody is bothered before the lead wakes
                batch.timers.append((timer, lead.sleeps_until))
            elif timer.kind == "accept":
                offers.append((lead, timer))
            else:
                self._look_at(lead, timer, batch)
        await tx.timers.write(batch.timers)
        await tx.planning.send(batch.letters, now)
        await tx.planning.note(batch.entries, now)
        if offers:
            staffing = await self._desk.staffing(tx, now)
            for lead, timer in offers:
                await self._offer(tx, lead, timer, now, staffing)

    async def _offer(
        self, tx: Tx, lead: Lead, timer: Timer, now: datetime, staffing: Staffing
    ) -> None:
        """Offer a lead to the next: whoever had it let it lie."""
        time = self._desk.timers.time_at(lead.branch)
        level = timer.level_at(now, time)
        if level == timer.level or lead.stage != "new":
            kept = timer if lead.stage == "new" else timer.ended(now)
            await tx.timers.write([(kept, kept.next_mark(time))])
            return
        await tx.timers.write([(timer.at_level(level), None)])
        await self._desk.offer_again(tx, lead, timer.passed, now, staffing)

    def _look_at(self, lead: Lead, timer: Timer, batch: _Batch) -> None:
        """Tell whoever is to be told at the marks that were passed since the last look."""
        time = self._desk.timers.time_at(lead.branch)
        level = timer.level_at(batch.now, time)
        passed = timer.at_level(level)
        over = ladder(self._bank, lead.rm, lead.branch, lead.need)
        last = MISSED + len(over) - 1 if over else MISSED
        batch.timers.append((passed, passed.next_mark(time) if level <= last else None))
        if level > timer.level:
            if level < MISSED:
                self._warn(lead, passed, batch)
            else:
                self._escalate(lead, timer, passed, over, batch)

    def _warn(self, lead: Lead, timer: Timer, batch: _Batch) -> None:
        holder = holder_of(self._bank, lead)
        words = running_out(
            lead,
            self._bank,
            batch.now,
            kind=timer.kind,
            due_by=timer.due_by,
            name=batch.names.get(lead.customer, ""),
            url=self._desk.page(lead.id) or self._card_link,
            to=holder,
        )
        self._put(lead, timer, holder, words, batch)
        batch.note("lead_warned", lead, to=holder, timer=timer.kind, level=timer.level)

    def _escalate(
        self, lead: Lead, before: Timer, timer: Timer, over: tuple[RmId, ...], batch: _Batch
    ) -> None:
        """Tell those above, each once; who has nobody above him is told himself."""
        if before.level < MISSED:
            batch.note("sla_missed", lead, timer=timer.kind, key=timer.key, holder=lead.rm)
        for level in range(max(MISSED, before.level + 1), timer.level + 1):
            to = told_at(level, over) or (lead.rm if level == MISSED and not over else None)
            if to is None:
                continue
            words = overdue(
                lead,
                self._bank,
                batch.now,
                to=to,
                kind=timer.kind,
                due_by=timer.due_by,
                name=batch.names.get(lead.customer, ""),
            )
            self._put(lead, timer.model_copy(update={"level": level}), to, words, batch)
            batch.note("lead_escalated", lead, to=to, timer=timer.kind, level=level)

    def _put(self, lead: Lead, timer: Timer, to: RmId, words: Outbound, batch: _Batch) -> None:
        terms = Terms(purpose="staff", subject=to, urgent=lead.need in GRAVE)
        batch.letters.append(seal(f"sla:{timer.id}:{timer.level}:{to}", words, terms))

    @property
    def _bank(self) -> Bank:
        return self._read_bank()
