"""Rules that a script may break with words that are sound: hours, braces, noughts, shares."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domain.builders import head, starter_bank, step
from tests.rooms.sop.desk import Desk, customer_script

LINE = '编号: a, 时间: "{time}", 类型: {kind}, 发送方式: 企业群发, 正文: {body}'


def one(time: str = "10:00-11:00", kind: str = "服务", body: str = "您好", more: str = "") -> str:
    return customer_script(LINE.format(time=time, kind=kind, body=body) + more)


def railed(rails: str, time: str = "10:00-11:00", kind: str = "服务", body: str = "您好") -> str:
    return one(time, kind, body).replace("步骤:\n", f"护栏: {{{rails}}}\n步骤:\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (one("03:00-04:00"), "没写静默时段时夜里不发"),
        (one("20:30-21:00"), "改到 09:00 到 20:30 之间"),
        (one("20:00-20:30"), ""),
        (railed('静默时段: ["22:00-07:00"]', "08:00-08:30"), ""),
        (railed('静默时段: ["22:00-07:00"]', "22:30-23:00"), "全在静默时段里"),
        (railed('只在: {工作日: ["07:00-08:00"]}', "07:00-08:00"), ""),
        (railed("只在: {除夕: []}", "03:00-04:00"), "永远发不出去"),
    ],
)
def test_q2_a_window_that_nothing_can_leave_in_is_refused(
    bare: Desk, text: str, words: str
) -> None:
    bare.write(text)
    found = bare.told()
    assert [words in said for _, said in found] == ([True] if words else [])


def test_a_window_that_is_cut_is_noted_with_what_is_left(bare: Desk) -> None:
    bare.write(one("08:00-10:00"))
    assert bare.told() == []
    ((line, said),) = bare.notes()
    assert line == one().count("\n")
    assert "只有 09:00-10:00 能发" in said
    assert '时间: "09:00-10:00"' in said


@pytest.mark.parametrize(
    "text",
    [
        one(body='"您好｛客户.称呼｝"'),
        one(body='"您好{客户.称呼｝"'),
        one(body='"您好}"'),
        one(body='"您好{"'),
        one(more=", 附件: [{类型: 链接, 标题: '{活动.名称}', 网址: 'https://a.example'}]"),
        one(more=", 附件: [{类型: 链接, 标题: 课, 说明: '｛课｝', 网址: 'https://a.example'}]"),
        one().replace("步骤:\n", "变量: {权益: {来自: 中心, 缺省: '｛礼品｝'}}\n步骤:\n"),
        one().replace("步骤:\n", "退出: {关键词: [退], 动作: [记录拒收], 回话: '好}'}\n步骤:\n"),
    ],
)
def test_a_brace_that_customers_would_read_is_refused(bare: Desk, text: str) -> None:
    bare.write(text)
    ((_, said),) = bare.told()
    assert "会原样发给客户" in said


def test_a_variable_in_its_own_braces_is_none(bare: Desk) -> None:
    bare.write(one(body='"您好{客户.称呼}，{网点.名称}"'))
    assert bare.told() == []


def test_a_brace_in_a_welcome_or_in_what_the_persona_says_is_refused(desk: Desk) -> None:
    welcome = "\n好友欢迎语: [{正文: '您好｛经理.称呼｝'}]\n"
    path = desk.root / "sop" / "_workspace.yaml"
    path.write_text(path.read_text(encoding="utf-8") + welcome, encoding="utf-8")
    assert [said for _, said in desk.told() if "会原样发给客户" in said]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (railed("每客每天: 0"), "「每客每天」是 0，步骤 a 永远发不出去"),
        (railed("每客每周一对一营销: 0", kind="活动", body="来，不想收回「退订」"), "永远发不出去"),
        (railed("每客每周一对一营销: 0"), ""),
        (railed("每客每月一对一营销: 0", kind="活动", body="来，不想收回「退订」"), "永远发不出去"),
    ],
)
def test_a_rail_of_nought_that_leaves_a_step_no_way_is_refused(
    bare: Desk, text: str, words: str
) -> None:
    bare.write(text.replace("正文: 来，", '正文: "来，').replace("「退订」}", '「退订」"}'))
    found = bare.told()
    assert [words in said for _, said in found] == ([True] if words else [])


@pytest.mark.parametrize(("by", "refused"), [("企业群发", True), ("提醒群主侧边栏一键发", False)])
def test_a_groups_rail_of_nought_leaves_the_ways_that_take_no_place(
    bare: Desk, by: str, refused: bool
) -> None:
    rails = head().replace("每群每天企业群发: 1", "每群每天企业群发: 0")
    bare.write(rails + "步骤:\n" + step("a", 1, by=by))
    assert any("「每群每天企业群发」是 0" in said for _, said in bare.told()) is refused


SPLIT = "编号: {id}, 分流: {{实验: 口吻, 单位: 客户, 比例: {{甲: {share}, 乙: {rest}}}}}"


def split(id: str, share: int) -> str:
    return SPLIT.format(id=id, share=share, rest=100 - share)


def test_one_experiment_has_one_set_of_shares(bare: Desk) -> None:
    bare.write(customer_script(split("s", 50), split("t", 30)))
    ((line, said),) = bare.told()
    assert line == customer_script("x", "y").count("\n")
    assert "实验「口吻」在步骤 s 里的比例是 甲 50，乙 50" in said
    bare.write(customer_script(split("s", 50), split("t", 50)))
    assert bare.told() == []


def test_two_scripts_that_share_an_experiment_share_its_shares(bare: Desk) -> None:
    bare.write(customer_script(split("s", 50)))
    bare.write(customer_script(split("s", 40)).replace("trial", "other"), "other.sop.yaml")
    assert len(bare.told()) == 2
    draft = customer_script(split("s", 40)).replace("trial", "other").replace("已发布", "草稿")
    bare.write(draft, "other.sop.yaml")
    ((_, said),) = bare.told()  # what runs is not stopped by a draft
    assert "sop/trial.sop.yaml 的步骤 s" in said


def test_the_last_event_is_named_before_it_is_over(bare: Desk) -> None:
    bare.write(one(body='"{活动.日期}来坐坐"'))
    last = max(event.on for event in starter_bank().events)
    assert bare.notes(today=last - timedelta(days=30)) == []
    ((_, soon),) = bare.notes(today=last - timedelta(days=29))
    assert f"最后一场活动是 {last}" in soon
    ((_, over),) = bare.notes(today=last + timedelta(days=1))
    assert f"没有还没开始的活动(最后一场是 {last}，已经过了)" in over
    bare.write(one())
    assert bare.notes(today=last + timedelta(days=1)) == []
