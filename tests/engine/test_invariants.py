"""The invariants of runs (sop_semantics 2.18), for random scripts, events and crashes.

A few seeds in every run of the tests; ``BOT_TEST_FAULTS=full`` tries many.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest

from bot.domain.audience import bucket
from bot.domain.opening import Hours
from bot.domain.runs import FINAL_STEPS, RunStep
from bot.domain.script import SopScript
from bot.domain.staff_messages import StaffCard
from bot.storage.db import Database, Tx
from tests.engine.conftest import MONDAY
from tests.engine.hands import press, terminate, told
from tests.engine.random_scripts import happenings, planned_script, token_script
from tests.engine.world import World

SEEDS = range(200) if os.environ.get("BOT_TEST_FAULTS") == "full" else range(2)
PEOPLE = ("wm1", "wm2", "wm3")
GROUPS = ("wr1", "wr2", "wr3")
DAYS = 75
DECLINED = 0.15  # of the cards that are pressed


class Crash(BaseException):
    """The end of the process, around a commit."""


class Crashing:
    """A database whose process dies now and then, before a commit or after it."""

    def __init__(self, database: Database, random: Random, share: float) -> None:
        self._database = database
        self._random = random
        self._share = share
        self.crashes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        async with self._database.begin() as tx:
            yield tx
            self._perhaps()
        self._perhaps()

    def _perhaps(self) -> None:
        if self._random.random() < self._share:
            self.crashes += 1
            raise Crash


class CrashingWorld(World):
    """Whose workers that move runs and poll tasks begin anew after every crash."""

    share = 0.0
    random = Random(0)
    crashes = 0
    pressed: dict[str, str]

    def begin(self) -> None:
        whole = self.database
        self.database = crashing = Crashing(whole, self.random, self.share)  # type: ignore[assignment]
        super().begin()
        self.database = whole
        # What is half sent is another matter: tests/faults has it.
        self.outbox._database = self.outbox._carrier._database = whole
        self._crashing = crashing

    async def work(self) -> None:
        while True:
            try:
                await super().work()
            except Crash:
                self.crashes += 1
                self.begin()
                continue
            if not await self._use_hands():
                return

    async def _use_hands(self) -> int:
        """Let people press the cards that they have, some late, some never; return how many."""
        due = [card for at, card in self.wire.cards if self._presses(at, card)]
        for card in due:
            declines = bucket(f"{self.wire.seed}:declines", card.task) < DECLINED
            verbs = [each.key.rpartition(":")[2] for each in card.card.buttons]
            await press(self, card, "skip" if declines else verbs[0])
            self.pressed[card.task] = "skip" if declines else verbs[0]
        return len(due)

    def _presses(self, given_at: datetime, card: StaffCard) -> bool:
        delay = timedelta(minutes=int(180 * bucket(f"{self.wire.seed}:minutes", card.task)))
        wants = bucket(f"{self.wire.seed}:cards", card.task) < self.wire.confirm
        return wants and card.task not in self.pressed and given_at + delay <= self.clock.now()


def world_of(world: World, seed: int, share: float) -> CrashingWorld:
    """Make the world's twin that crashes."""
    twin = CrashingWorld.__new__(CrashingWorld)
    twin.__dict__.update(world.__dict__)
    twin.share, twin.random, twin.crashes = share, Random(seed), 0
    twin.pressed = {}
    twin.wire.confirm, twin.wire.seed = 0.8, str(seed)
    twin.begin()
    return twin


async def play(
    world: World,
    seed: int,
    *,
    share: float,
    planned: bool = False,
    ends_at: datetime | None = None,
    prompt: bool = False,
) -> CrashingWorld:
    """Play a random script to its end, for all subjects, with what they do meanwhile.

    The last subject's run is terminated at ``ends_at``, else when it waits for somebody's hand.
    ``prompt`` people press every message as soon as they have it.
    """
    twin, random = world_of(world, seed, share), Random(f"{seed}-{planned}")
    twin.wire.prompt = prompt
    make = planned_script if planned else partial(token_script, by_hand=True)
    script = make(random, "trial")
    subjects = GROUPS if planned else PEOPLE
    await twin.publish(script)
    await (twin.groups(*subjects) if planned else twin.people(*subjects))
    await twin.enrol(script, *subjects)
    for one in [] if planned else happenings(random, subjects, MONDAY, 20):
        await twin.until(one.at)
        await twin.happens(one.subject, one.kind, one.at)
    await _end_while_something_is_in_hand(twin, subjects[-1], ends_at)
    await twin.until(MONDAY + timedelta(days=DAYS))
    twin.script = script  # type: ignore[attr-defined]
    return twin


async def _end_while_something_is_in_hand(
    twin: CrashingWorld, subject: str, ends_at: datetime | None
) -> None:
    """Terminate a subject's run, if it can be while it waits for somebody's hand."""
    for hour in range(1, 24 * 25):
        if ends_at is not None:
            await twin.until(ends_at)
            break
        if any(step.state == "waiting" for step in await twin.steps(subject)):
            break
        await twin.until(MONDAY + timedelta(hours=hour))
    word = "群" if subject in GROUPS else "客户"
    await terminate(twin, f"{word}:{subject}")


