"""A large bank with many open leads: what the measures of the leads stand on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.ids import BranchId, CustomerId, RmId
from bot.domain.institution import Branch, Member
from bot.domain.lead import Evidence, Need, Signal
from bot.domain.sla import Timer, TimerKind
from bot.leads.desk import LeadDesk
from bot.storage import tables
from bot.storage.bulk import insert_rows
from bot.storage.db import Database

MANAGERS, PER_BRANCH, LEADS = 500, 10, 10_000
RULES = AssigningRules(capacity=40, per_hour=1000)
_HOUR = timedelta(hours=1)
_CHUNK = 2000
_LEAD = (
    *("id", "customer", "need", "stage", "rm", "branch", "evidence"),
    *("opened_at", "respond_by", "taken_at", "attempt"),
)
_NEEDS = (Need.WEALTH, Need.SERVICE, Need.EVENT, Need.CARD, Need.LOAN, Need.MATURITY)


def large(bank: Bank) -> Bank:
    """Return the bank with 500 managers in 50 branches of five regions, and their heads."""
    branches, staff = [], []
    for number in range(MANAGERS // PER_BRANCH):
        home = BranchId(f"x{number:02}")
        head = RmId(f"head{number:02}")
        branches.append(_branch(bank.branches[0], home, head, number))
        staff.append(_member(head, home, "支行行长"))
        staff += [
            _member(RmId(f"rm{number * PER_BRANCH + one:03}"), home, "客户经理")
            for one in range(PER_BRANCH)
        ]
    staff += [one for one in bank.staff if one.branch is None]
    return bank.model_copy(update={"branches": tuple(branches), "staff": tuple(staff)})


def _branch(like: Branch, home: BranchId, head: RmId, number: int) -> Branch:
    changed = {"id": home, "name": f"第{number}支行", "head": head, "region": f"第{number % 5}区"}
    return like.model_copy(update=changed)


def _member(userid: RmId, home: BranchId, role: str) -> Member:
    return Member.model_validate(
        {"userid": userid, "姓名": userid, "称呼": userid, "角色": role, "网点": home}
    )


def desk_of(bank: Bank, calendar: CalendarTables) -> LeadDesk:
    """Return the desk of that bank."""
    return LeadDesk(lambda: bank, tables=lambda: calendar, rules=lambda: RULES)


async def fill(database: Database, desk: LeadDesk, now: datetime, due: int, offered: int) -> None:
    """Open 10,000 leads that people have taken; of ``due`` of them half of the time is over.

    The last ``offered`` are only offered, and the offer lapses a minute later.
    """
    rows = list(_leads(now, offered))
    async with database.begin() as tx:
        for start in range(0, LEADS, _CHUNK):
            chunk = rows[start : start + _CHUNK]
            await insert_rows(tx.connection, tables.leads, _LEAD, chunk)
    for start in range(0, LEADS, _CHUNK):
        async with database.begin() as tx:
            numbers = range(start + 1, start + _CHUNK + 1)
            timers = [timer for number in numbers for timer in _timers(number, now, due)]
            timers += [_offer(number, now) for number in numbers if number > LEADS - offered]
            time = desk.timers.time_at("x00").always()
            await tx.timers.write([(timer, timer.next_mark(time)) for timer in timers])
    async with database.begin() as tx:
        await tx.desks.recount()


def _leads(now: datetime, offered: int) -> Iterator[tuple[object, ...]]:
    for number in range(1, LEADS + 1):
        manager = number % MANAGERS
        place = f"rm{manager:03}", f"x{manager // PER_BRANCH:02}"
        evidence = '[{"quote": "想问问理财", "at": "2026-01-05T02:00:00Z", "source": "微信客服"}]'
        need = _NEEDS[number % len(_NEEDS)].value
        taken = number <= LEADS - offered
        moments = now - _HOUR, now + _HOUR, now - _HOUR if taken else None
        stage = "taken" if taken else "new"
        yield number, f"wm{number}", need, stage, *place, evidence, *moments, 0


def _timers(number: int, now: datetime, due: int) -> Iterator[Timer]:
    first = timedelta(hours=2) if number <= due else timedelta(hours=20)
    yield _timer(number, "first", first, now - _HOUR)
    yield _timer(number, "resolve", timedelta(hours=200), now - _HOUR)


def _offer(number: int, now: datetime) -> Timer:
    minute, quarter = timedelta(minutes=1), timedelta(minutes=15)
    return _timer(number, "accept", quarter, now + minute - quarter)


def _timer(number: int, kind: TimerKind, total: timedelta, at: datetime) -> Timer:
    return Timer(
        lead=number,
        kind=kind,
        total=total,
        left=total,
        round_the_clock=True,
        started_at=at,
        due_by=at + total,
    )


def signal(number: int, now: datetime) -> Signal:
    """Return what a customer said that makes a lead."""
    return Signal(
        customer=CustomerId(f"wm-new-{number}"),
        need=_NEEDS[number % len(_NEEDS)],
        evidence=Evidence(quote="想问问理财", at=now, source="微信客服"),
    )
