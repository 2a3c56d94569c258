"""Runs as rows: entered once, taken when due, ended with all that they still had before them."""

from __future__ import annotations

from datetime import date, timedelta

from bot.domain.delivery import Terms
from bot.domain.messages import BroadcastCancel
from bot.domain.runs import RunState, cancel_key
from bot.storage.db import Database, Tx
from bot.storage.letters import GATHERED_FOR, add_entries, put_many, seal
from bot.storage.tasks import TaskEnd
from tests.make import CHAT, MINUTE, NOON, OWNER, broadcast, new_step, staff_card

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def enrol(tx: Tx, subject: str = CHAT, *, rotation: int = 1, state: RunState = "running"):  # type: ignore[no-untyped-def]
    return await tx.runs.enrol(
        script="senior-21d",
        version="v1",
        subject=subject,
        owner=OWNER,
        branch="b01",
        anchor=date(2026, 10, 12),
        state=state,
        now=NOON,
        rotation=rotation,
    )


def task_of(msgid: str, step: int, chat: str) -> dict[str, object]:
    return {
        "msgid": msgid,
        "run_step": step,
        "owner": OWNER,
        "chat": chat,
        "created_at": NOON,
        "closes_at": NOON + DAY,
        "due_at": NOON + 5 * MINUTE,
    }


