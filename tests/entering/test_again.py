"""Entering again, giving way to another script, standing still, and being asked for by a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.admission import rank
from bot.workers.entering import Entrance
from bot.workers.wishes import Wish
from tests.entering.scene import Scene, script

ON_VISIT = "{方式: 事件, 事件: 到网点}"


async def leave(scene: Scene, subject: str, name: str = "trial") -> None:
    run = (await scene.runs(name))[subject]
    async with scene.database.begin() as tx:
        await tx.runs.end_all([run.id], "exited", "manager", scene.now)


async def visits(scene: Scene, times: int, every: timedelta) -> int:
    """Let a customer come so often, each time leaving the script after it; count the runs."""
    await scene.customers("wmA")
    for number in range(times):
        await scene.happens("到网点", "wmA", key=str(number))
        run = (await scene.runs()).get("wmA")
        if run is not None and run.state == "running":
            await leave(scene, "wmA")
        scene.clock.advance(seconds=every.total_seconds())
    async with scene.database.read() as tx:
        return len(await tx.runs.of_script("trial"))


@pytest.mark.parametrize(
    ("again", "runs"), [("不允许", 1), ("退出后", 4), ("间隔30天", 2), ("每次锚点", 4)]
)
async def test_a_subject_enters_again_as_often_as_the_file_lets_it(
    scene: Scene, again: str, runs: int
) -> None:
    await scene.publish(script(entry=ON_VISIT, again=again))
    assert await visits(scene, 4, timedelta(days=15)) == runs


async def test_each_entry_has_its_rotation_and_one_run_at_most_is_live(scene: Scene) -> None:
    await scene.customers("wmA")
    await scene.publish(script(entry=ON_VISIT, again="每次锚点"))
    for number in range(3):
        await scene.happens("到网点", "wmA", key=str(number))
    assert len(await scene.runs()) == 1
    await leave(scene, "wmA")
    await scene.happens("到网点", "wmA", key="later")
    async with scene.database.read() as tx:
        runs = await tx.runs.of_script("trial")
    assert [run.state for run in runs] == ["exited", "running"]
    assert len({run.key for run in runs}) == 2


async def test_of_an_exclusive_group_the_higher_goes_first_and_an_equal_waits(
    scene: Scene,
) -> None:
    await scene.customers("wmA", "wmB", 营销同意=True)
    group = "互斥组: 唤醒\n"
    low = script("low", entry=ON_VISIT, kind="活动", more=group)
    same = script("same", entry="{方式: 事件, 事件: 点击链接}", kind="活动", more=group)
    high = script("high", entry="{方式: 事件, 事件: 大额入金}", kind="服务", more=group)
    await scene.publish(low, same, high)
    await scene.happens("到网点", "wmA")
    await scene.happens("点击链接", "wmA", "wmB")
    assert (await scene.decision("wmA", "same")).reason == "exclusive"
    await scene.happens("大额入金", "wmA")
    run = (await scene.runs("low"))["wmA"]
    assert (run.state, run.reason) == ("exited", "superseded")
    assert await scene.states("high") == {"wmA": "running"}
    assert await scene.states("same") == {"wmB": "running"}


@pytest.mark.parametrize(
    ("verb", "scope", "target"),
    [("pause", "script", "trial"), ("pause", "manager", "li.min"), ("drain", "script", "trial")],
)
async def test_nobody_enters_what_is_paused_or_drained(
    scene: Scene, verb: str, scope: str, target: str
) -> None:
    await scene.customers("wmA")
    await scene.publish(script(entry=ON_VISIT))
    async with scene.database.begin() as tx:
        await tx.holds.begin(verb, scope, target, "ops", "", scene.now)  # type: ignore[arg-type]
    await scene.happens("到网点", "wmA")
    assert await scene.states() == {}
    decided = await scene.decision("wmA")
    assert (decided.state, decided.reason) == (
        ("waiting", "paused") if verb == "pause" else ("refused", "drained")
    )
    async with scene.database.begin() as tx:
        await tx.holds.end(scope, target, "ops", scene.now)  # type: ignore[arg-type]
    scene.clock.advance(minutes=11)
    await scene.work()
    assert await scene.states() == ({"wmA": "running"} if verb == "pause" else {})


async def test_a_person_who_asks_is_told_what_came_of_it(scene: Scene) -> None:
    await scene.customers("wmA")
    await scene.customers("wmB", manager="")
    await scene.publish(script())
    async with scene.database.begin() as tx:
        await tx.admissions.ask_by_hand("trial", ["wmA", "wmB", "wmX"], scene.now)
        await tx.admissions.ask_by_hand("gone", ["wmA"], scene.now)
    await scene.work()
    async with scene.database.read() as tx:
        told = await tx.admissions.answers_by_hand("trial", ["wmA", "wmB", "wmX"])
        gone = await tx.admissions.answers_by_hand("gone", ["wmA"])
    assert told["wmA"] == {"state": "entered", "reason": ""}
    assert told["wmB"] == {"state": "refused", "reason": "contactable"}
    assert told["wmX"]["state"] == "retry"
    assert gone["wmA"] == {"state": "refused", "reason": "unpublished"}
    async with scene.database.begin() as tx:
        await tx.admissions.ask_by_hand("trial", ["wmA"], scene.now)
    await scene.work()
    async with scene.database.read() as tx:
        again = await tx.admissions.answers_by_hand("trial", ["wmA"])
    assert again["wmA"] == {"state": "refused", "reason": "running"}
    assert (await scene.decision("wmA")).state == "entered"


async def test_a_group_that_enters_by_hand_has_its_steps_and_their_places(scene: Scene) -> None:
    await scene.group("wrA", "银龄群")
    trial = script(subject="客户群", anchor="群启动日")
    await scene.publish(trial)
    async with scene.database.begin() as tx:
        await Entrance(scene.content).ask(tx, trial, [Wish("wrA")], scene.now)
    run = (await scene.runs())["wrA"]
    async with scene.database.read() as tx:
        steps = await tx.runs.steps(run.id)
        ahead = scene.now + timedelta(days=9)
        slots = await tx.quota.slots_of(["wrA"], scene.now, ahead)
    assert [step.step for step in steps] == ["hello"]
    (told,) = await scene.told("entered")
    assert (told["run"], told["customers"], told["anchor"]) == (run.id, 10, str(run.anchor))
    assert [(slot.kind, slot.state) for slot in slots["wrA"]] == [("broadcast", "planned")]


async def test_what_cannot_be_worked_on_is_put_off_and_holds_up_nobody(scene: Scene) -> None:
    await scene.customers("wmA", "wmB")
    broken = script("broken", entry=ON_VISIT)
    audience = broken.audience.model_copy(update={"where": "年龄 >="})
    await scene.publish(broken.model_copy(update={"audience": audience}))
    await scene.happens("到网点", "wmA")
    await scene.publish(script(entry=ON_VISIT))
    scene.clock.advance(minutes=30)
    await scene.happens("到网点", "wmB")
    assert await scene.states() == {"wmA": "running", "wmB": "running"}


def test_ranks_are_spread_and_differ_from_script_to_script() -> None:
    ids = [f"wm{number}" for number in range(400)]
    first, second = ([rank(name, id) for id in ids] for name in ("one", "other"))
    assert len(set(first)) > 395
    assert sorted(ids, key=dict(zip(ids, first, strict=True)).get) != sorted(  # type: ignore[arg-type]
        ids,
        key=dict(zip(ids, second, strict=True)).get,  # type: ignore[arg-type]
    )
