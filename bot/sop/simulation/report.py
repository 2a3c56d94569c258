"""What a simulation came to, as one JSON object: the words for people are made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from bot.domain.calendar import days
from bot.domain.funnel import funnel_of
from bot.sop.simulation.calendar import Calendar, Day, calendar_of
from bot.sop.simulation.calls import lists_a_day
from bot.sop.simulation.case import RATES, Case
from bot.sop.simulation.diary import Diary
from bot.sop.simulation.play import Outcome

_SATURDAY = 5


def report_of(outcome: Outcome) -> dict[str, Any]:
    """Return everything that is worth knowing, in a fixed order."""
    case, diary = outcome.case, outcome.diary
    calendar = calendar_of(case, outcome.entered.players)
    last = max((day.on for day in calendar.days), default=case.start)
    return {
        "script": {
            "id": case.script.id,
            "name": case.script.name,
            "number": case.script.number,
            "status": str(case.stands),
            "version": case.version,
        },
        "case": _case(case),
        "entry": _entry(outcome),
        "calendar": [day.as_json() for day in calendar.days],
        "unplaced": [each.as_json() for each in calendar.unplaced],
        "days": _special_days(case, last),
        "shifts": _shifts(calendar.days),
        "funnel": _funnel(outcome),
        "skips": dict(_most_first(_skips(calendar))),
        "arms": _counted(diary, "arm", "experiment", "arm"),
        "branches": _counted(diary, "branch_taken", "step", "to"),
        "waits": _counted(diary, "wait_ended", "step", "by"),
        "load": _load(diary.work),
        "calls": {
            "by_kind": dict(sorted(diary.calls.items())),
            "by_day": dict(sorted(diary.calls_by_day.items())),
            "busiest_hour": _busiest(diary.calls_by_hour),
            "total": sum(diary.calls.values()),
            "lists_a_day": lists_a_day(case.start, case.bank.zone),
        },
        "people": dict(sorted(diary.heard.items())),
        "ends": _ends(outcome),
    }


def _entry(outcome: Outcome) -> dict[str, Any]:
    entered = outcome.entered
    return {
        "subjects": outcome.case.subjects,
        "entered": len(entered.players),
        "held_out": sum(entered.held_out.values()),
        "held_out_by": dict(sorted(entered.held_out.items())),
        "refused": dict(_most_first(entered.refused)),
        "unknown_data": entered.unknown,
        "not_their_day": len(entered.waiting),
    }


def _funnel(outcome: Outcome) -> dict[str, Any]:
    """Sum up what became of every planned message, as the database's own funnel does (I13)."""
    rows = Counter(
        (row.state, row.reason)
        for player in outcome.entered.players
        for row in (*player.ended, *player.steps.values())
    )
    found = funnel_of((*key, count) for key, count in sorted(rows.items()))
    return {
        "planned": found.planned,
        "delivered": found.delivered,
        "pending": found.open,
        "losses": found.losses,
    }


def _most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _case(case: Case) -> dict[str, Any]:
    manners = case.manners
    return {
        "start": str(case.start),
        "subject": str(case.script.subject),
        "members": case.members,
        "managers": len(case.managers()),
        "branches": len({member.branch for member in case.managers()}),
        "seed": case.seed,
        "days": case.days,
        "confirm": manners.confirm,
        "rates": {name: manners.rate(name) for name in (*RATES, *manners.rates)},
        "unknown": manners.unknown,
    }


def _special_days(case: Case, last: date) -> list[dict[str, Any]]:
    """List holidays with the weekends that lie in them, and make-up working days."""
    found, free = [], list[date]()
    for day in days(case.start, last):
        if not case.tables.is_workday(day):
            free.append(day)
            continue
        found += _holiday(case, free)
        free = []
        if day.weekday() >= _SATURDAY:
            found.append(_special(case, day, "make_up_workday"))
    return found + _holiday(case, free)


def _holiday(case: Case, free: Sequence[date]) -> list[dict[str, Any]]:
    """Return days without work as a holiday, unless they are but a weekend."""
    if all(day.weekday() >= _SATURDAY for day in free):
        return []
    return [_special(case, day, "holiday") for day in free]


def _special(case: Case, day: date, kind: str) -> dict[str, Any]:
    return {"on": str(day), "kind": kind, "source": case.tables.source(day)}


def _shifts(calendar: Sequence[Day]) -> list[dict[str, Any]]:
    return [
        {
            "step": day.step,
            "from": str(nominal),
            "to": str(day.on),
            "reason": reason,
            "subjects": count,
        }
        for day in calendar
        for (nominal, reason), count in sorted(day.shifted.items())
    ]


def _skips(calendar: Calendar) -> Counter[str]:
    total: Counter[str] = Counter()
    for day in calendar.days:
        total.update(day.losses)
    for each in calendar.unplaced:
        total[each.reason] += each.subjects
    return total


def _load(work: dict[str, Counter[str]]) -> dict[str, Any]:
    """Return how often each manager is asked to press, by day; the busiest first."""
    managers, days = [], dict[str, Counter[str]]()
    for manager in sorted(work):
        for on, count in work[manager].items():
            days.setdefault(on, Counter())[manager] += count
        day, most = min(work[manager].items(), key=lambda item: (-item[1], item[0]))
        managers.append(
            {
                "manager": manager,
                "presses": sum(work[manager].values()),
                "days": len(work[manager]),
                "busiest_day": day,
                "most": most,
                "by_day": dict(sorted(work[manager].items())),
            }
        )
    managers.sort(key=lambda each: (-int(str(each["most"])), str(each["manager"])))
    return {"managers": managers, "days": [_busy_day(on, days[on]) for on in sorted(days)]}


def _busy_day(on: str, presses: Counter[str]) -> dict[str, Any]:
    manager, most = min(presses.items(), key=lambda item: (-item[1], item[0]))
    return {
        "on": on,
        "presses": sum(presses.values()),
        "managers": len(presses),
        "busiest": manager,
        "most": most,
    }


def _busiest(hours: Counter[str]) -> dict[str, Any] | None:
    if not hours:
        return None
    hour, count = min(hours.items(), key=lambda item: (-item[1], item[0]))
    return {"hour": hour, "calls": count}


def _counted(diary: Diary, kind: str, at: str, to: str) -> list[dict[str, Any]]:
    """Count the ledger's entries of a kind by two of their facts."""
    found = Counter(
        (str(note.facts.get(at)), str(note.facts.get(to)))
        for note in diary.notes
        if note.kind == kind
    )
    return [{"at": key[0], "to": key[1], "count": found[key]} for key in sorted(found)]


def _ends(outcome: Outcome) -> dict[str, int]:
    ends = Counter(
        player.run.state + (f":{player.run.reason}" if player.run.reason else "")
        for player in outcome.entered.players
    )
    ends["held_out"] += sum(outcome.entered.held_out.values())
    return dict(sorted((end, count) for end, count in ends.items() if count))