class TestRuns:
    async def test_a_subject_runs_once_in_a_script(self, database: Database) -> None:
        async with database.begin() as tx:
            run = await enrol(tx)
            assert run is not None
            assert await enrol(tx) is None
            assert await enrol(tx, rotation=2) is None  # one live run at most
            assert await enrol(tx, "wrB") is not None
            await tx.runs.end(run, "done", "", NOON)
            assert await enrol(tx, rotation=2) is not None
            assert [one.state for one in await tx.runs.of_subject(CHAT, state=None)] == [
                "done",
                "running",
            ]

    async def test_a_held_out_group_is_written_down_and_is_no_work(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            await enrol(tx, state="held_out")
            assert await tx.planning.take(NOON + DAY) == []
            assert not await tx.runs.any_running("senior-21d")

    async def test_a_plan_is_written_once(self, database: Database) -> None:
        async with database.begin() as tx:
            run = await enrol(tx)
            assert run is not None
            await tx.runs.add_steps(run, [new_step("d02"), new_step("d03")], NOON)
            await tx.runs.add_steps(run, [new_step("d03", opens="14:30")], NOON)
            steps = await tx.runs.steps(run)
            assert [step.step for step in steps] == ["d02", "d03"]
            assert steps[1].opens_at == new_step().opens_at

    async def test_an_exit_skips_what_was_planned_and_stops_the_work(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            run = await enrol(tx)
            assert run is not None
            await tx.runs.add_steps(run, [new_step("d02"), new_step("d03")], NOON)
            first = (await tx.runs.steps(run))[0]
            await tx.runs.set_step(first.id, NOON, state="confirmed")
            await tx.runs.end(run, "exited", "group_dismissed", NOON)
            assert [(s.state, s.reason) for s in await tx.runs.steps(run)] == [
                ("confirmed", ""),
                ("skipped", "group_dismissed"),
            ]
            assert await tx.planning.take(NOON + DAY) == []
            await tx.runs.set_due(run, NOON)  # a late result wakes nobody who has left
            assert await tx.planning.take(NOON + DAY) == []

    async def test_a_run_that_is_no_longer_as_it_was_taken_is_not_written(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            await enrol(tx)
            (run,) = await tx.planning.take(NOON)
            await tx.planning.put_off(run, NOON + HOUR, "ValueError")
            assert await tx.planning.sleep([(run, NOON)]) == 0
            assert await tx.next_due(["enrolments"]) == NOON + HOUR
            (again,) = await tx.planning.take(NOON + HOUR)
            assert again.attempt == 1
            assert await tx.planning.sleep([(again, NOON + DAY)]) == 1
            assert await tx.next_due(["enrolments"]) == NOON + DAY
            assert (await tx.planning.take(NOON + DAY))[0].attempt == 0

    async def test_a_task_is_known_once_and_asked_after_until_it_ends(
        self, database: Database
    ) -> None:
        task = task_of("msg1", 1, CHAT)
        async with database.begin() as tx:
            await tx.runs.add_task(task)
            await tx.runs.add_task(task)
            assert await tx.tasks.claim(NOON) == []
            ((claimed,),) = await tx.tasks.claim(NOON + 5 * MINUTE)
            assert len(await tx.runs.waiting_tasks(OWNER)) == 1
            assert await tx.runs.waiting_tasks("somebody") == []
            await tx.tasks.finish([TaskEnd(claimed, "over")])
            another = claimed.model_copy(update={"attempt": 9})
            await tx.tasks.finish([TaskEnd(another, "waiting")])  # who does not hold it
            assert await tx.runs.waiting_tasks() == []

    async def test_tasks_of_a_run_that_left_are_taken_back_at_once(
        self, database: Database
    ) -> None:
        control = Terms(purpose="control", subject=CHAT)
        async with database.begin() as tx:
            for subject, msgid in ((CHAT, "msg1"), ("wrB", "msg2")):
                run = await enrol(tx, subject)
                assert run is not None
                await tx.runs.add_steps(run, [new_step("d02"), new_step("d03")], NOON)
                step = (await tx.runs.steps(run))[0]
                await tx.runs.set_step(step.id, NOON, state="waiting")
                await tx.runs.add_task(task_of(msgid, step.id, subject))
                cancel = BroadcastCancel(task=msgid)
                await tx.outbox.put(cancel_key(msgid), cancel, control, NOON, due_at=NOON + HOUR)
            await tx.runs.end(1, "exited", "group_dismissed", NOON + MINUTE)
            assert [(s.state, s.reason) for s in await tx.runs.steps(1)] == [
                ("skipped", "group_dismissed"),
                ("skipped", "group_dismissed"),
            ]
            assert [s.state for s in await tx.runs.steps(2)] == ["waiting", "planned"]
            due = await tx.outbox.claim(NOON + MINUTE, urgent=False)
            due += await tx.outbox.claim(NOON + MINUTE, urgent=True)
            assert [one.key for one in due] == [cancel_key("msg1")]
            ((task,),) = await tx.tasks.claim(NOON + 3 * MINUTE)  # was it sent all the same?
            assert (task.msgid, task.closes_at) == ("msg1", NOON + MINUTE)


class TestMany:
    async def test_many_messages_are_stored_as_one_is(self, database: Database) -> None:
        terms = Terms(purpose="step", subject=CHAT, opens_at=NOON, quota=True, enrolment=7)
        staff = Terms(purpose="staff", subject=OWNER, urgent=True)
        letters = [("a", broadcast(), terms), ("b", staff_card(), staff)]
        async with database.begin() as tx:
            for key, message, of in letters:
                await tx.outbox.put(f"one:{key}", message, of, NOON)
            many = [seal(f"many:{key}", message, of) for key, message, of in letters]
            assert await put_many(tx.connection, many, NOON) == 2
            assert await put_many(tx.connection, many, NOON + DAY) == 0
            stored = {}
            for urgent in (True, False):
                for one in await tx.outbox.claim(NOON + GATHERED_FOR, urgent=urgent):
                    stored[one.key] = one
        for key in ("a", "b"):
            one, many_ = stored[f"one:{key}"], stored[f"many:{key}"]
            for name in ("channel", "policy", "message", "terms", "batch", "urgent", "created_at"):
                assert getattr(one, name) == getattr(many_, name)

    async def test_many_entries_are_kept_in_their_order(self, database: Database) -> None:
        async with database.begin() as tx:
            entries = [("step_queued", f"wr{number}", {"step": "开场"}) for number in range(300)]
            await add_entries(tx.connection, entries, NOON)
            assert await tx.ledger.count("step_queued", since=NOON) == 300
            found = await tx.ledger.of_kinds(["step_queued"])
            assert [entry.subject for entry in found] == [subject for _, subject, _ in entries]
            assert found[0].facts == {"step": "开场"}
            assert found[0].at == NOON

    async def test_a_batch_that_wrote_is_news_and_one_that_found_nothing_is_none(
        self, database: Database
    ) -> None:
        news = database.listen()
        async with database.begin() as tx:
            assert await put_many(tx.connection, [], NOON) == 0
        assert not news.is_set()
        async with database.begin() as tx:
            await put_many(tx.connection, [seal("a", broadcast(), Terms(purpose="control"))], NOON)
        assert news.is_set()


class TestSweeps:
    async def test_a_sweep_goes_on_where_it_came_to(self, database: Database) -> None:
        async with database.begin() as tx:
            assert await tx.moving.under_way() == {}
            await tx.moving.begin("groups")
            await tx.moving.begin("runs:s")
            assert await tx.moving.reach("groups", "", "wr5")
            assert not await tx.moving.reach("groups", "wr3", "wr7")  # another went on from there
            assert await tx.moving.under_way() == {"groups": "wr5", "runs:s": ""}
            await tx.moving.end("groups", "wr4")  # somebody else came further
            await tx.moving.end("runs:s", "")
            assert await tx.moving.under_way() == {"groups": "wr5"}
            await tx.moving.begin("groups")  # there is something new to be done for all
            assert await tx.moving.under_way() == {"groups": ""}

    async def test_groups_are_marked_some_at_a_time_and_those_that_are_gone_never(
        self, database: Database
    ) -> None:
        async with database.begin() as tx:
            for number in range(5):
                await tx.people.mark_group(f"wr{number}", NOON)  # type: ignore[arg-type]
            await tx.connection.exec_driver_sql("UPDATE groups SET due_at = NULL")
            await tx.connection.exec_driver_sql(
                "UPDATE groups SET dismissed = true WHERE id = 'wr1'"
            )
            first = await tx.moving.mark_groups("", NOON + HOUR, limit=3)
            assert first == ["wr0", "wr1", "wr2"]
            assert await tx.moving.mark_groups("wr2", NOON + HOUR, limit=3) == ["wr3", "wr4"]
            assert await tx.moving.mark_groups("wr4", NOON + HOUR, limit=3) == []
            rows = await tx.connection.exec_driver_sql(
                "SELECT id FROM groups WHERE due_at IS NOT NULL ORDER BY id"
            )
            assert [row[0] for row in rows] == ["wr0", "wr2", "wr3", "wr4"]
