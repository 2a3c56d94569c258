"""A moment is seen by all friends of a manager: nobody can be left out by name (§5.8)."""

from __future__ import annotations

import pytest

from tests.rooms.sop.desk import Desk, customer_script

STEP = '编号: a, 第几天: 1, 时间: "10:00-11:30", 正文: 您好'


@pytest.mark.parametrize(
    "more", ["类型: 产品", "类型: 知识, 产品: demo-r2-001", "类型: 产品, 只给标签: [国债提醒]"]
)
@pytest.mark.parametrize("ways", ["朋友圈", "[企业群发, 朋友圈]"])
def test_a_product_is_not_for_a_moment(bare: Desk, more: str, ways: str) -> None:
    bare.write(customer_script(f"{STEP}, {more}, 发送方式: {ways}"))
    (said,) = [said for _, said in bare.told() if "朋友圈" in said]
    assert "看不了每个人的风险等级，不能发产品" in said
    assert "改成企业群发" in said


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("类型: 活动", "经理的好友都看得到，拒收营销的、留白的客户也一样"),
        ("类型: 活动, 只给标签: [国债提醒]", "有这些标签的好友都看得到，拒收营销的"),
        ("类型: 知识", ""),
        ("类型: 关怀", ""),
    ],
)
def test_what_else_sells_is_noted_and_what_does_not_is_fine(
    bare: Desk, more: str, words: str
) -> None:
    bare.write(customer_script(f"{STEP}, {more}, 发送方式: 朋友圈"))
    assert not [said for _, said in bare.told() if "朋友圈" in said]
    said = [said for _, said in bare.notes() if "朋友圈" in said]
    assert [words in each for each in said] == ([True] if words else [])


def test_a_product_by_another_way_is_judged_for_each_reader(bare: Desk) -> None:
    bare.write(customer_script(f"{STEP}, 类型: 产品, 产品: demo-r2-001, 发送方式: 企业群发"))
    assert not [said for _, said in (*bare.told(), *bare.notes()) if "朋友圈" in said]
