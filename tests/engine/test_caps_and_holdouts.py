"""Caps and holdouts (I3, I6) on the whole engine: random scripts side by side, events, crashes.

What is counted is what left and what was pressed, never a place of the ledger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import pytest

from bot.bench.sop_downtime import Touch, over_cap
from bot.domain.admission import EntryRule, Holdouts
from bot.domain.caps import TenantCaps, caps_for, classes_of_step
from bot.domain.doubt import MadeTask
from bot.domain.mass_messages import (
    Broadcast,
    CustomerBroadcast,
    Moment,
    Task,
    receivers_of,
    sender_of,
)
from bot.domain.script import SopScript
from bot.domain.steps import SendBy, Step
from bot.workers.reconcile import DoubtWorker
from tests.engine.conftest import MONDAY
from tests.engine.random_scripts import happenings, planned_script, token_script
from tests.engine.test_invariants import GROUPS, PEOPLE, SEEDS, CrashingWorld, world_of
from tests.engine.test_token_runs import flow, sends
from tests.engine.world import Wire, World, words_of

FEW = SEEDS[:1] if len(SEEDS) < 10 else SEEDS
CROWD = tuple(f"wm{number}" for number in range(14))
DAYS = 45
A_WEEK, A_MONTH = 2, 3
MEASURED = flow(
    sends("a"),
    more="看效果: {主指标: 互动率, 对照: {留白比例: 0.4, 留白群比例: 0.4, 随机种子: two}}\n",
).measures


@pytest.fixture
def backend() -> str:
    return "sqlite"


class Lists:
    """WeCom's lists of what was made, where a call's answer was lost with its process."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def between(
        self, message: Task | Moment, start: datetime, end: datetime
    ) -> Sequence[MadeTask]:
        return [
            MadeTask(msgid=msgid, text=words_of(made))
            for msgid, (at, made) in self._wire.tasks.items()
            if start <= at <= end
            and isinstance(made, Broadcast | CustomerBroadcast)
            and sender_of(made) == sender_of(message)
        ]

    async def receivers(self, made: str, message: Task | Moment) -> frozenset[str]:
        task = self._wire.tasks[made][1]
        assert isinstance(task, Broadcast | CustomerBroadcast)
        return frozenset(receivers_of(task))


class HurtWorld(CrashingWorld):
    """Whose sender dies, too: before its claim is kept, before the call's end is written."""

    watched = (*World.watched, "doubts")

    def begin(self) -> None:
        super().begin()
        self.outbox._database = self.outbox._carrier._database = self._crashing
        self.doubts = DoubtWorker(self.database, Lists(self.wire), self.content, self.clock)

    async def _one_round(self) -> int:
        return await super()._one_round() + await self.doubts.step()


def hurt(world: World, seed: int, share: float) -> HurtWorld:
    """Return the world with workers that die at any commit."""
    twin = world_of(world, seed, 0.0)
    twin.__class__ = HurtWorld
    twin.share = share
    twin.begin()
    assert isinstance(twin, HurtWorld)
    return twin


def scripts_of(random: Random, *, planned: bool) -> list[SopScript]:
    """Make three scripts that run side by side, each with caps of its own."""
    made = []
    for id in ("one", "two", "three"):
        script = (planned_script if planned else token_script)(random, id)
        caps = (
            {"broadcasts_a_week": random.randint(2, 4), "broadcasts_a_month": random.randint(5, 9)}
            if planned
            else {
                "private_marketing_a_week": random.randint(1, A_WEEK),
                "private_marketing_a_month": random.randint(2, A_MONTH),
                "private_a_day": 1,
            }
        )
        made.append(script.model_copy(update={"rails": script.rails.model_copy(update=caps)}))
    return made


async def touches_of(world: World, scripts: Sequence[SopScript]) -> list[Touch]:
    """Return what reached each subject, and which cards were given for it, in their order."""
    by_words = defaultdict(list)
    for script in scripts:
        for subject in {run.subject for run in await runs_of(world, script)}:
            for row in await rows_of(world, script, subject):
                by_words[subject, row.text].append((script, row))
    kind = "customer" if scripts[0].subject == "客户" else "group"
    found = []
    for made_at, at, who, words in heard(world.wire):
        # The rounds of a repetition have the same words: the nearest window is its own.
        script, row = min(by_words[who, words], key=lambda one: abs(one[1].opens_at - made_at))
        step = script.part(row.step)
        assert isinstance(step, Step)
        kinds = classes_of_step(step, SendBy(row.way or "企业群发"), kind)
        found.append(Touch(who, script, row, kinds, made_at, at, row.closes_at))
    return found


async def runs_of(world: World, script: SopScript):  # type: ignore[no-untyped-def]
    async with world.database.read() as tx:
        return await tx.runs.of_script(script.id)


async def rows_of(world: World, script: SopScript, subject: str):  # type: ignore[no-untyped-def]
    async with world.database.read() as tx:
        runs = [run for run in await tx.runs.of_script(script.id) if run.subject == subject]
        return [row for run in runs for row in await tx.runs.steps(run.id) if row.text]


