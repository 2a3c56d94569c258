"""The ways through a script: where they lead, how long, whom they fit."""

from __future__ import annotations

import pytest

from bot.sop.graph import Graph
from tests.domain.builders import head, script_of, step
from tests.rooms.sop.desk import Desk, customer_script

SEND = '时间: "10:00-11:30", 类型: 服务, 发送方式: 企业群发, 正文: 您好'
SPLIT = "分流: {实验: 甲, 单位: 客户, 比例: {一: 50, 二: 50}}"
BY_ARM = '时间: "10:00-11:30", 类型: 服务, 发送方式: 企业群发, 正文按分流: {一: 您好, 二: 您早}'
WAIT = "等待: {任一: [客户回复], 最长: 5天}"


@pytest.mark.parametrize(
    ("steps", "line", "words"),
    [
        ((f"编号: a, {SEND}, 转到: z",), 14, "没有步骤「z」"),
        ((f"编号: a, {WAIT}, 分支: [{{否则: z}}]",), 14, "没有步骤「z」"),
        (("编号: a, 转到: 结束", f"编号: b, {SEND}"), 15, "没有一条路走得到步骤「b」"),
        ((f"编号: a, {WAIT}, 分支: [{{当: 客户回复, 转到: 结束}}]",), 14, "没有写「否则」"),
        (
            (
                f"编号: a, {WAIT}, 分支: [{{否则: b}}, {{当: 客户回复, 转到: b}}]",
                f"编号: b, {SEND}",
            ),
            14,
            "「否则」后面还有分支",
        ),
        (
            (f"编号: a, {WAIT}, 转到: b, 分支: [{{否则: b}}]", f"编号: b, {SEND}"),
            14,
            "又写了「转到」",
        ),
        ((f"编号: a, {SEND}", f"编号: b, {SEND}, 转到: a"), 15, "步骤会绕回来：a → b → a"),
        ((f"编号: a, {SEND}, 转到: a",), 14, "步骤会绕回来：a → a"),
        ((f"编号: a, 相隔天: 200, {SEND}", f"编号: b, 相隔天: 200, {SEND}"), 15, "最长要 400 天"),
        ((f"编号: a, {SEND}, 重复: {{次数: 60, 每隔天: 7}}",), 14, "最长要 413 天"),
        (
            (f"编号: a, {SEND}", "编号: b, 等待: {任一: [客户回复], 最长: 400天}, 转到: 结束"),
            15,
            "最长要 400 天",
        ),
        ((f"编号: a, {BY_ARM}",), 14, "前面没有分流"),
        (
            (f"编号: a, {SPLIT}, 转到: b", f"编号: b, {BY_ARM.replace('二', '三')}"),
            15,
            "少了「二」",
        ),
        (
            (f"编号: a, {SPLIT}, 转到: b", f"编号: b, {BY_ARM.replace('二', '三')}"),
            15,
            "多了「三」",
        ),
        (
            (
                f"编号: a, {WAIT}, 分支: [{{当: 客户回复, 转到: c}}, {{否则: b}}]",
                f"编号: b, {SPLIT}",
                f"编号: c, {BY_ARM}",
            ),
            16,
            "有的路不经过分流「b」",
        ),
        (
            (f"编号: a, {SPLIT.replace('单位: 客户', '单位: 客户群')}", f"编号: b, {BY_ARM}"),
            14,
            "分流的单位",
        ),
        (
            (f"编号: a, {SEND}".replace("企业群发", "入群欢迎语"),),
            14,
            "一对一的剧本不能用「入群欢迎语」",
        ),
        ((f"编号: a, {SEND}".replace("正文: 您好", "正文: ''"),), 14, "不能是空的"),
        (("编号: a",), 14, "缺少「发送方式」"),
    ],
)
def test_a_fault_in_the_ways_is_said_where_it_stands(
    bare: Desk, steps: tuple[str, ...], line: int, words: str
) -> None:
    bare.write(customer_script(*steps))
    found = bare.told()
    assert any(at == line and words in said for at, said in found), found


