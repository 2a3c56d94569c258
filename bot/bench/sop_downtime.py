"""26 hours of downtime over a holiday, counted: what was due, what became of it, what never may."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from bot.bench.ground import sqlite_ground
from bot.bench.sop_outage import Story, holidays, play
from bot.domain.calendar import CalendarTables
from bot.domain.caps import Caps, Kind, TenantCaps, caps_for, classes_of
from bot.domain.opening import Hours
from bot.domain.runs import FINAL_STEPS, RunStep
from bot.domain.script import SopScript
from bot.domain.script_parts import Missed, MissedRule, RestDays, write_missed
from bot.domain.steps import SendBy
from bot.storage.db import Database
from bot.workers.content import Snapshot
from bot.workspace import Workspace

_SEED = "downtime"
_DAY = timedelta(days=1)
_A_MONTH, _AS_MANY_AS_DAYS = 0, -1


class Touch(NamedTuple):
    """A message of a step as it reached somebody, or as a card was given for it."""

    subject: str
    script: SopScript
    step: RunStep
    kinds: tuple[Kind, ...]
    made_at: datetime
    at: datetime
    closes_at: datetime


async def downtime(workspace: Workspace, snapshot: Snapshot) -> dict[str, Any]:
    """Let the engine stand still over both holidays; return what came of it."""
    found: dict[str, Any] = {}
    for outage in holidays(snapshot.bank.zone):
        async with sqlite_ground() as url:
            database = await Database.open(url, durable=False)
            try:
                story = await play(workspace, snapshot, database, outage, _SEED)
            finally:
                await database.close()
        found[outage.name] = figures(story)
    return {**found, "met": all(part["met"] for part in found.values())}


def figures(story: Story) -> dict[str, Any]:
    """Count what was due in the outage, what became of it, and what must never be."""
    touches = touches_of(story)
    due = due_in(story)
    first: dict[int, Touch] = {}
    for touch in touches:
        first.setdefault(touch.step.id, touch)
    late = [one for one in due if one.id in first and first[one.id].made_at > one.closes_at]
    in_time = [one for one in due if one.id in first and one not in late]
    unsent = [story.after[one.id] for one in due if one.id not in first]
    left_open = [one for one in unsent if one.state not in FINAL_STEPS]
    ended = Counter(one.reason or one.state for one in unsent if one.state in FINAL_STEPS)
    expired = [touch for touch in touches if is_expired(touch, story)]
    expired += [first[one.id] for one in late if not _allowed(story, one, first[one.id].made_at)]
    never = {
        "sent_expired": len({touch.step.id for touch in expired}),
        "sent_twice": twice(touches),
        "over_cap": len(over_cap(touches, story.content.bank.zone, _caps(story, touches))),
        "left_open": len(left_open),
    }
    return {
        "down": story.outage.down.isoformat(),
        "up": story.outage.up.isoformat(),
        "steps": len(story.after),
        "messages": len(touches),
        "due_in_the_outage": len(due),
        "sent_in_their_window": len(in_time),
        "sent_late_as_the_file_allows": len(late),
        "not_sent": dict(sorted(ended.items())),
        "by_rule": _by_rule(story, due, first),
        "pressed_while_down_after_their_end": sum(_by_hand_alone(one, story) for one in touches),
        **never,
        "met": len(due) > 0 and not any(never.values()),
    }


def _by_rule(
    story: Story, due: Iterable[RunStep], first: Mapping[int, Touch]
) -> dict[str, dict[str, int]]:
    """Count by 错过时间窗 what was due, and what of it left in the end."""
    found: dict[str, dict[str, int]] = {}
    for one in due:
        missed = missed_of(story, one)
        if missed is not None:
            row = found.setdefault(write_missed(missed), {"due": 0, "sent": 0})
            row["due"] += 1
            row["sent"] += one.id in first
    return dict(sorted(found.items()))


def missed_of(story: Story, step: RunStep) -> Missed | None:
    """Return what its file says of a step that is missed."""
    script = story.content.snapshot.scripts[story.runs[step.run].script]
    part = script.part(step.step)
    return None if part is None else script.missed_for(part)


def due_in(story: Story) -> list[RunStep]:
    """Return the steps whose window lies in the outage, or that were open when it began."""
    down, up = story.outage.down, story.outage.up
    return [one for one in story.before.values() if one.opens_at < up and one.closes_at > down]


def touches_of(story: Story) -> list[Touch]:
    """Return what reached subjects by each step: the press of a hand, or the card for one."""
    by_ref = {(sent.ref, sent.terms.subject): sent for sent in story.sent}
    by_key = {sent.key: sent for sent in story.sent}
    found = []
    for heard in story.hands.heard():
        sent = by_key.get(heard.ref) or by_ref.get((heard.ref, heard.receiver))
        if sent is None or sent.terms.run_step is None:
            continue
        terms, step = sent.terms, story.after[sent.terms.run_step]
        run = story.runs[step.run]
        script = story.content.snapshot.scripts[run.script]
        kinds = classes_of(
            SendBy(terms.way),
            run.subject_kind,
            marketing=terms.marketing,
            product=bool(terms.product),
        )
        closes_at = terms.closes_at or step.closes_at
        found.append(Touch(run.subject, script, step, kinds, heard.made_at, heard.at, closes_at))
    return found


def is_expired(touch: Touch, story: Story) -> bool:
    """Tell whether a message came out of hours, or after its end, by any doing of the engine's.

    What a person presses while the engine is down nobody can take back.
    """
    hours = Hours(touch.script.rails, story.content.tables, story.content.bank.zone)
    task = touch.step.way == SendBy.TASK_FOR_MANAGER  # for a colleague, at his own hours
    if touch.made_at >= touch.closes_at or not (task or hours.is_open(touch.made_at)):
        return True
    late = touch.at >= touch.closes_at or not (task or hours.is_open(touch.at))
    return late and not _is_down(touch.at, story)


def _is_down(at: datetime, story: Story) -> bool:
    return story.outage.down <= at <= story.outage.up


def _by_hand_alone(touch: Touch, story: Story) -> bool:
    return touch.at >= touch.closes_at and _is_down(touch.at, story)


def twice(touches: Iterable[Touch]) -> int:
    """Count the messages of one step that somebody got again."""
    return sum(count - 1 for count in Counter(touch.step.id for touch in touches).values())


def over_cap(touches: Sequence[Touch], zone: Any, caps: Sequence[Caps]) -> list[Touch]:
    """Return the messages that were one too many in a window of their own script's or the bank's.

    Counted anew from what was sent alone: no place of the ledger is looked at.
    """
    said: dict[str, list[Touch]] = defaultdict(list)
    found = []
    for touch, rules in zip(touches, caps, strict=True):
        mine, day = said[touch.subject], touch.at.astimezone(zone).date()
        mine.append(touch)
        for rule in rules.rules:
            if rule.kinds.isdisjoint(touch.kinds):
                continue
            days = [
                one.at.astimezone(zone).date()
                for one in mine
                if not rule.kinds.isdisjoint(one.kinds)
            ]
            if _most_in(days, day, rule.days) > _allowance(rule.most, day):
                found.append(touch)
                break
    return found


def _caps(story: Story, touches: Sequence[Touch]) -> list[Caps]:
    bank = story.content.bank
    kinds = {run.subject: run.subject_kind for run in story.runs.values()}
    return [
        caps_for(touch.script, bank, kinds[touch.subject], None, TenantCaps()) for touch in touches
    ]


def _allowance(most: int, day: date) -> int:
    if most != _AS_MANY_AS_DAYS:
        return most
    return ((day.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY).day


def _most_in(on: Sequence[date], day: date, length: int) -> int:
    """Return the most days among ``on`` in any window of that length that holds ``day``."""
    if length == _A_MONTH:
        return sum((one.year, one.month) == (day.year, day.month) for one in on)
    windows = [day - back * _DAY for back in range(length)]
    return max(sum(first <= one < first + length * _DAY for one in on) for first in windows)


def _allowed(story: Story, before: RunStep, at: datetime) -> bool:
    """Tell whether a file lets a step be made up for at that moment; a reading of its own."""
    run = story.runs[before.run]
    script = story.content.snapshot.scripts[run.script]
    part = script.part(before.step)
    if part is None:
        return False
    dated = getattr(part, "relative", None) is not None
    missed = script.missed_for(part)
    return may_be_late(missed, script.rest_days, before, at, dated, story.content.tables)


def may_be_late(
    missed: Missed,
    rest: RestDays,
    before: RunStep,
    at: datetime,
    dated: bool,
    tables: CalendarTables,
) -> bool:
    """Tell whether 错过时间窗 lets a step be sent at a moment after its window (2.12)."""
    moved = at - before.opens_at
    same_hours = moved % _DAY < before.closes_at - before.opens_at
    match missed.rule:
        case MissedRule.NEXT_DAY:
            first = 1
            day = before.planned_on + _DAY
            while rest is not RestDays.SEND and not tables.is_workday(day):
                day, first = day + _DAY, first + 1
            return same_hours and moved // _DAY == first
        case MissedRule.SHIFT | MissedRule.COALESCE:
            return same_hours and not dated
        case MissedRule.CATCH_UP_WITHIN if missed.within is not None:
            return at < before.closes_at + missed.within
        case MissedRule.CATCH_UP_WITHIN:
            last = before.planned_on
            for _ in range(missed.workdays or 0):
                last = tables.next_workday(last + _DAY)
            return at < before.closes_at + (last - before.planned_on)
        case _:
            return False
