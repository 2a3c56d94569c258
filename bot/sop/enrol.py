"""Who enters a script, and with which plan."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from bot.domain.audience import held_out
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.enrolment import PlanFacts, plan
from bot.domain.people import GroupChat
from bot.domain.runs import NewStep, RunStep
from bot.domain.script import SopScript
from bot.domain.script_parts import Status, Subject

_START_BEFORE = time(9, 0)


def may_enter(script: SopScript, group: GroupChat, bank: Bank) -> bool:
    """Tell whether a group may begin a script now, by the file's 对象 and 适用."""
    owner = bank.member(group.owner)
    return (
        script.status is Status.PUBLISHED
        and script.subject is Subject.GROUP
        and not group.dismissed
        and script.audience.admits_group(
            group.tags, len(group.customers), owner.role if owner else ""
        )
    )


def is_held_out(script: SopScript, group: GroupChat) -> bool:
    """Tell whether a group belongs to those that do not run, so that the effect is measurable."""
    return held_out(script, group.id)


def start_day(bank: Bank, now: datetime) -> date:
    """Return day 1 of a run that begins now: today while the morning is young, else tomorrow."""
    local = now.astimezone(bank.zone)
    return local.date() if local.time() < _START_BEFORE else local.date() + timedelta(days=1)


def plan_steps(
    script: SopScript,
    anchor: date,
    branch: str,
    bank: Bank,
    tables: CalendarTables,
    *,
    begun: tuple[RunStep, ...] = (),
    weekly_cap: int | None = None,
    not_before: date | None = None,
) -> list[NewStep]:
    """Place a run's steps on days; steps that have begun keep theirs."""
    facts = PlanFacts(
        events=tuple(event for event in bank.events if event.branch == branch),
        fixed={step.step: step.planned_on for step in begun},
        weekly_cap=weekly_cap,
        not_before=not_before,
    )
    return [
        NewStep(
            step=each.step_id,
            kind=each.kind,
            planned_on=each.on,
            opens_at=each.opens_at,
            closes_at=each.closes_at,
            skip=each.skip or "",
        )
        for each in plan(script, anchor, facts, tables, bank.zone)
    ]