@pytest.mark.parametrize(
    "steps",
    [
        (f"编号: a, {SEND}",),
        (f"编号: a, {SPLIT}", f"编号: b, {BY_ARM}"),
        (f"编号: a, {SPLIT}, {BY_ARM}",),
        (f"编号: a, {SPLIT}", f"编号: b, {SEND}", f"编号: c, {BY_ARM}"),
        (
            f"编号: a, {WAIT}, 分支: [{{当: 客户回复, 转到: c}}, {{否则: b}}]",
            f"编号: b, {SEND}, 转到: 结束",
            "编号: c, 动作: [{打标签: 已唤醒}]",
        ),
        (f"编号: a, {SEND}, 重复: {{次数: 4, 每隔天: 7, 到: 2027-12-31}}",),
    ],
)
def test_ways_without_a_fault_have_none(bare: Desk, steps: tuple[str, ...]) -> None:
    bare.write(customer_script(*steps))
    assert bare.told() == []


def test_a_group_is_not_split_by_its_members(bare: Desk) -> None:
    split = SPLIT.replace("分流", "分流")
    bare.write(head() + "步骤:\n" + step("a", 1, more=split))
    assert any("同一个群里的人会互相看到" in said for _, said in bare.told())
    bare.write(head() + "步骤:\n" + step("a", 1, more=split.replace("单位: 客户", "单位: 客户群")))
    assert bare.told() == []


def test_a_list_of_ways_ends_in_one_that_never_runs_out(bare: Desk) -> None:
    ways = "发送方式: [微信客服, 企业群发]"
    bare.write(customer_script(f"编号: a, {SEND}".replace("发送方式: 企业群发", ways)))
    assert bare.told() == []
    assert any("自己也会没有额度" in said for _, said in bare.notes())
    ways = "发送方式: [企业群发, 提醒经理一键发]"
    bare.write(customer_script(f"编号: a, {SEND}".replace("发送方式: 企业群发", ways)))
    assert not any("自己也会没有额度" in said for _, said in bare.notes())


def test_a_script_has_at_most_two_hundred_steps(bare: Desk) -> None:
    lines = [f"编号: s{n}, {SEND}" for n in range(201)]
    bare.write(customer_script(*lines))
    assert any("有 201 个步骤，超过 200 个" in said for _, said in bare.told())
    bare.write(customer_script(*lines[:200]))
    assert bare.told() == []


def test_two_broadcasts_of_one_day_collide_only_on_one_way(bare: Desk) -> None:
    def lines(second: str) -> str:
        wait = "编号: w, 等待: {任一: [客户入群], 最长: 1天}"
        branches = "分支: [{当: 客户入群, 转到: a}, {否则: b}]"
        return (
            head()
            + "步骤:\n"
            + f"  - {{{wait}, {branches}}}\n"
            + step("a", 3, more=second)
            + step("b", 3)
        )

    bare.write(lines("转到: 结束"))
    assert bare.told() == []
    bare.write(lines("转到: b"))
    assert any("第 3 天的企业群发超过每天 1 条" in said for _, said in bare.told())


def test_the_longest_way_counts_waits_gaps_days_and_repeats() -> None:
    script = script_of(
        customer_script(
            f"编号: a, 第几天: 3, {SEND}",
            "编号: b, 等待: {任一: [客户回复], 最长: 36小时}, "
            "分支: [{当: 客户回复, 转到: d}, {否则: c}]",
            f"编号: c, 相隔天: 4, {SEND}, 重复: {{次数: 3, 每隔天: 7}}",
            f"编号: d, {SEND}",
        )
    )
    graph = Graph.of(script)
    assert graph.longest() == (2 + 1.5 + 4 + 14, "c")
    assert graph.before("d") == {"a", "b", "c"}
    assert graph.reached(without="c") == {"a", "b", "d"}
    assert graph.cycle() == ()
