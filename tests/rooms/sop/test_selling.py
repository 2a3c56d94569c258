"""Words that sell: the product, its risk, links, fear, a way to refuse (field_lessons 5.1)."""

from __future__ import annotations

import pytest

from tests.domain.builders import head, step
from tests.rooms.sop.desk import Desk, customer_script, product

RISK = "理财非存款、产品有风险、投资须谨慎。"
OPT_OUT = "退出: {关键词: [退订], 动作: [记录拒收], 回话: 好的}\n"
PRODUCT = "类型: 产品, 产品: demo-r2-001"


def sells(words: str, more: str = "产品: demo-r2-001") -> str:
    line = step("a", 1, kind="产品", more=more).replace("您好", f'"{words}{RISK}"')
    return head() + OPT_OUT + "步骤:\n" + line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("起点 1 万元。", "金额或比例「1 万元」"),
        ("存 500元就行。", "金额或比例「500元」"),
        ("涨了 3%。", "3%"),
        ("涨了百分之三。", "百分之三"),
        ("年纪大了要早打算。", "让人担心的话"),
        ("别等生病了才想起来。", "「生病」"),
        ("来不及了，再不买就晚了。", "让人担心的话"),
        ("看 https://shop.example/p 。", "链接「shop.example」不是本行的网址"),
    ],
)
def test_a_product_in_a_group_is_told_without_sums_fear_and_strange_links(
    bare: Desk, words: str, said: str
) -> None:
    bare.write(sells("本行在售的理财。"))
    assert bare.told() == []
    bare.write(sells(words))
    found = bare.told()
    assert any(said in told for _, told in found), found


def test_the_banks_own_links_may_be_in_a_product(bare: Desk) -> None:
    text = sells("看 https://m.yunshan.example/p 。")
    bare.write(text)
    assert any("不是本行的网址" in said for _, said in bare.told())
    bare.edit("_workspace.yaml", "  时区: Asia/Shanghai\n", "  网址: [yunshan.example]\n")
    assert bare.told() == []
    bare.write(text.replace("m.yunshan.example", "evilyunshan.example"))
    assert any("不是本行的网址" in said for _, said in bare.told())
    card = "附件: [{类型: 链接, 标题: 甲, 网址: 'https://elsewhere.example'}]"
    bare.write(head() + "步骤:\n" + step("a", 1, more=card))
    assert bare.told() == []
    assert any("elsewhere.example" in said for _, said in bare.notes())


@pytest.mark.parametrize(
    ("change", "words"),
    [({"on_sale": False}, "已经停售"), ({"valid_to": "2026-10-01"}, "已在 2026-10-01 到期")],
)
def test_a_product_that_is_not_to_be_had_is_not_sold(
    bare: Desk, change: dict[str, object], words: str
) -> None:
    gone = product().model_validate({**product().model_dump(), **change})
    bare.write(sells("本行在售的理财。"))
    assert any(words in said for _, said in bare.told(products=(gone,)))


def test_a_message_to_one_person_says_how_to_refuse_the_next(bare: Desk) -> None:
    line = '编号: a, 时间: "10:00-11:30", 类型: 活动, 发送方式: 企业群发, 正文: 来上课吧'
    bare.write(customer_script(line))
    assert any("没有告诉客户怎么拒收 末尾写上「不想收消息回「退订」」" in s for _, s in bare.told())
    bare.write(customer_script(line + "。不想收消息回「退订」。"))
    assert bare.told() == []
    bare.write(customer_script(line.replace("活动", "服务")))
    assert bare.told() == []
    bare.write(customer_script(line.replace("企业群发", "提醒经理")))
    assert bare.told() == []


def test_what_sells_needs_words_that_stop_it(bare: Desk) -> None:
    line = '编号: a, 时间: "10:00-11:30", 类型: 活动, 发送方式: 提醒经理, 正文: 请他来'
    text = customer_script(line)
    assert "动作: [记录拒收, 退出]" in text
    bare.write(text.replace("动作: [记录拒收, 退出]", "动作: [通知客户经理]"))
    assert any("却没有「退出」" in said for _, said in bare.told())


def test_a_festival_sells_nothing(bare: Desk) -> None:
    overlay = (
        '日历叠加: [{编号: o, 日期: 除夕, 时间: "09:00-10:00", 类型: 产品, '
        f'发送方式: 企业群发, 正文: "{RISK}"}}]\n'
    )
    bare.write(head() + OPT_OUT + "步骤:\n" + step("a", 1) + overlay)
    assert any("日历叠加不能是产品类" in said for _, said in bare.told())
