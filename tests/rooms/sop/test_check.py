from __future__ import annotations

import pytest

from bot.sop.library import load_workspace_files
from tests.domain.builders import day, head, step
from tests.rooms.sop.desk import Desk, product

SENIOR = "senior-21d.sop.yaml"


def test_the_starter_is_sound(desk: Desk) -> None:
    checked = desk.check()
    assert checked.problems == ()
    assert {"senior-21d", "senior-weekly", "dormant-3waves"} <= set(checked.scripts)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("人设: xiaoan ", "人设: xiaohong ", "没有人设「xiaohong」 可以写：xiaoan"),
        ("{答复: qa-07}", "{答复: qa-99}", "没有编号「qa-99」的问答"),
        ("{打标签: 国债提醒}", "{打标签: 股票提醒}", "标签「股票提醒」没有登记"),
        ("群标签含任一: [银龄群]", "群标签含任一: [金领群]", "群标签「金领群」没有登记"),
        ("群打标签: [银龄-陪伴完成]", "群打标签: [完成]", "群标签「完成」没有登记"),
        ("转入: senior-weekly", "转入: senior-monthly", "没有剧本「senior-monthly」"),
        ("素材: bigfont-3steps.png", "素材: 没有.png", "sop/files 里没有「没有.png」"),
        ("目录步骤: [d01-welcome,", "目录步骤: [d99,", "没有步骤「d99」"),
        ("产品: demo-r2-001", "产品: demo-r2-002", "产品目录里没有「demo-r2-002」"),
        ("编号: d03-fraud-child", "编号: d02-rules", "编号「d02-rules」在第"),
        ("编号: fest-spring", "编号: d21-close", "编号「d21-close」在第"),
        ("群主角色: [客户经理,", "群主角色: [客户经理, 门卫,", "员工里没有「门卫」"),
        ("每群每天企业群发: 1", "每群每天企业群发: 2", "超过平台上限"),
        ("第几天: 3\n", "第几天: 2\n", "第 2 天的企业群发超过每天 1 条"),
        ('时间: "09:00-10:30"', '时间: "12:00-13:00"', "永远发不出去"),
        ('静默时段: ["11:45-14:30",', '静默时段: ["08:30-19:30",', "全天都是静默时段"),
        ("{群主.称呼}。", "{群主.姓名}。", "不认识变量「{群主.姓名}」"),
        ("{网点.电话}", "{客户.称呼}", "不认识变量「{客户.称呼}」"),
        ("必含: [智能助手, 退订]", "必含: [智能助手, 取消]", "没有必含的「取消」"),
        ("先别交。", "先别交。这款保本。", "碰了词表 FP-01"),
        ("回话: 收到", "回话: 打 13812345678,收到", "写了手机号"),
        ("今天说说", "这个周末说说", "落在星期几并不固定"),
        ("三个里有一个答不上", "另外三个里有一个答不上", "讲了两件事"),
        ("理财非存款、产品有风险、投资须谨慎。", "谢谢大家。", "缺少风险提示"),
        ("正文字数上限: 220", "正文字数上限: 60", "超过 60 个"),
        ("起点: 群启动日", "起点: 生日", "客户群的剧本不能写「起点: 生日」"),
        ("事件: 群打标签", "事件: 添加好友", "客户群的剧本不能由「添加好友」进入"),
        ("有效期至: 2027-08-31", "有效期至: 2026-09-30", "审批已过期(2026-09-30)"),
        ("审批日: 2026-09-01", "审批日: 2026-12-01", "还没到"),
        ("审批人: 消保-何静", "审批人: 运营-周岚", "审批人和负责人是同一个人"),
        ("本息合计 50 万元以内", "都有保障", "没有说 50 万元的上限"),
    ],
)
def test_a_fault_in_the_senior_script_is_said_on_its_line(
    desk: Desk, old: str, new: str, words: str
) -> None:
    line = desk.edit(SENIOR, old, new)
    found = desk.told()
    assert any(words in said for _, said in found), found
    if words not in ("讲了两件事", "缺少风险提示", "没有必含的「取消」", "超过 60 个"):
        assert any(at == line and words in said for at, said in found), (line, found)
    assert "senior-21d" not in desk.check().scripts


def test_a_text_fault_stands_on_its_own_line_of_the_block(desk: Desk) -> None:
    line = desk.edit(SENIOR, "只要没亲耳听见", "{某人}只要没亲耳听见")
    assert [at for at, _ in desk.told()] == [line]


