"""The names and expressions of a script: events, data, dates, tags, other scripts."""

from __future__ import annotations

import pytest

from tests.domain.builders import day, head, step
from tests.rooms.sop.desk import Desk, customer_script

SEND = '编号: a, 时间: "10:00-11:30", 类型: 服务, 发送方式: 企业群发, 正文: 您好'
ENTRY, ANCHOR = "{方式: 手工}", "起点: 进入日"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (ENTRY, "{方式: 事件, 事件: 打标签}", "没有「打标签」这个事件 是不是想写"),
        (ENTRY, "{方式: 事件, 事件: 群打标签}", "一对一的剧本不能由「群打标签」进入"),
        (ENTRY, "{方式: 日期, 日期: 还款日}", "客户资料里没有「还款日」这个日期"),
        (ENTRY, "{方式: 日期, 日期: 年龄}", "客户资料里没有「年龄」这个日期"),
        (ANCHOR, f"{ANCHOR}\n出口: [{{事件: 大额入账, 停: 全部}}]", "没有「大额入账」这个事件"),
        (ANCHOR, f"{ANCHOR}\n适用: {{条件: '年龄 >= '}}", "条件第"),
        (ANCHOR, f"{ANCHOR}\n适用: {{条件: '岁数 >= 60'}}", "不认识「岁数」"),
        (ANCHOR, f"{ANCHOR}\n适用: {{条件: '群人数 >= 60'}}", "这里不能用「群人数」"),
        (ANCHOR, f"{ANCHOR}\n适用: {{条件: '年龄 >= C2'}}", "不能比"),
        (ANCHOR, f"{ANCHOR}\n适用: {{排除: '有标签(没登记)'}}", "没有「没登记」这个标签"),
        (ANCHOR, f"{ANCHOR}\n适用: {{排除: '在剧本(senior-22d)'}}", "没有「senior-22d」这个剧本"),
        (ANCHOR, f"{ANCHOR}\n适用: {{条件: '次数(到店, 30) > 0'}}", "没有「到店」这个事件"),
        (ANCHOR, f"{ANCHOR}\n适用: {{客户标签含任一: [没登记]}}", "标签「没登记」没有登记"),
        ("正文: 您好", "正文: 您好, 前提: {条件: '年龄 大于 3'}", "条件第"),
        ("正文: 您好", "正文: 您好, 等待: {任一: [回复], 最长: 1天}", "没有「回复」这个事件"),
        (
            "正文: 您好",
            "正文: 您好, 分支: [{当: '回复', 转到: 结束}, {否则: 结束}]",
            "不认识「回复」",
        ),
        ("正文: 您好", "正文: 您好, 结束后: {打标签: [没登记]}", "标签「没登记」没有登记"),
        ("正文: 您好", "正文: 您好, 结束后: {群打标签: [银龄群]}", "结束后不能写「群打标签」"),
        ("正文: 您好", "正文: 您好, 结束后: {转入: senior-weekly}", "接不上客户的剧本"),
        ("发送方式: 企业群发", "发送方式: 朋友圈, 只给标签: [没登记]", "标签「没登记」没有登记"),
    ],
)
def test_a_name_that_nobody_registered_is_said(desk: Desk, old: str, new: str, words: str) -> None:
    text = customer_script(SEND)
    assert old in text
    desk.write(text)
    assert desk.told() == []
    desk.write(text.replace(old, new, 1))
    found = desk.told()
    assert any(words in said for _, said in found), found


def test_what_the_bank_registers_may_be_named(desk: Desk) -> None:
    desk.edit(
        "_workspace.yaml",
        "\n隐私:\n",
        "\n客户资料: [{名称: 还款日, 类型: 日期}, {名称: 房贷, 类型: 是否}]\n"
        "客户事件: [提前还款]\n\n隐私:\n",
    )
    text = customer_script(SEND).replace(ENTRY, "{方式: 日期, 日期: 还款日, 提前天: 7}")
    where = "适用: {条件: '房贷 且 天数到(还款日) <= 7', 排除: '次数(提前还款, 30) > 0'}"
    text = text.replace(ANCHOR, f"起点: 客户日期\n{where}")
    desk.write(text + "出口: [{事件: 提前还款, 停: 全部}]\n")
    assert desk.told() == []


def test_a_groups_expressions_speak_of_the_group(desk: Desk) -> None:
    text = head() + "适用: {条件: '%s'}\n步骤:\n" + step("a", 1)
    desk.write(text % "群人数 >= 20 且 群主 已知 且 天数自(最近互动) < 30")
    assert desk.told() == []
    desk.write(text % "年龄 >= 60")
    assert any("群里各人不同" in said for _, said in desk.told())


def test_a_stop_rule_without_its_figures_is_noted(desk: Desk) -> None:
    branch = "分支: [{当: '本波增量上界 < 成本', 转到: 结束}, {否则: 结束}]"
    desk.write(customer_script(f"{SEND}, {branch}"))
    assert desk.told() == []
    assert sum(at == 14 for at, _ in desk.notes()) == 3
    measures = (
        "看效果: {主指标: 30天有效互动率, 价值: 50, 成本: 0.5, "
        "对照: {留白比例: 0.1, 随机种子: x}}\n"
    )
    desk.write(customer_script(f"{SEND}, {branch}", tail=measures))
    assert not any(at == 14 for at, _ in desk.notes())


def test_a_script_that_cannot_be_read_is_not_called_missing(desk: Desk) -> None:
    desk.write(customer_script(SEND).replace(ANCHOR, f"{ANCHOR}\n适用: {{排除: '在剧本(other)'}}"))
    assert any("没有「other」这个剧本" in said for _, said in desk.told())
    desk.write("格式: sop/1\n编号: other\n", "other.sop.yaml")
    assert not any("这个剧本" in said for _, said in desk.told())


def test_what_waits_for_a_day_that_is_over_is_noted(desk: Desk) -> None:
    after = day("2027-06-01")
    mine = ("senior-21d", "senior-weekly", "dormant-3waves")
    found = desk.check(today=after).notes
    notes = [note.what for note in found if any(name in note.file for name in mine)]
    assert sum("没有还没开始的活动" in what for what in notes) == 6
    assert sum("没有以后的储蓄国债发行日" in what for what in notes) == 1
    before = [note.what for note in desk.check().notes]
    assert not any("没有以后的储蓄国债发行日" in what for what in before)
    assert not any("会跳过" in said for _, said in desk.notes() if "活动" in said)


def test_a_day_of_entry_that_is_over_is_noted(desk: Desk) -> None:
    for on, over in (("2026-10-11", True), ("2026-10-12", False), ("10月1日", False)):
        text = customer_script(SEND).replace(ENTRY, f"{{方式: 日期, 日期: {on}}}")
        desk.write(text)
        assert any("已经过去" in said for _, said in desk.notes()) is over
        assert desk.told() == []
