"""Keeps a lead's limits in step with what happens to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.business_time import BusinessTime
from bot.domain.calendar import CalendarTables
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import GRAVE, Lead, Need
from bot.domain.sla import ANSWERS, Limits, Timer, TimerKind, begun, is_waited_for, limits
from bot.storage.db import Tx

_KEY_LENGTH = 64
Change = Callable[[Lead, Timer, BusinessTime], Timer]


class LeadTimers:
    """Begins, stops and goes on with the limits of leads, inside the caller's transaction."""

    def __init__(
        self,
        bank: Callable[[], Bank],
        tables: Callable[[], CalendarTables],
        rules: Callable[[], AssigningRules] = AssigningRules,
    ) -> None:
        self._read_bank = bank
        self._read_tables = tables
        self._read_rules = rules

    def time_at(self, branch: str) -> BusinessTime:
        """Return the time in which a branch's people are there."""
        return self._read_bank().hours_of(branch, self._read_tables())

    def respond_by(self, need: Need, at: datetime, branch: str, minutes: int | None) -> datetime:
        """Return by when a person must have answered what was said at a moment."""
        time = self.time_at(branch)
        time = time.always() if need in GRAVE else time
        return time.after(at, self._limits(need, minutes).first)

    async def begin(
        self, tx: Tx, lead: Lead, since: datetime, now: datetime, *, minutes: int | None = None
    ) -> Lead:
        """Begin the limits of a lead that was said ``since``; return it with its moments."""
        its = self._limits(lead.need, minutes)
        first = self._begun(lead, "first", its.first, since)
        whole = self._begun(lead, "resolve", its.resolve, since)
        timed = lead.model_copy(update={"respond_by": first.due_by})
        return await self._offer(tx, timed, now, its, (), [(lead, first), (lead, whole)])

    async def offered(
        self, tx: Tx, lead: Lead, now: datetime, *, passed: tuple[RmId, ...] = ()
    ) -> Lead:
        """Begin the time in which whoever has a lead now is to take it; return the lead with it.

        One that lies in the pool is offered to nobody. What stood still goes on; ``passed`` are
        those who let it lie.
        """
        if not passed:  # what was let lie has been waited for all the time
            lead = await self.awake(tx, lead, now)
        return await self._offer(tx, lead, now, self._limits(lead.need, None), passed, [])

    async def _offer(
        self,
        tx: Tx,
        lead: Lead,
        now: datetime,
        its: Limits,
        passed: tuple[RmId, ...],
        timers: list[tuple[Lead, Timer]],
    ) -> Lead:
        """Write an offer with the timers that begin beside it."""
        changed: dict[str, Any] = {"accept_by": None, "respond_by": lead.respond_by}
        if lead.rm:
            span = its.accept(self._read_rules().accept_minutes)
            offer = self._begun(lead, "accept", span, now, passed=passed)
            timers = [*timers, (lead, offer)]
            changed |= {"accept_by": offer.due_by, "offers": lead.offers + 1}
        else:
            await tx.timers.forget(lead.id, "accept")
        await self._write(tx, timers)
        await tx.leads.change(lead.id, **changed)
        return lead.model_copy(update=changed)

    async def sooner(self, tx: Tx, lead: Lead, at: datetime, minutes: int | None) -> Lead:
        """Shorten a first response that a newer signal wants sooner; return the lead with it."""
        respond_by = self.respond_by(lead.need, at, lead.branch, minutes)
        if lead.first_response_at is not None or respond_by >= lead.respond_by:
            return lead
        total = self._limits(lead.need, minutes).first

        def shortened(lead: Lead, timer: Timer, time: BusinessTime) -> Timer:
            if timer.kind != "first" or timer.state != "active":
                return timer
            shorter = {"total": total, "left": total, "started_at": at, "level": 0}
            return timer.model_copy(update=shorter).on_calendar(time)

        shorter = await self._change(tx, [lead.id], shortened)
        return await self._tell_limit(tx, lead, shorter, at)

    async def taken(self, tx: Tx, lead: Lead, now: datetime) -> None:
        """End the offer: somebody has it."""

        def accepted(lead: Lead, timer: Timer, time: BusinessTime) -> Timer:
            return timer.ended(now) if timer.kind == "accept" else timer

        await self._change(tx, [lead.id], accepted)

    async def asleep(self, tx: Tx, lead: Lead, now: datetime, until: datetime) -> Lead:
        """Let everything stand still while a lead sleeps; return it with its limit after that."""

        def still(lead: Lead, timer: Timer, time: BusinessTime) -> Timer:
            return timer.paused(now, time)

        return await self._tell_limit(tx, lead, await self._change(tx, [lead.id], still), until)

    async def awake(self, tx: Tx, lead: Lead, now: datetime) -> Lead:
        """Go on with what stood still; return the lead with the limit that it has by now."""

        def again(lead: Lead, timer: Timer, time: BusinessTime) -> Timer:
            return timer.resumed(now, time)

        return await self._tell_limit(tx, lead, await self._change(tx, [lead.id], again), now)

    async def ended(self, tx: Tx, lead: Lead, now: datetime) -> None:
        """End every limit of a lead that is closed; what nobody answered in time stays missed."""

        def over(lead: Lead, timer: Timer, time: BusinessTime) -> Timer:
            return timer.dropped(now) if timer.kind in ANSWERS else timer.ended(now)

        await self._change(tx, [lead.id], over)

    async def answered(self, tx: Tx, numbers: Sequence[int], at: datetime) -> None:
        """Note a person's word to the customer of these leads: from now on we wait for him."""

        def heard(lead: Lead, timer: Timer, time: BusinessTime) -> Timer:
            if timer.kind == "resolve":
                return timer.paused(at, time)
            answers = timer.kind in ANSWERS or lead.stage != "new"
            return timer.ended(at) if answers else timer

        await self._change(tx, numbers, heard)

    async def waits(self, tx: Tx, customer: CustomerId, key: str, at: datetime) -> int:
        """Note that a customer wrote to whoever has his leads; return how many wait since then.

        Who waits for an answer already waits on: several messages in a row are one question.
        """
        numbers = await tx.timers.open_leads(customer)
        return await self._wait(tx, numbers, key, at) if numbers else 0

    async def waits_for(self, tx: Tx, lead: Lead, key: str, at: datetime) -> int:
        """Note that a customer came back to one lead."""
        return await self._wait(tx, [lead.id], key, at)

    async def _wait(self, tx: Tx, numbers: Sequence[int], key: str, at: datetime) -> int:
        timers: dict[int, list[Timer]] = {}
        known: dict[int, Lead] = {}
        for lead, timer in await tx.timers.of(numbers):
            known[lead.id] = lead
            timers.setdefault(lead.id, []).append(timer)
        key, changed = key[:_KEY_LENGTH], list[tuple[Lead, Timer]]()
        for number, its in timers.items():
            lead = known[number]
            if lead.stage == "later" or is_waited_for(its, key):
                continue
            first = self._limits(lead.need, None).first
            changed.append((lead, self._begun(lead, "next", first, at, key=key)))
            time = self.time_at(lead.branch)
            changed += [(lead, one.resumed(at, time)) for one in its if one.state == "paused"]
        await self._write(tx, changed)
        return sum(timer.kind == "next" for _, timer in changed)

    async def reckon(self, tx: Tx, timers: Sequence[tuple[Lead, Timer]]) -> int:
        """Reckon limits anew by the calendar as it is; return how many ended at another moment."""
        moved = []
        for lead, timer in timers:
            new = timer.on_calendar(self.time_at(lead.branch))
            if new != timer and timer.state == "active":
                moved.append((lead, new))
        await self._write(tx, moved)
        for lead, timer in moved:
            column = {"first": "respond_by", "accept": "accept_by"}.get(timer.kind)
            if column is not None:
                await tx.leads.change(lead.id, **{column: timer.due_by})
        return len(moved)

    async def _tell_limit(
        self, tx: Tx, lead: Lead, changed: Sequence[tuple[Lead, Timer]], goes_on_at: datetime
    ) -> Lead:
        """Write by when a person must have answered, where that was changed: lists go by it."""
        time = self.time_at(lead.branch)
        firsts = [timer.resumed(goes_on_at, time) for _, timer in changed if timer.kind == "first"]
        if not firsts:
            return lead
        respond_by = firsts[0].due_by
        await tx.leads.change(lead.id, respond_by=respond_by)
        return lead.model_copy(update={"respond_by": respond_by})

    async def _change(
        self, tx: Tx, numbers: Sequence[int], change: Change
    ) -> list[tuple[Lead, Timer]]:
        """Change what is to be changed of the timers of some leads; return those that were."""
        found = await tx.timers.of(numbers)
        changed = []
        for lead, timer in found:
            new = change(lead, timer, self.time_at(lead.branch))
            if new != timer:
                changed.append((lead, new))
        await self._write(tx, changed)
        return changed

    async def _write(self, tx: Tx, timers: Iterable[tuple[Lead, Timer]]) -> None:
        looks = [(timer, timer.next_mark(self.time_at(lead.branch))) for lead, timer in timers]
        await tx.timers.write(looks)

    def _begun(
        self,
        lead: Lead,
        kind: TimerKind,
        total: timedelta,
        at: datetime,
        *,
        key: str = "",
        passed: tuple[RmId, ...] = (),
    ) -> Timer:
        always, time = lead.need in GRAVE, self.time_at(lead.branch)
        return begun(lead.id, kind, total, at, time, round_the_clock=always, key=key, passed=passed)

    def _limits(self, need: Need, minutes: int | None) -> Limits:
        return limits(self._read_bank(), need, minutes)