def test_a_published_file_without_approval_is_refused_and_a_draft_is_not(desk: Desk) -> None:
    approval = next(line for line in head().splitlines() if line.startswith("审批"))
    text = head().replace(approval + "\n", "") + "步骤:\n" + step("a", 1)
    desk.write(text)
    assert any("缺少审批" in said for _, said in desk.told())
    desk.write(text.replace("已发布", "草稿"))
    assert desk.told() == []


def test_an_approval_that_ends_today_still_holds(desk: Desk) -> None:
    assert desk.told(today=day("2027-08-31")) == []
    assert any("审批已过期" in said for _, said in desk.told(today=day("2027-09-01")))


def test_a_stop_rule_without_a_worth_is_noted(desk: Desk) -> None:
    assert not any("止损" in note.what for note in desk.check().notes)
    desk.edit("dormant-3waves.sop.yaml", "  价值: 30  ", "  # 价值: 30  ")
    checked = desk.check()
    assert checked.problems == ()
    assert "dormant-3waves" in checked.scripts
    assert any("止损" in note.what for note in checked.notes)


@pytest.mark.parametrize("key", ["时间", "类型", "发送方式", "正文"])
def test_a_groups_step_needs_its_keys(desk: Desk, key: str) -> None:
    kept = [part for part in step("a", 1)[5:-2].split(", ") if not part.startswith(key)]
    desk.write(head() + "步骤:\n  - {" + ", ".join(kept) + "}\n")
    assert any(f"步骤 a 缺少「{key}」" in said for _, said in desk.told())


def test_a_published_step_needs_a_place_in_time(desk: Desk) -> None:
    desk.write(head() + "步骤:\n" + step("a", 1).replace("第几天: 1, ", ""))
    assert any("缺少「第几天」" in said for _, said in desk.told())


def test_sending_on_rest_days_is_for_greetings_only(desk: Desk) -> None:
    desk.write(head(rest="照发") + "步骤:\n" + step("a", 1) + step("b", 2, kind="祝福"))
    found = [said for _, said in desk.told()]
    assert len(found) == 1
    assert "不能有「服务」类步骤" in found[0]


def test_what_sells_needs_a_way_out(desk: Desk) -> None:
    desk.write(head() + "步骤:\n" + step("a", 1, kind="活动"))
    assert any("没有「退出」" in said for _, said in desk.told())


@pytest.mark.parametrize(
    ("risk", "words"),
    [("R3", "产品风险 R3 高于上限 R2"), (None, "产品风险 未知 高于上限 R2"), ("R1", None)],
)
def test_a_products_risk_stays_within_the_groups_cap(
    desk: Desk, risk: str | None, words: str | None
) -> None:
    found = desk.told(products=(product(risk=risk),))
    assert (words is None and found == []) or any(words in said for _, said in found if words)


def test_a_product_is_named_with_its_risk_words_wherever_it_is_named(desk: Desk) -> None:
    desk.edit(SENIOR, "只要没亲耳听见", "「安稳小步·演示理财」只要没亲耳听见")
    assert any("缺少风险提示" in said for _, said in desk.told())


def test_product_words_need_a_product_step(desk: Desk) -> None:
    desk.edit(SENIOR, "只要没亲耳听见", "{产品.名称}只要没亲耳听见")
    assert any("却没有写是哪个产品" in said for _, said in desk.told())


def test_two_products_within_a_week_are_too_many(desk: Desk) -> None:
    risk = "理财非存款、产品有风险、投资须谨慎。"
    tail = "退出: {关键词: [退订], 动作: [退出], 回话: 好的}\n"
    lines = [
        step(name, number, kind="产品", more="产品: demo-r2-001").replace("您好", risk)
        for name, number in (("a", 1), ("b", 5))
    ]
    desk.write(head() + tail + "步骤:\n" + "".join(lines))
    assert any("7 天内的产品内容超过 1 次" in said for _, said in desk.told())
    lines[1] = lines[1].replace("第几天: 5", "第几天: 15")
    desk.write(head() + tail + "步骤:\n" + "".join(lines))
    assert desk.told() == []


