"""Places the steps of runs that are planned at their beginning, with the places they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.quota import Slot, planned_at
from bot.domain.runs import NewStep, Run
from bot.domain.script import SopScript
from bot.sop.enrol import Admission, plan_steps
from bot.sop.places import places_of
from bot.storage.db import Tx
from bot.storage.quota import QuotaRow

_LOOK_BACK = timedelta(days=31)


async def place_steps(
    tx: Tx,
    script: SopScript,
    entered: Sequence[Admission],
    runs: Mapping[str, int],
    bank: Bank,
    tables: CalendarTables,
    now: datetime,
) -> None:
    """Write the plans of runs that begin, given by their subjects' ids."""
    began = [one for one in entered if one.candidate.facts.id in runs]
    if not began:
        return
    until = now + timedelta(days=script.max_days + 31)
    subjects = [one.candidate.facts.id for one in began]
    slots = await tx.quota.slots_of(subjects, now - _LOOK_BACK, until)
    plans = _Plans(script, bank, tables)
    steps: list[tuple[int, NewStep]] = []
    rows: list[QuotaRow] = []
    for one in began:
        facts = one.candidate.facts
        number, plan = runs[facts.id], plans.of(one, slots.get(facts.id, ()))
        steps += [(number, step) for step in plan]
        rows += [
            QuotaRow(facts.id, kind, place.key, planned_at(place.day, bank.zone), place.priority)
            for place in places_of(_as_run(script, one, number), script, plan)
            for kind in place.kinds
        ]
    await tx.moving.add_steps(steps, now)
    await tx.quota.place_many(rows)


class _Plans:
    """The plans of one script; groups that begin together share theirs."""

    def __init__(self, script: SopScript, bank: Bank, tables: CalendarTables) -> None:
        self._script = script
        self._bank = bank
        self._tables = tables
        self._standing = max(script.priority_of(part) for part in script.parts)
        self._known: dict[tuple[object, ...], list[NewStep]] = {}

    def of(self, one: Admission, slots: Sequence[Slot]) -> list[NewStep]:
        """Return the plan of a run that begins, round what others send on which days."""
        facts, anchor = one.candidate.facts, one.anchor
        assert anchor is not None  # whoever begins has a day 1
        earlier = _days(slots, self._standing, self._bank)
        key = (anchor, facts.branch, facts.weekly_cap, earlier)
        if key not in self._known:
            self._known[key] = plan_steps(
                self._script,
                anchor,
                facts.branch,
                self._bank,
                self._tables,
                weekly_cap=facts.weekly_cap,
                earlier=earlier,
            )
        return self._known[key]


def _days(slots: Sequence[Slot], standing: int, bank: Bank) -> tuple[date, ...]:
    """Return the days that mass messages take which this script may not push aside."""
    return tuple(
        slot.at.astimezone(bank.zone).date()
        for slot in slots
        if slot.kind == "broadcast" and (slot.state == "used" or slot.priority >= standing)
    )


def _as_run(script: SopScript, one: Admission, number: int) -> Run:
    facts = one.candidate.facts
    assert one.anchor is not None
    return Run(
        id=number,
        script=script.id,
        version="",
        subject=facts.id,
        subject_kind=facts.kind,
        owner=facts.owner,
        branch=facts.branch,
        anchor=one.anchor,
        state="running",
    )
