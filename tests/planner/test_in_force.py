"""What is in force: for all or a part, once it is allowed; the rest waits and the old goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from bot.bench.ground import SCRIPT, fill, with_one_step
from bot.clock import FakeClock
from bot.config.parts import SopSettings
from bot.domain.approval import substance
from bot.domain.script import SopScript
from bot.domain.script_parts import OnEdit, Status
from bot.domain.withdrawal import body_hash, text_of
from bot.errors import ConfigError
from bot.storage.db import Database
from bot.workers.content import Content, Snapshot, version_of
from bot.workers.publish import Published, Sweeper, publish
from bot.workers.releases import Part, Released, Releases
from tests.planner.conftest import START
from tests.planner.test_planning import rows

GROUPS = 40
HEAD, OWNER = "消保-何静", "运营-周岚"
REQUIRED, COMMAND = SopSettings(approval="required"), SopSettings(publish="command")
ALL, NOBODY = Part("all"), Part("none")


@pytest.fixture
def before(snapshot: Snapshot) -> Snapshot:
    return with_one_step(snapshot, time(9, 30), time(10, 30))


@pytest.fixture
def after(snapshot: Snapshot) -> Snapshot:
    return with_one_step(snapshot, time(10, 0), time(11, 0))


class Bank:
    """A database with its files, as one process keeps them."""

    def __init__(self, database: Database, content: Content, clock: FakeClock) -> None:
        self.database = database
        self.content = content
        self.clock = clock
        self.settings = SopSettings()

    async def save(self, files: Snapshot) -> Published:
        """Put files in force as far as that may be, and carry out what follows."""
        published = await publish(self.database, files, self.clock.now(), self.settings)
        self.content.adopt(published.snapshot)
        await Sweeper(self.database, self.content, self.clock).sweep()
        return published

    def releases(self, files: Snapshot, by: str = OWNER) -> Releases:
        return Releases(self.database, files, self.settings, self.clock, by)

    async def release(self, files: Snapshot, part: Part) -> Released:
        """Publish by hand; the process that works here looks then."""
        released = await self.releases(files).publish(files.scripts[SCRIPT], part)
        await self.save(files)
        return released

    async def versions(self) -> dict[str, int]:
        """Count the runs by their version."""
        found = await rows(
            self.database, "SELECT version, count(*) FROM enrolments GROUP BY version"
        )
        return {str(row[0]): int(str(row[1])) for row in found}

    async def standing(self, script: SopScript, on: date | None = None) -> str:
        """Return why a version's steps wait on a day; empty where they do not."""
        now = self.clock.now() if on is None else datetime.combine(on, time(12), START.tzinfo)
        version = version_of(script)
        async with self.database.read() as tx:
            holds = await self.content.holds(tx, [(script.id, version)], now)
        return holds.pausing(script.id, version)


@pytest.fixture
async def bank(database: Database, content: Content, clock: FakeClock, before: Snapshot) -> Bank:
    content.adopt(before)
    made = Bank(database, content, clock)
    await made.save(before)
    await fill(database, content, GROUPS, START)
    return made


def of(files: Snapshot, **values: object) -> Snapshot:
    """Return files whose script has other values."""
    script = files.scripts[SCRIPT].model_copy(update=values)
    return replace(files, scripts={**files.scripts, SCRIPT: script})


def until(files: Snapshot, day: date) -> Snapshot:
    """Return files whose script is approved until a day."""
    claim = files.scripts[SCRIPT].approval
    assert claim is not None
    return of(files, approval=claim.model_copy(update={"expires_on": day}))


async def test_where_approval_is_required_new_words_wait_and_the_old_go_on(
    bank: Bank, before: Snapshot, after: Snapshot
) -> None:
    old, new = before.scripts[SCRIPT], after.scripts[SCRIPT]
    await bank.releases(before, HEAD).approve(old, None, "")
    bank.settings = REQUIRED
    bank.content.approval = "required"
    for _ in range(2):  # the second look asks nobody again
        published = await bank.save(after)
        assert published.snapshot.waiting == {SCRIPT: "approval"}
        assert published.snapshot.scripts[SCRIPT] == old
        assert not published
    assert await bank.standing(old) == ""
    asked = await rows(bank.database, "SELECT body FROM outbox WHERE key LIKE 'approve:%'")
    assert len(asked) == 1
    assert await bank.versions() == {version_of(old): GROUPS}

    claim = new.approval
    assert claim is not None
    own = new.model_copy(update={"approval": claim.model_copy(update={"approver": OWNER})})
    with pytest.raises(ConfigError, match="自己"):
        await bank.releases(after, OWNER).approve(own, None, "")
    with pytest.raises(ConfigError, match="审批人"):
        await bank.releases(after, "消保-别人").approve(new, None, "")
    with pytest.raises(ConfigError, match="有效期至"):
        await bank.releases(after, HEAD).approve(new, date(2027, 1, 1), "")
    await bank.releases(after, HEAD).approve(new, None, "")
    published = await bank.save(after)
    assert published.snapshot.waiting == {}
    assert published.snapshot.scripts[SCRIPT] == new
    assert await bank.standing(new) == ""
    assert await bank.versions() == {version_of(new): GROUPS}


