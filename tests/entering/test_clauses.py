"""The clauses of entry, E1 to E6 of the SOP semantics, each by its name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.admission import Holdouts, rank
from bot.domain.ids import CustomerId
from tests.entering.scene import HELD, Scene, script

ON_VISIT = "{方式: 事件, 事件: 到网点}"


async def test_e1_five_answers_are_stored_of_whoever_is_asked(scene: Scene) -> None:
    await scene.customers("wmA", 年龄=70, 营销同意=True)
    await scene.customers("wmB", 年龄=50, 营销同意=True)
    trial = script(entry=ON_VISIT, kind="活动", audience='{条件: "年龄 >= 60"}')
    await scene.publish(trial)
    await scene.happens("到网点", "wmA", "wmB")
    assert await scene.states() == {"wmA": "running"}
    admitted, refused = await scene.decision("wmA"), await scene.decision("wmB")
    answers = {"audience": True, "exclusion": False, "consent": True, "contactable": True}
    assert admitted.verdicts.items() >= (answers | {"holdout": False}).items()
    assert (refused.state, refused.reason) == ("refused", "audience")
    assert refused.verdicts["audience"] is False
    assert refused.verdicts["consent"] is True
    (told,) = await scene.told("entry_refused")
    assert (told["subject"], told["reason"]) == ("wmB", "audience")
    assert told["answers"]["contactable"] is True


@pytest.mark.parametrize(
    ("kind", "data", "manager", "reason"),
    [
        ("活动", {"营销同意": False}, "li.min", "consent"),
        ("活动", {}, "li.min", "consent_unknown"),
        ("服务", {}, "li.min", ""),
        ("服务", {}, "", "contactable"),
        ("服务", {}, "stranger", "contactable"),
        ("服务", {"年龄": 90}, "li.min", "exclusion"),
    ],
)
async def test_e1_consent_is_for_what_sells_and_a_friend_on_duty_for_all(
    scene: Scene, kind: str, data: dict[str, int | bool], manager: str, reason: str
) -> None:
    await scene.customers("wmA", manager=manager, **{"年龄": 60} | data)
    entry = "{方式: 事件, 事件: 到网点, 宽限分钟: 0}"
    trial = script(entry=entry, kind=kind, audience='{排除: "年龄 >= 80"}')
    await scene.publish(trial)
    await scene.happens("到网点", "wmA")
    decided = await scene.decision("wmA")
    assert decided.reason == reason
    assert ("wmA" in await scene.states()) is (not reason)


async def test_e1_missing_data_are_waited_for_but_a_refusal_by_value_is_final(
    scene: Scene,
) -> None:
    await scene.customers("wmA", "wmB")
    await scene.customers("wmC", 年龄=20)
    await scene.publish(script(entry=ON_VISIT, audience='{条件: "年龄 >= 60"}'))
    await scene.happens("到网点", "wmA", "wmB", "wmC")
    assert (await scene.decision("wmA")).state == "retry"
    assert (await scene.decision("wmC")).state == "refused"
    scene.clock.advance(minutes=10)
    await scene.learn("wmA", {"年龄": 71})
    await scene.learn("wmC", {"年龄": 71})
    assert await scene.states() == {"wmA": "running"}
    scene.clock.advance(minutes=25)
    await scene.work()
    late = await scene.decision("wmB")
    assert (late.state, late.reason, late.due_at) == ("refused", "audience_unknown", None)
    await scene.learn("wmB", {"年龄": 71})
    assert "wmB" not in await scene.states()


async def test_e2_a_snapshot_is_frozen_once_with_its_hash(scene: Scene) -> None:
    await scene.customers("wmA", "wmB", 年龄=70)
    await scene.customers("wmC", 年龄=30)
    trial = script(entry="{方式: 名单快照}", audience='{条件: "年龄 >= 60"}')
    await scene.publish(trial)
    assert await scene.states() == {"wmA": "running", "wmB": "running"}
    (frozen,) = await scene.told("list_frozen")
    assert frozen["listed"] == 2
    assert len(frozen["hash"]) == 32
    await scene.learn("wmC", {"年龄": 60})
    await scene.publish(trial.model_copy(update={"number": 2}))
    await scene.go_to("2026-10-15T09:00")
    assert "wmC" not in await scene.states()
    assert len(await scene.told("list_frozen")) == 1


async def test_e2_who_is_on_the_list_is_judged_again_by_all_but_the_condition(
    scene: Scene,
) -> None:
    ids = [f"wm{number}" for number in range(6)]
    await scene.customers(*ids, 年龄=70)
    entry = "{方式: 名单快照, 每天最多: 2}"
    audience = '{条件: "年龄 >= 60", 排除: "投诉处理中 或 年龄 > 100"}'
    await scene.publish(script(entry=entry, audience=audience))
    waiting = sorted(set(ids) - set(await scene.states()))
    for id in waiting:
        await scene.learn(id, {"年龄": 40})
    await scene.learn(waiting[0], {"年龄": 101})
    await scene.go_to("2026-10-13T06:00")
    await scene.go_to("2026-10-14T06:00")
    assert set(await scene.states()) == {*ids} - {waiting[0]}
    assert (await scene.decision(waiting[0])).reason == "exclusion"


async def test_e2_continuous_entry_goes_by_changes_and_by_a_nightly_sweep(scene: Scene) -> None:
    await scene.customers("wmA", 年龄=70)
    await scene.customers("wmB", "wmC", 年龄=59)
    await scene.publish(script(entry="{方式: 持续}", audience='{条件: "年龄 >= 60"}'))
    assert set(await scene.states()) == {"wmA"}
    await scene.learn("wmB", {"年龄": 60})
    assert set(await scene.states()) == {"wmA", "wmB"}
    async with scene.database.begin() as tx:  # a change that nobody told of
        await tx.facts.put([("wmC", {"年龄": 60})], scene.now)
    await scene.work()
    assert "wmC" not in await scene.states()
    await scene.go_to("2026-10-13T02:31")
    assert set(await scene.states()) == {"wmA", "wmB", "wmC"}


async def test_e2_continuous_entry_looks_when_a_tag_is_put_on(scene: Scene) -> None:
    await scene.customers("wmA")
    await scene.publish(script(entry="{方式: 持续}", audience="{客户标签含任一: [国债提醒]}"))
    async with scene.database.begin() as tx:
        await tx.people.tag(CustomerId("wmA"), ["国债提醒"], now=scene.now)
    await scene.work()
    assert await scene.states() == {"wmA": "running"}


async def test_e3_events_of_before_count_only_from_the_day_that_is_named(scene: Scene) -> None:
    await scene.customers("wmA", "wmB", "wmC")
    await scene.happens("到网点", "wmA", at=scene.now - timedelta(days=40))
    await scene.happens("到网点", "wmB", at=scene.now - timedelta(days=5))
    since = "{方式: 事件, 事件: 到网点, 补进: 2026-10-01}"
    await scene.publish(script("with", entry=since), script("without", entry=ON_VISIT))
    assert set(await scene.states("with")) == {"wmB"}
    assert await scene.states("without") == {}
    await scene.happens("到网点", "wmC", at=scene.now - timedelta(days=5))
    assert set(await scene.states("with")) == {"wmB", "wmC"}
    assert await scene.states("without") == {}


@pytest.mark.parametrize("order", [1, -1])
async def test_e4_over_the_limit_they_wait_in_the_order_of_their_hash(
    scene: Scene, order: int
) -> None:
    ids = [f"wm{number}" for number in range(9)][::order]
    await scene.customers(*ids)
    entry = "{方式: 事件, 事件: 到网点, 每小时最多: 2, 每天最多: 3, 总数最多: 7}"
    await scene.publish(script(entry=entry))
    await scene.happens("到网点", *ids)
    by_rank = sorted(ids, key=lambda id: rank("trial", id))
    assert [(await scene.decision(id)).rank for id in ids] == [rank("trial", id) for id in ids]
    assert set(await scene.states()) == set(by_rank[:2])
    await scene.go_to("2026-10-12T09:00")
    assert set(await scene.states()) == set(by_rank[:3])
    await scene.go_to("2026-10-12T23:59")
    assert len(await scene.states()) == 3
    await scene.go_to("2026-10-13T00:00")
    await scene.go_to("2026-10-13T01:00")
    await scene.go_to("2026-10-14T00:00")
    await scene.go_to("2026-10-18T00:00")
    assert set(await scene.states()) == set(by_rank[:7])
    throttled = await scene.told("entry_throttled")
    assert throttled[0]["waiting"] == 7
    assert throttled[-1]["waiting"] == 2
    assert throttled[-1]["opens_at"] == ""


async def test_e5_whoever_is_held_out_has_a_run_that_says_so(scene: Scene) -> None:
    ids = [f"wm{number}" for number in range(40)]
    await scene.customers(*ids)
    held = HELD.format(share="留白比例: 0.5", seed="trial")
    await scene.publish(script(entry=ON_VISIT, more=held))
    await scene.happens("到网点", *ids)
    states = await scene.states()
    assert set(states) == set(ids)
    out = {id for id, state in states.items() if state == "held_out"}
    assert 10 <= len(out) <= 30
    assert {one["subject"] for one in await scene.told("held_out")} == out
    assert {one["layer"] for one in await scene.told("held_out")} == {"script"}
    runs = await scene.runs()
    about = {one["subject"]: one for one in await scene.told("entered", "held_out")}
    assert {id: one["run"] for id, one in about.items()} == {id: runs[id].id for id in ids}
    assert {one["anchor"] for one in about.values()} == {str(runs[ids[0]].anchor)}
    assert [id for id in ids if "layer" in about[id]] == [id for id in ids if id in out]
    assert all(runs[id].due_at is None for id in out)
    assert (await scene.decision(min(out))).verdicts["holdout"] is True


async def test_e5_the_banks_holdout_leaves_service_alone_and_a_group_of_scripts_has_its_own(
    scene: Scene,
) -> None:
    scene.content.holdouts = Holdouts(everywhere=0.5, programs={"唤醒": 0.5})
    ids = [f"wm{number}" for number in range(40)]
    await scene.customers(*ids, 营销同意=True)
    sells = script("sells", entry=ON_VISIT, kind="活动")
    serves = script("serves", entry=ON_VISIT, kind="反诈")
    woken = script("woken", entry=ON_VISIT, more="互斥组: 唤醒\n")
    await scene.publish(sells, serves, woken)
    await scene.happens("到网点", *ids)
    assert set((await scene.states("serves")).values()) == {"running"}
    assert set((await scene.states("sells")).values()) == {"running", "held_out"}
    layers = {(one["script"], one["layer"]) for one in await scene.told("held_out")}
    assert layers == {("sells", "global"), ("woken", "program")}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"owner": "shen.mingyuan"}, "audience"),
        ({"owner": "stranger"}, "audience"),
        ({"size": 7}, "audience"),
        ({"tags": ["银龄群", "投诉处理中"]}, "audience"),
        ({"tags": ["银龄群", "暂停运营"]}, "consent"),
    ],
)
async def test_e6_a_group_is_looked_at_again_when_it_enters(
    scene: Scene, change: dict[str, object], reason: str
) -> None:
    bank = scene.content.bank
    rule = bank.group_tag_rules[0].model_copy(update={"tag": "暂停运营", "may_market": False})
    silent = bank.model_copy(update={"group_tag_rules": (*bank.group_tag_rules, rule)})
    scene.use_bank(silent)
    told = {"owner": "li.min", "size": 10, "tags": ["银龄群"]} | change
    await scene.group("wrA", *told["tags"], owner=str(told["owner"]), size=int(str(told["size"])))  # type: ignore[misc]
    audience = (
        "{群标签含任一: [银龄群], 群标签都不含: [投诉处理中], 群人数: {最少: 8},"
        " 群主角色: [客户经理, 大堂经理]}"
    )
    entry = "{方式: 事件, 事件: 活动报名}"
    trial = script(subject="客户群", anchor="群启动日", kind="活动", audience=audience, entry=entry)
    await scene.publish(trial)
    await scene.happens("活动报名", "wrA")
    assert (await scene.decision("wrA")).reason == reason
    assert ("wrA" in await scene.states()) is (not reason)


async def test_e6_a_group_that_is_gone_or_whose_owner_is_away_does_not_enter(
    scene: Scene,
) -> None:
    bank = scene.content.bank
    staff = [one.model_copy(update={"on_duty": one.userid != "li.min"}) for one in bank.staff]
    scene.use_bank(bank.model_copy(update={"staff": tuple(staff)}))
    await scene.group("wrA", "银龄群", owner="li.min")
    trial = script(subject="客户群", anchor="群启动日", entry="{方式: 事件, 事件: 活动报名}")
    await scene.publish(trial)
    await scene.happens("活动报名", "wrA")
    assert (await scene.decision("wrA")).reason == "contactable"


async def test_a_script_that_is_not_published_takes_nobody(scene: Scene) -> None:
    await scene.customers("wmA")
    await scene.publish(script(entry=ON_VISIT, status="停用"))
    await scene.happens("到网点", "wmA")
    assert await scene.states() == {}
