"""Rows of what stands still, was approved, withdrawn, or is for a part, on both databases."""

from __future__ import annotations

from datetime import date, timedelta

from bot.domain.pilot import Pilot
from bot.domain.withdrawal import body_hash
from bot.storage.db import Database
from tests.domain.builders import script, step
from tests.make import MINUTE, NOON

LATER = NOON + MINUTE


async def test_a_hold_is_in_force_until_somebody_ends_it(database: Database) -> None:
    async with database.begin() as tx:
        assert await tx.holds.begin("pause", "branch", "b01", "王芳", "演练", NOON)
        assert not await tx.holds.begin("pause", "branch", "b01", "李四", "", NOON)
        assert await tx.holds.begin("drain", "branch", "b01", "李四", "", NOON)
        assert await tx.holds.begin("pause", "script", "b01", "李四", "", NOON)
    async with database.begin() as tx:
        assert await tx.holds.any_since(NOON - MINUTE)
        assert not await tx.holds.any_since(NOON)
        first = (await tx.holds.in_force())[0]
        assert (first.by, first.why, first.since) == ("王芳", "演练", NOON)
        assert await tx.holds.end("branch", "b01", "王芳", LATER) == ["drain", "pause"]
        assert await tx.holds.end("branch", "b01", "王芳", LATER) == []
        assert [(one.scope, one.target) for one in await tx.holds.in_force()] == [("script", "b01")]
        assert await tx.holds.begin("pause", "branch", "b01", "王芳", "", LATER)


async def test_an_approval_is_asked_for_once_and_may_be_decided_again(database: Database) -> None:
    async with database.begin() as tx:
        before = await tx.approvals.mark()
        given = {"author": "运营-甲", "text": "{}", "now": NOON}
        assert await tx.approvals.ask("trial", "s1", **given)  # type: ignore[arg-type]
        assert not await tx.approvals.ask("trial", "s1", **given)  # type: ignore[arg-type]
        asked = await tx.approvals.mark()
        await tx.approvals.decide(
            "trial", "s1", "approved", approver="乙", now=LATER, expires_on=date(2027, 1, 1)
        )
        assert len({before, asked, await tx.approvals.mark()}) == 3
        await tx.approvals.signed("trial", "s1", "王芳")
        found = await tx.approvals.get("trial", "s1")
        assert found is not None
        assert (found.state, found.author, found.approver) == ("approved", "王芳", "乙")
        assert found.expires_on == date(2027, 1, 1)
        await tx.approvals.decide("trial", "s1", "rejected", approver="乙", now=LATER, why="错字")
        found = await tx.approvals.get("trial", "s1")
        assert found is not None
        assert (found.state, found.expires_on, found.why) == ("rejected", None, "错字")
        assert await tx.approvals.get("trial", "s2") is None
        assert await tx.approvals.of([]) == {}


async def test_a_script_has_one_pilot_that_is_renewed_and_ended(database: Database) -> None:
    pilot = Pilot(script="trial", version="v2", groups=("wr1",), since=NOON, by="王芳")
    async with database.begin() as tx:
        await tx.publications.put(pilot)
        wider = pilot.model_copy(update={"percent": 20, "version": "v3"})
        await tx.publications.put(wider)
        assert await tx.publications.all() == {"trial": wider}
        assert await tx.publications.end("trial")
        assert not await tx.publications.end("trial")
        assert await tx.publications.tags_of(["nobody"]) == {}


async def test_versions_are_kept_without_being_current(database: Database) -> None:
    async with database.begin() as tx:
        assert await tx.scripts.publish("trial", "v1", "one", NOON)
        assert await tx.scripts.keep("trial", "v2", "two", NOON)
        assert not await tx.scripts.keep("trial", "v2", "two", NOON)
        assert await tx.scripts.currents() == {"trial": "v1"}
        assert await tx.scripts.publish("trial", "v2", "two", NOON)
        assert await tx.scripts.currents() == {"trial": "v2"}
        assert await tx.scripts.text("trial", "v1") == "one"


async def test_a_text_is_withdrawn_once_and_for_ever(database: Database) -> None:
    part = script(step("d01", 1)).part("d01")
    assert part is not None
    its = body_hash(part.body or "")
    async with database.begin() as tx:
        assert not await tx.withdrawals.in_force()
        before = await tx.withdrawals.mark()
        number, new = await tx.withdrawals.add("trial", "d01", its, "乙", "错字", NOON)
        assert new
        assert await tx.withdrawals.add("trial", "d01", its, "甲", "", NOON) == (number, False)
        assert await tx.withdrawals.mark() != before
        assert (await tx.withdrawals.in_force()).covers("trial", part)
        assert await tx.withdrawals.of("trial", "d01") == {its}
        assert await tx.withdrawals.get(number) == ("trial", "d01", its)
        assert await tx.withdrawals.get(number + 1) is None


async def test_runs_are_counted_found_and_woken_by_what_they_have_in_common(
    database: Database,
) -> None:
    now = NOON
    async with database.begin() as tx:
        for number, branch in enumerate(("b01", "b01", "b02")):
            run = await tx.runs.enrol(
                script="trial",
                version="v1",
                subject=f"wr{number}",
                owner="li.min" if number else "wang",
                branch=branch,
                anchor=now.date(),
                state="running",
                now=now,
            )
            assert run is not None
            await tx.runs.set_due(run, now + timedelta(days=1))
        assert (await tx.scopes.extent("branch", "b01", now)).runs == 2
        assert (await tx.scopes.extent("manager", "li.min", now)).runs == 2
        assert (await tx.scopes.extent("step", "trial/d01", now)).runs == 3
        (first,) = await tx.scopes.runs_in("branch", "b01", after=0, limit=1)
        (second,) = await tx.scopes.runs_in("branch", "b01", after=first.id, limit=9)
        assert await tx.scopes.runs_in("group", "wr1", after=0, limit=9) == [second]
        await tx.scopes.wake([second.id], now)
        assert [run.due_at == now for run in await tx.runs.running()] == [False, True, False]
        await tx.runs.end(first.id, "exited", "terminated", now)
        assert await tx.scopes.counts() == {"trial": {"exited": 1, "running": 2}}
        assert await tx.scopes.versions_of("trial") == {"v1": 2}
        assert await tx.scopes.groups_called("nobody") == []
        assert not await tx.scopes.knows_customer("nobody")