@pytest.mark.parametrize("words", ["往后每周二发一次", "每周末见", "两周一次", "每个周六"])
def test_a_weekday_that_comes_every_week_may_be_named(desk: Desk, words: str) -> None:
    desk.edit(SENIOR, "只要没亲耳听见", f"{words},只要没亲耳听见")
    assert desk.told() == []


@pytest.mark.parametrize("words", ["周末见", "星期一见", "礼拜天见", "下周三见"])
def test_a_weekday_of_a_relative_day_may_not_be_named(desk: Desk, words: str) -> None:
    desk.edit(SENIOR, "只要没亲耳听见", f"{words},只要没亲耳听见")
    assert any("星期几并不固定" in said for _, said in desk.told())


def test_the_persona_is_checked_too(desk: Desk) -> None:
    name = "personas/xiaoan.persona.yaml"
    line = desk.edit(name, "没把握时: 这个我说不准", "没把握时: 我问{谁},这个我说不准")
    other = desk.edit(name, "非工作时间说明: 现在", "非工作时间说明: 最后机会,现在")
    third = desk.edit(name, "排队: 正在给您找人", "排队: 正在给{哪位}找人")
    fourth = desk.edit(name, "评价: [满意,", "评价: [保本保收益,")
    found = desk.told()
    assert {at for at, _ in found} == {line, other, third, fourth}


def test_what_could_not_be_read_is_not_called_missing_as_well(desk: Desk) -> None:
    desk.edit("personas/xiaoan.persona.yaml", "名称: 小安", "名称:")
    desk.edit("senior-weekly.sop.yaml", "休息日: 跳过", "休息日: 随便")
    found = desk.told()
    assert len(found) == 2
    assert not any("没有" in said and "人设" in said for _, said in found)


def test_nothing_is_sound_without_the_banks_facts(desk: Desk) -> None:
    (desk.root / "sop" / "_workspace.yaml").unlink()
    checked = desk.check()
    assert checked.scripts == {}
    assert [problem.what for problem in checked.problems] == ["缺少这个文件"]


def test_one_bad_script_leaves_the_others_sound(desk: Desk) -> None:
    sound = set(desk.check().scripts)
    desk.edit(SENIOR, "{答复: qa-07}", "{答复: qa-99}")
    assert set(desk.check().scripts) == sound - {"senior-21d"}


WELCOME = """
好友欢迎语:
  - 正文: |
      您好，我是{经理.称呼}。
      %s
    图片: [%s]
    链接: [{标题: "%s", 网址: "https://example.com"}]
"""


@pytest.mark.parametrize(
    ("words", "picture", "title", "said"),
    [
        ("保本保息，放心", "", "小课堂", "碰了词表"),
        ("我是{客户.称呼}", "", "小课堂", "刚加上好友时还没有"),
        ("我是{经理}", "", "小课堂", "不认识变量「{经理}」"),
        ("电话 13800138000", "", "小课堂", "写了手机号"),
        ("有空来坐", "none.png", "小课堂", "sop/files 里没有「none.png」"),
        ("有空来坐", "", "保本保息", "碰了词表"),
        ("有空来坐", "", "{经理.称呼}", "这里不能用变量"),
    ],
)
def test_a_welcome_is_screened_like_everything_else(
    desk: Desk, words: str, picture: str, title: str, said: str
) -> None:
    desk.edit("_workspace.yaml", "\n隐私:\n", WELCOME % (words, picture, title) + "\n隐私:\n")
    told = desk.told()
    assert [line for line in told if said in line[1]], told


def test_a_welcome_without_a_fault_is_none(desk: Desk) -> None:
    text = WELCOME % ("随时问小安：{小安链接}", "", "小课堂")
    desk.edit("_workspace.yaml", "\n隐私:\n", text + "\n隐私:\n")
    assert desk.told() == []


def test_the_starters_own_example_of_welcomes_and_codes_can_be_switched_on(desk: Desk) -> None:
    path = desk.root / "sop" / "_workspace.yaml"
    head, _, example = path.read_text("utf-8").partition("\n# 好友欢迎语:")
    lines = ("# 好友欢迎语:" + example).splitlines()
    path.write_text(head + "\n" + "\n".join(line[2:] for line in lines) + "\n", "utf-8")
    assert desk.told() == []
    bank = load_workspace_files(desk.root).bank
    assert bank is not None
    assert (len(bank.welcomes), len(bank.contact_ways), len(bank.join_ways)) == (2, 2, 1)
