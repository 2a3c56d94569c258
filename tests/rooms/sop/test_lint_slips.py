"""Slips that read well and would go wrong once they run: each is said on its line with its mend."""

from __future__ import annotations

import pytest

from tests.domain.builders import head, step
from tests.rooms.sop.desk import Desk, customer_script


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("{打标签: 国债提醒}", "「打标签」不知道对谁做"),
        ("{停营销: 30天}", "「停营销」不知道对谁做"),
        ("{建线索: 活动, 时限分钟: 60}", "「建线索」不知道对谁做"),
        ("记录拒收", "「记录拒收」不知道对谁做"),
        ("退出", "「退出」不知道对谁做"),
        ("通知群主", ""),
        ("{降频: 每周1次}", ""),
    ],
)
def test_a_groups_step_does_nothing_to_a_customer(bare: Desk, action: str, words: str) -> None:
    text = head() + "步骤:\n" + step("a", 1, more=f"动作: [{action}]")
    bare.write(text)
    found = bare.told()
    if not words:
        assert found == []
        return
    ((at, said),) = found
    assert at == text.count("\n")
    assert words in said
    assert ("结束后: {群打标签" in said) == ("打标签" in action)


def test_a_customers_step_and_a_groups_listener_may_do_it(bare: Desk) -> None:
    line = '编号: a, 时间: "10:00-11:30", 类型: 知识, 发送方式: 企业群发, 正文: 您好'
    bare.write(customer_script(f"{line}, 动作: [{{打标签: 国债提醒}}]"))
    assert bare.told() == []
    heard = "听到就办: [{关键词: [国债], 动作: [{打标签: 国债提醒}]}]"
    bare.write(head() + "步骤:\n" + step("a", 1, more=heard))
    assert bare.told() == []


@pytest.mark.parametrize(
    ("chars", "listed", "words"),
    [
        (990, False, ""),
        (1001, False, "正文有 3003 个字节，企业微信最多收 3000 个"),
        (990, True, "正文和目录一共有"),
    ],
)
def test_a_groups_welcome_takes_3000_bytes_with_its_list(
    bare: Desk, chars: int, listed: bool, words: str
) -> None:
    """wecom_protocol §5.6: fewer than a mass message; one-to-one welcomes take 4,000."""
    first = step("w", 1, kind="欢迎", by="入群欢迎语").replace("您好", "好" * chars)
    rails = head().replace("护栏: {", "护栏: {正文字数上限: 4000, ")
    late = "迟到成员: {补课方式: 入群欢迎语附目录, 目录步骤: [w, b]}\n" if listed else ""
    bare.write(rails + late + "步骤:\n" + first + step("b", 2))
    found = bare.told()
    assert any(words in said for _, said in found) if words else found == []


@pytest.mark.parametrize(
    ("by", "chars", "words"),
    [
        ("朋友圈", 22, "朋友圈的标题太长，最多 21 个汉字"),
        ("朋友圈", 21, ""),
        ("企业群发", 42, ""),
        ("企业群发", 43, "标题太长，最多 42 个汉字"),
    ],
)
def test_a_links_title_is_shorter_in_moments(bare: Desk, by: str, chars: int, words: str) -> None:
    link = f"{{类型: 链接, 标题: {'课' * chars}, 网址: 'https://a.example'}}"
    line = f'编号: a, 时间: "10:00-11:30", 类型: 知识, 发送方式: {by}, 正文: 您好, 附件: [{link}]'
    bare.write(customer_script(line))
    found = bare.told()
    assert any(words in said for _, said in found) if words else found == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("客户事件: [到期日]\n", "「到期日」已经是客户资料的名称"),
        (
            "客户资料: [{名称: 还款, 类型: 日期}]\n客户事件: [还款]\n",
            "「还款」已经是客户资料的名称",
        ),
        ("客户资料: [{名称: 到网点, 类型: 是否}]\n", "「到网点」已经是客户事件的名称"),
        ("客户事件: [还款, 还款]\n", "「还款」写了两次"),
        ("客户事件: [还款]\n", ""),
    ],
)
def test_a_datum_and_an_event_do_not_share_a_name(desk: Desk, more: str, words: str) -> None:
    line = desk.edit("_workspace.yaml", "\n隐私:\n", f"\n{more}\n隐私:\n") + 1
    found = desk.told()
    if not words:
        assert found == []
        return
    (at, said), *others = found
    assert not others
    assert words in said
    assert line <= at <= line + 2


@pytest.mark.parametrize(
    ("words", "place", "noted"),
    [
        ("明天到期", "第几天: 2", True),
        ("昨天的课", "相对: {锚点: 活动日, 偏移天: 1}", True),
        ("今天是好日子", "第几天: 2", True),
        ("明天见", "相对: {锚点: 活动日, 偏移天: -1}", False),  # an event's reminder stays
        ("今天只说一句", "第几天: 2", False),
    ],
)
def test_a_day_named_from_the_day_of_sending_is_noted_where_that_moves(
    bare: Desk, words: str, place: str, noted: bool
) -> None:
    line = step("a", 1, kind="知识", by="提醒群主侧边栏一键发").replace("您好", words)
    bare.write(head() + "步骤:\n" + line.replace("第几天: 1", place))
    assert bare.told() == []
    assert noted is any("碰上休息日顺延以后就不对了" in said for _, said in bare.notes())
    bare.write(head(rest="跳过") + "步骤:\n" + line.replace("第几天: 1", place))
    assert not any("顺延以后" in said for _, said in bare.notes())
