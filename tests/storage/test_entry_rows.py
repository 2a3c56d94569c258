"""Runs that begin together and decisions of entry, as rows."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot.domain.admission import NewRun
from bot.storage.admissions import Decision, State
from bot.storage.db import Database
from bot.storage.tables import enrolments
from tests.make import NOON, OWNER
from tests.storage.plans import noted, plan_of

DAY = timedelta(days=1)
SOON = NOON + timedelta(minutes=5)


def new_run(subject: str, *, held_out: bool = False) -> NewRun:
    return NewRun(
        subject=subject,
        key="",
        owner=OWNER,
        branch="lobby",
        rotation=1,
        anchor=NOON.date(),
        state="held_out" if held_out else "running",
        reason="script" if held_out else "",
        weekly_cap=None,
        data_as_of=NOON,
    )


def decision(
    subject: str,
    state: State,
    reason: str = "",
    rank: int = 0,
    minutes: int = 0,
    again: bool = False,
) -> Decision:
    return Decision(
        state=state,
        reason=reason,
        verdicts="{}",
        rank=rank,
        data_as_of=None,
        at=NOON + timedelta(minutes=minutes),
        due_at=SOON + timedelta(minutes=minutes) if again else None,
        attempt=0,
        script="trial",
        subject=subject,
        key="",
    )


async def begin(database: Database, *runs: NewRun) -> dict[str, int]:
    async with database.begin() as tx:
        return await tx.enrolling.begin("trial", "v1", "customer", runs, NOON, NOON + 90 * DAY)


async def stored(database: Database) -> dict[str, tuple[int, str, bool]]:
    """Return number, state and whether there is work, of each subject's run."""
    columns = [enrolments.c[name] for name in ("subject", "id", "state", "due_at")]
    async with database.read() as tx:
        rows = (await tx.connection.execute(select(*columns))).all()
    return {row.subject: (row.id, row.state, row.due_at == NOON) for row in rows}


async def test_runs_that_begin_together_are_told_by_the_numbers_they_have(
    database: Database,
) -> None:
    first = await begin(database, *(new_run(f"wm{number}") for number in (3, 1, 2)))
    held = await begin(database, new_run("wm9", held_out=True), new_run("wm8"))
    rows = await stored(database)
    assert {id: rows[id][0] for id in rows} == first | held
    assert len(set((first | held).values())) == 5
    assert rows["wm9"][1:] == ("held_out", False)
    assert rows["wm8"][1:] == ("running", True)


async def test_who_is_in_the_script_already_is_passed_over_and_shifts_nobodys_number(
    database: Database,
) -> None:
    before = await begin(database, new_run("wm2"))
    began = await begin(database, *(new_run(f"wm{number}") for number in (1, 2, 3)))
    rows = await stored(database)
    assert set(began) == {"wm1", "wm3"}
    assert {id: rows[id][0] for id in rows} == before | began


async def test_a_decision_that_says_the_same_again_is_left_as_it_was(database: Database) -> None:
    async with database.begin() as tx:
        await tx.admissions.put(
            [decision("wm1", "refused", "audience"), decision("wm2", "entered")]
        )
    async with database.begin() as tx:
        again = [decision("wm1", "refused", "audience", minutes=9)]
        written = await tx.admissions.put(
            [*again, decision("wm2", "refused", "consent", minutes=9)]
        )
    assert written == 1
    async with database.read() as tx:
        (same,), (other,) = [await tx.admissions.of_subject(id) for id in ("wm1", "wm2")]
    assert same.at == NOON
    assert (other.state, other.reason, other.at) == (
        "refused",
        "consent",
        NOON + timedelta(minutes=9),
    )


async def test_a_decision_that_is_asked_again_is_written_anew_each_time(
    database: Database,
) -> None:
    for minutes in (0, 5):
        async with database.begin() as tx:
            one = decision("wm1", "retry", "audience_unknown", minutes=minutes, again=True)
            assert await tx.admissions.put([one]) == 1
    async with database.read() as tx:
        (row,) = await tx.admissions.of_subject("wm1")
    assert row.due_at == SOON + timedelta(minutes=5)


async def test_those_who_wait_come_by_their_rank_and_are_found_by_an_index(
    database: Database,
) -> None:
    async with database.begin() as tx:
        waiting = [decision(f"wm{number}", "waiting", rank=9 - number) for number in range(5)]
        await tx.admissions.put([*waiting, decision("wm9", "entered", rank=1)])
    async with database.begin() as tx:
        with noted(database) as ran:
            found = await tx.admissions.next_of("trial", (5, 0), 3)
        assert await tx.admissions.waiting("trial") == 5
        assert "ix_admissions_waiting" in await plan_of(database, tx, *ran[-1])
    assert [one.subject for one in found] == ["wm4", "wm3", "wm2"]