async def outcomes(world: World, subjects: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return what became of every subject's steps."""
    return {subject: await world.outcome(subject) for subject in subjects}


@pytest.fixture
def backend() -> str:
    return "sqlite"  # one at a time, so that the order is the same in every run


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_is_lost_doubled_or_out_of_hours(
    world: World, seed: int, planned: bool
) -> None:
    twin = await play(world, seed, share=0.08, planned=planned)
    assert twin.crashes
    subjects = GROUPS if planned else PEOPLE
    await _every_run_ends(twin, subjects)
    await _nothing_twice(twin)
    _within_hours(twin, twin.script)  # type: ignore[attr-defined]
    await _one_arm(twin)
    await _all_accounted_for(twin, subjects)
    rows = [step for subject in subjects for step in await twin.steps(subject)]
    _nobody_is_left_with_what_is_over(twin, rows)
    await _replay(twin, subjects)


async def _every_run_ends(world: World, subjects: tuple[str, ...]) -> None:
    """I1, I10: one run each, and none is left standing for ever."""
    states = await world.rows("SELECT subject, state FROM enrolments ORDER BY subject")
    assert [row[0] for row in states] == sorted(subjects)
    assert {row[1] for row in states} <= {"done", "exited"}


async def _nothing_twice(world: World) -> None:
    """I2: no two messages of one key, none after a run's end."""
    assert set((await world.keys()).values()) <= {1}
    late = await world.rows(
        "SELECT count(*) FROM outbox o JOIN enrolments e "
        "ON o.key LIKE 'sop:' || e.id || ':%' AND o.created_at > e.ended_at"
    )
    assert late == [(0,)]
    told = Counter((who, words) for _, who, words in world.wire.delivered())
    rounds = await world.rows("SELECT max(round) FROM run_steps")
    assert max(told.values(), default=0) <= (rounds[0][0] or 1)


def _within_hours(world: World, script: SopScript) -> None:
    """I4: nothing reaches anybody in hours that are not open."""
    content = world.content
    hours = Hours(script.rails, content.tables, content.bank.zone)
    assert [at for at, _, _ in world.wire.delivered() if not hours.is_open(at)] == []


async def _one_arm(world: World) -> None:
    """I5: a unit hears the words of one arm, the one that it was exposed to first."""
    heard: dict[str, set[str]] = defaultdict(set)
    for _, who, words in world.wire.delivered():
        if words[-1] in "甲乙":
            heard[who].add(words[-1])
    bound = dict(await world.rows("SELECT unit, arm FROM assignments"))
    assert all(arms == {bound[who]} for who, arms in heard.items())


async def _all_accounted_for(world: CrashingWorld, subjects: tuple[str, ...]) -> None:
    """I13: each step that was placed is delivered, or lost for a reason."""
    rows = [step for subject in subjects for step in await world.steps(subject)]
    assert [row for row in rows if row.state not in FINAL_STEPS] == []
    assert [row for row in rows if row.state != "confirmed" and not row.reason] == []
    done = [row for row in rows if row.state == "confirmed"]
    tasks = [row for row in done if row.way in ("", "企业群发")]
    assert len(world.wire.delivered()) == len(tasks)
    assert await _posted(world) == {row.id for row in done if row.way == "朋友圈"}
    by_card = {row.id for row in done if row not in tasks and row.way != "朋友圈"}
    assert by_card == {
        int(task.split("-")[1]) for task, verb in world.pressed.items() if verb != "skip"
    }


async def _posted(world: World) -> set[int]:
    """Return the steps whose moments were posted."""
    made = await world.rows(
        "SELECT ref, json_extract(facts, '$.run_step') FROM outbox "
        "WHERE bucket = 'moment' AND state = 'sent'"
    )
    now = world.clock.now()
    return {step for ref, step in made if (at := world.wire.pressed_at(ref)) and at <= now}


def _nobody_is_left_with_what_is_over(world: CrashingWorld, rows: Sequence[RunStep]) -> None:
    """X2: whoever has a card is told where its step is terminated, and in no other case."""
    given = {int(card.task.split("-")[1]) for _, card in world.wire.cards}
    called = [words for words in told(world) if words.startswith("之前卡片上")]
    assert all("已经终止" in words for words in called)
    # One that was sent all the same is confirmed by now; who has one of these has not sent it.
    left = [row for row in rows if row.reason == "terminated" and row.id in given]
    assert not left or called
    assert len(called) <= 1


async def _replay(world: World, subjects: tuple[str, ...]) -> None:
    """I8: the ledger alone says where each run came to, and what its steps came to."""
    for subject in subjects:
        run = await world.run(subject)
        ended = [
            kind for kind, _ in await _entries(world, subject) if kind in ("run_done", "exited")
        ]
        assert ended == ["run_done" if run.state == "done" else "exited"]
        arrived = [
            facts["step"] for kind, facts in await _entries(world, subject) if kind == "arrived"
        ]
        if run.node:
            assert arrived[-1] == run.node
            assert arrived == [*run.been] or arrived == [*run.been, run.node]
        last: dict[str, str] = {}
        for kind, facts in await _entries(world, subject):
            if kind in ("step_skipped", "step_failed", "step_confirmed"):
                last[facts["step"]] = kind.removeprefix("step_")
        rows = {step.step: step for step in await world.steps(subject)}
        assert all(rows[step].state == state for step, state in last.items())
        # The plan itself says what is not to be, and the end of a run what does not come any more.
        silent = [row for step, row in rows.items() if step not in last]
        assert all(
            row.state == "skipped" and (not row.iteration or row.reason == run.reason)
            for row in silent
        )


async def _entries(world: World, subject: str) -> list[tuple[str, dict[str, Any]]]:
    rows = await world.rows(
        f"SELECT kind, facts FROM ledger WHERE subject = '{subject}' ORDER BY id"
    )
    return [(kind, json.loads(facts)) for kind, facts in rows]