def heard(wire: Wire) -> list[tuple[datetime, datetime, str, str]]:
    """Return (made, pressed, receiver, words), in the order in which the tasks were made."""
    found = []
    for msgid, (made_at, message) in wire.tasks.items():
        at = wire.pressed_at(msgid)
        if at is not None and at <= wire.clock.now():
            assert isinstance(message, Broadcast | CustomerBroadcast)
            found += [(made_at, at, who, words_of(message)) for who in receivers_of(message)]
    return sorted(found)


async def play(
    world: World, seed: int, *, share: float, planned: bool
) -> tuple[HurtWorld, list[SopScript]]:
    """Let three scripts run for the same subjects, who do this and that meanwhile."""
    random = Random(f"{seed}-{planned}-caps")
    twin, scripts = hurt(world, seed, share), scripts_of(random, planned=planned)
    subjects = GROUPS if planned else PEOPLE
    await twin.publish(*scripts)
    await (twin.groups(*subjects) if planned else twin.people(*subjects))
    for script in scripts:
        await twin.enrol(script, *subjects)
        await twin.until(twin.clock.now() + timedelta(hours=random.randint(0, 60)))
    for one in [] if planned else happenings(random, subjects, twin.clock.now(), 30):
        await twin.until(one.at)
        await twin.happens(one.subject, one.kind, one.at)
    await twin.until(MONDAY + timedelta(days=DAYS))
    return twin, scripts


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("seed", FEW)
async def test_i3_no_cap_of_any_rolling_window_is_broken_whatever_crashes(
    world: World, seed: int, planned: bool
) -> None:
    twin, scripts = await play(world, seed, share=0.06, planned=planned)
    assert twin.crashes
    touches = await touches_of(twin, scripts)
    assert touches or not twin.wire.delivered()
    bank, kind = twin.content.bank, "group" if planned else "customer"
    caps = [caps_for(one.script, bank, kind, None, TenantCaps()) for one in touches]
    assert over_cap(touches, bank.zone, caps) == []


async def test_i3_the_counter_would_see_it(world: World) -> None:
    """With the caps of the files lifted the same story breaks those that the judge goes by."""
    world.content.tenant_caps = TenantCaps(
        marketing_a_week=7, marketing_a_month=30, group_a_day=1, group_a_week=7, fatigue=False
    )
    twin = hurt(world, 1, 0.0)
    scripts = scripts_of(Random("lifted"), planned=True)
    free = {"broadcasts_a_week": 7, "broadcasts_a_month": None}
    lifted = [
        script.model_copy(update={"rails": script.rails.model_copy(update=free)})
        for script in scripts
    ]
    await twin.publish(*lifted)
    await twin.groups(*GROUPS)
    for script in lifted:
        await twin.enrol(script, *GROUPS)
    await twin.until(MONDAY + timedelta(days=30))
    touches = await touches_of(twin, lifted)
    strict = dict(zip((one.id for one in lifted), scripts, strict=True))
    bank = twin.content.bank
    caps = [caps_for(strict[one.script.id], bank, "group") for one in touches]
    assert over_cap(touches, bank.zone, caps)


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("seed", FEW)
async def test_i6_a_unit_of_a_holdout_gets_no_marketing_of_any_script(
    world: World, seed: int, planned: bool
) -> None:
    """The bank's holdout keeps out of every script that sells, each script's own out of it."""
    random = Random(f"{seed}-holdout")
    twin = hurt(world, seed, 0.05)
    twin.content.holdouts = Holdouts(everywhere=0.4)
    one, two, three = scripts_of(random, planned=planned)
    scripts = [one, with_holdout(two), three]
    subjects = tuple(f"wr{number}" for number in range(14)) if planned else CROWD
    await twin.publish(*scripts)
    await (twin.groups(*subjects) if planned else twin.people(*subjects))
    held: dict[str, set[str]] = defaultdict(set)
    inside = 0
    for script in (*scripts, *scripts):  # who was held out tries again, and is held out again
        asked = await twin.enter(script, *subjects)
        for one in asked.admissions:
            if one.state == "held_out":
                held[one.verdict.layer].add(one.candidate.facts.id)
        inside += asked.count("entered")
        await twin.until(twin.clock.now() + timedelta(hours=random.randint(1, 40)))
    await twin.until(MONDAY + timedelta(days=30))
    told: dict[str, set[str]] = defaultdict(set)
    for _, _, who, words in heard(twin.wire):
        told[words.partition("-")[0]].add(who)
    selling = [script.id for script in scripts if not EntryRule.of(script, "1").spared]
    everybody = set().union(*(told[id] for id in selling))
    assert selling
    assert held["global"]
    assert inside  # others are in the very same scripts
    assert everybody.isdisjoint(held["global"])
    assert held["script"]
    assert told["two"].isdisjoint(held["script"])
    queued = await twin.rows(
        "SELECT count(*) FROM outbox o JOIN enrolments e ON o.key LIKE 'sop:' || e.id || ':%' "
        "WHERE e.state = 'held_out'"
    )
    assert queued == [(0,)]


def with_holdout(script: SopScript) -> SopScript:
    """Return a script with a holdout of its own."""
    return script.model_copy(update={"measures": MEASURED})