async def test_a_content_that_was_never_approved_stands_still_where_it_must_be(
    bank: Bank, before: Snapshot
) -> None:
    bank.settings = REQUIRED
    bank.content.approval = "required"
    published = await bank.save(before)
    assert published.snapshot.waiting == {SCRIPT: "approval"}
    assert published.snapshot.silent == {SCRIPT}
    assert await bank.standing(before.scripts[SCRIPT]) == "not_approved"


async def test_a_rejection_stops_whatever_the_file_claims(bank: Bank, before: Snapshot) -> None:
    script = before.scripts[SCRIPT]
    taught = len(before.documents())
    assert await bank.standing(script) == ""
    await bank.releases(before, HEAD).reject(script, "说得太满")
    published = await bank.save(before)
    assert await bank.standing(script) == "not_approved"
    assert published.snapshot.waiting == {SCRIPT: "rejected"}
    assert len(published.snapshot.documents()) < taught  # it answers no question either


async def test_what_a_withdrawn_text_taught_answers_nobody_any_more(
    bank: Bank, snapshot: Snapshot
) -> None:
    script = snapshot.scripts[SCRIPT]

    def taught() -> list[str]:
        documents = bank.content.snapshot.documents()
        return [one.id for one in documents if one.id.startswith(SCRIPT)]

    await bank.save(snapshot)
    before = taught()
    part = script.part("d03-fraud-child")
    assert part is not None
    async with bank.database.begin() as tx:
        its = body_hash(text_of(part))
        await tx.withdrawals.add(SCRIPT, part.id, its, HEAD, "写错", START)
    await bank.save(snapshot)
    assert set(before) - set(taught()) == {f"{SCRIPT}/{part.id}"}


async def test_an_approval_that_ended_stands_still_until_the_same_words_are_renewed(
    bank: Bank, before: Snapshot
) -> None:
    ends, later = date(2026, 11, 1), date(2026, 11, 2)
    old = of(until(before, ends), on_edit=OnEdit.NEW_ONLY)
    await bank.save(old)
    mine = old.scripts[SCRIPT]
    assert await bank.standing(mine, ends) == ""
    assert await bank.standing(mine, later) == "not_approved"
    bank.clock.jump(datetime.combine(later, time(12), START.tzinfo))
    renewed = until(old, date(2027, 11, 1))
    assert version_of(renewed.scripts[SCRIPT]) != version_of(mine)
    assert substance(renewed.scripts[SCRIPT]) == substance(mine)
    async with bank.database.begin() as tx:  # they sleep, to look again in a while
        await tx.connection.exec_driver_sql("UPDATE enrolments SET due_at = due_at * 2")
    await bank.save(renewed)
    assert await bank.standing(mine) == ""  # runs keep their version, which is allowed again
    woken = await rows(bank.database, "SELECT min(due_at), max(due_at) FROM enrolments")
    assert woken == [(int(bank.clock.now().timestamp()) * 1_000_000,) * 2]


async def test_where_publishing_is_a_command_a_save_waits_for_it(
    bank: Bank, before: Snapshot, after: Snapshot
) -> None:
    bank.settings = COMMAND
    published = await bank.save(after)
    assert published.snapshot.waiting == {SCRIPT: "command"}
    assert published.snapshot.scripts == before.scripts
    released = await bank.release(after, ALL)
    assert released.before == version_of(before.scripts[SCRIPT])
    assert bank.content.snapshot.waiting == {}
    assert await bank.versions() == {released.version: GROUPS}
    stopped = of(after, status=Status.STOPPED)
    await bank.save(stopped)  # to stop waits for nobody
    assert bank.content.snapshot.scripts[SCRIPT].status is Status.STOPPED


