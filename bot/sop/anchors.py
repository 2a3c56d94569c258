"""The days that steps go by: events, bond days, named days, and customers' own dates; pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bot.domain.own_days import OwnDays
from bot.domain.placing import Asked
from bot.domain.runs import Run
from bot.domain.script import SopScript
from bot.domain.step_terms import ANCHORS, BOND_DAY, EVENT_DAY, NO_EVENT, Relative
from bot.domain.steps import Step
from bot.sop.batch import Batch
from bot.sop.turn import event_begins


def relative_day(
    batch: Batch, run: Run, script: SopScript, relative: Relative, arrived: date
) -> date | None:
    """Return the day of a step that goes by a date; None where nobody knows the date.

    The date is the run's own where the script begins by it, else the next one from the day on
    which the run came to the step.
    """
    offset, anchor = timedelta(days=relative.offset_days), relative.anchor
    if anchor in (script.entry.on, str(script.anchor)):
        return run.anchor + offset
    found = _next(batch, run, anchor, arrived)
    return None if found is None else found + offset


def _next(batch: Batch, run: Run, anchor: str, arrived: date) -> date | None:
    bank = batch.bank
    if anchor == EVENT_DAY:
        event = bank.next_event(run.branch, arrived)
        return None if event is None else event.on
    if anchor == BOND_DAY:
        return min((day for day in bank.bond_days if day >= arrived), default=None)
    own = OwnDays(arrived, batch.tables)
    if anchor not in ANCHORS:
        return own.named(anchor)
    known = batch.facts.subjects.get(run.subject)
    raw = known.facts.get(anchor) if known is not None else None
    return own.next(anchor, bank.field_kinds.get(anchor), raw)


def no_day(batch: Batch, run: Run, step: Step, asked: Asked | None) -> str:
    """Say why a step has no day at all: no event is coming, or its date is not known; or empty."""
    if asked is None:
        return step.relative.unknown if step.relative is not None else "no_date"
    announces = step.valid_until is not None
    if announces and event_begins(batch.bank, run.branch, asked.nominal) is None:
        return NO_EVENT
    return ""


def valid_until(batch: Batch, run: Run, step: Step, nominal: date) -> datetime | None:
    """Return the moment from which a step says nothing new: 有效到, or its event's begin."""
    relative, limit = step.relative, step.valid_until
    if limit is not None:
        begins = event_begins(batch.bank, run.branch, nominal)
        return None if begins is None else begins - timedelta(hours=limit.hours_before_event)
    if relative is not None and relative.anchor == EVENT_DAY and relative.offset_days < 0:
        day = nominal - timedelta(days=relative.offset_days)
        return event_begins(batch.bank, run.branch, day, exactly=True)
    return None