async def test_a_pilot_moves_its_part_widens_and_ends_for_all(
    bank: Bank, before: Snapshot, after: Snapshot
) -> None:
    bank.settings = COMMAND
    old, new = (version_of(files.scripts[SCRIPT]) for files in (before, after))
    first = "安心群1"
    released = await bank.release(after, Part("part", (first,)))
    assert released.pilot is not None
    assert released.pilot.groups == ("wr0000001",)
    assert await bank.versions() == {new: 1, old: GROUPS - 1}
    entering = bank.content.version_for(SCRIPT, "wr0000001")
    assert entering == after.scripts[SCRIPT]
    assert bank.content.version_for(SCRIPT, "wr0000002") == before.scripts[SCRIPT]

    await bank.release(after, Part("part", (), 30))
    moved = (await bank.versions())[new]
    assert 1 < moved < GROUPS
    with pytest.raises(ConfigError, match="只能放宽"):
        await bank.release(after, Part("part", (), 20))
    await bank.release(after, Part("part", (), 60))
    assert moved < (await bank.versions())[new] < GROUPS
    await bank.release(after, ALL)
    assert await bank.versions() == {new: GROUPS}
    assert bank.content.snapshot.pilots == {}
    with pytest.raises(ConfigError, match="没有在试点"):
        await bank.release(after, NOBODY)


async def test_what_is_saved_during_a_pilot_is_for_its_part(
    bank: Bank, before: Snapshot, after: Snapshot
) -> None:
    released = await bank.release(before, Part("part", ("wr0000001",)))
    assert released.version == released.before  # the file says what is in force: so far
    old, new = (version_of(files.scripts[SCRIPT]) for files in (before, after))
    await bank.save(after)  # a save is at once in force, but for the part only
    assert await bank.versions() == {new: 1, old: GROUPS - 1}
    await bank.release(after, NOBODY)
    assert await bank.versions() == {old: GROUPS}
    await bank.save(after)
    assert await bank.versions() == {old: GROUPS}  # what was taken back does not come by itself
    await bank.save(before)  # the file is as it was: nothing is left of the pilot
    assert bank.content.snapshot.pilots == {}
    await bank.save(after)
    assert await bank.versions() == {new: GROUPS}


async def test_a_pilot_of_new_entries_leaves_running_groups_alone(
    bank: Bank, before: Snapshot, after: Snapshot
) -> None:
    bank.settings = COMMAND
    careful = of(after, on_edit=OnEdit.NEW_ONLY)
    await bank.release(careful, Part("part", ("银龄群",)))
    assert await bank.versions() == {version_of(before.scripts[SCRIPT]): GROUPS}
    assert bank.content.version_for(SCRIPT, "new", {"银龄群"}) == careful.scripts[SCRIPT]
    assert bank.content.version_for(SCRIPT, "new") == before.scripts[SCRIPT]


async def test_groups_are_named_without_doubt(bank: Bank, after: Snapshot) -> None:
    async with bank.database.begin() as tx:
        await tx.connection.exec_driver_sql(
            "UPDATE groups SET name = '同名群' WHERE id IN ('wr0000001', 'wr0000002')"
        )
    bank.settings = COMMAND
    with pytest.raises(ConfigError, match="wr0000002"):
        await bank.release(after, Part("part", ("同名群",)))
    with pytest.raises(ConfigError, match="没有叫"):
        await bank.release(after, Part("part", ("没有的群",)))


async def test_a_stopped_file_stops_the_pilot_as_well(
    bank: Bank, before: Snapshot, after: Snapshot
) -> None:
    bank.settings = COMMAND
    await bank.release(after, Part("part", ("wr0000001",)))
    await bank.save(of(after, status=Status.STOPPED))
    assert bank.content.snapshot.pilots == {}
    assert bank.content.snapshot.scripts[SCRIPT].status is Status.STOPPED


async def test_an_edit_that_breaks_a_running_experiment_is_refused(
    bank: Bank, before: Snapshot, after: Snapshot
) -> None:
    measures = before.scripts[SCRIPT].measures
    assert measures is not None
    assert measures.holdout is not None
    other = measures.holdout.model_copy(update={"seed": "another-seed"})
    broken = of(after, measures=measures.model_copy(update={"holdout": other}))
    published = await bank.save(broken)
    assert published.snapshot.waiting == {SCRIPT: "experiment"}
    assert published.problems
    assert published.problems[0].file == "sop/senior-21d.sop.yaml"
    assert published.snapshot.scripts[SCRIPT] == before.scripts[SCRIPT]
    assert bank.clock.now() - START < timedelta(days=1)
