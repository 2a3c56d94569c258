"""The slips of people who write scripts by hand: each is said on the line that they mend."""

from __future__ import annotations

import pytest

from bot.domain.script import SopScript
from bot.yamlfile import load
from tests.domain.builders import starter_text

FILE = "senior-21d.sop.yaml"
TIME = '时间: "09:00-10:30"'
REPLIES = '期待回复: ["1", "收到", "好"]'
BODY = "正文: |\n      今天说说咱们群"
# What stands in the file, what a hand made of it, words of the message; one line down with "↓".
SLIPS = [
    ('先问同意: "{群主.称呼}可以', "先问同意: {群主.称呼}可以", "以 { 开头的值没有加引号"),
    ("名称: 银龄安心群·21天陪伴", "名称：银龄安心群", "键后面用了中文冒号"),
    ("步骤:\n", "步骤：\n", "键后面用了中文冒号"),
    ("{最少: 8, 最多: 200}", "{最少：8, 最多：200}", "键后面用了中文冒号"),
    ("版本: 3", "版本:3", "英文冒号后面没有空格"),
    ("    正文: |\n      今天", "    正文:|\n      今天", "英文冒号后面没有空格"),
    ("[投诉处理中, 暂停运营]", "[投诉处理中，暂停运营]", "用了中文逗号"),
    ("{最少: 8, 最多: 200}", "{最少: 8，最多: 200}", "用了中文逗号"),
    ("  内容编号: XB", "\t内容编号: XB", "制表符(Tab)"),
    ("  - 编号: d02-rules\n    第几", "  - 编号: d02-rules\n\t第几", "↓制表符(Tab)"),
    ("    第几天: 2\n", "\u3000\u3000第几天: 2\n", "缩进里有中文空格"),
    ("    第几天: 2\n", "\u00a0\u00a0\u00a0\u00a0第几天: 2\n", "缩进里有中文空格"),
    ("  - 编号: d02-rules\n", "  －编号: d02-rules\n", "中文的横线或圆点"),
    ("  - 编号: d02-rules\n", "  • 编号: d02-rules\n", "中文的横线或圆点"),
    ("  - 编号: d02-rules\n", "  -编号: d02-rules\n", "短横「-」后面没有空格"),
    ("- {事件: 群解散, 停: 全部}", "-{事件: 群解散, 停: 全部}", "短横「-」后面没有空格"),
    ("  - 编号: d02-rules\n", "  编号: d02-rules\n", "开头少了短横"),
    ("{方式: 事件, 事件: 群打标签}", "｛方式: 事件｝", "用了中文的括号"),
    ("群标签含任一: [银龄群]", "群标签含任一: 【银龄群】", "写成 [银龄群]"),
    ("休息日: 顺延", "休息日: 顺延\n休息日: 跳过", "↓「休息日」写了两次(第 27 行已有)"),
    ("    第几天: 2\n", "    第几天: 2\n    第几天: 3\n", "↓「第几天」写了两次"),
    ("负责人: 运营-周岚", "负责人: [运营-周岚]", "这里要写一个值，不是列表"),
    ("    类型: 反诈\n", "    类型: [反诈, 知识]\n", "这里要写一个值，不是列表"),
    ("群标签含任一: [银龄群]", "群标签含任一: 银龄群", "这里要写成列表 · 写成 [银龄群]"),
    (REPLIES, "期待回复: 1、收到、好", "写成 [1, 收到, 好]"),
    ("    第几天: 2\n", "   第几天: 2\n", "缩进没有对齐"),
    ("    第几天: 2\n", "      第几天: 2\n", "与同级的键左对齐"),
    (BODY, "正文: |\n    今天说说咱们群", "↓下面的文字没有缩进"),
    (BODY, "正文: 今天说说咱们群", "没有加引号的文字换了行"),
    (BODY, "正文: ｜\n      今天说说咱们群", "用了中文竖线"),
    ("    第几天: 2\n", "    第几日: 2\n", "不认识的键「第几日」 · 是不是想写：第几天"),
    ("错过时间窗: 当日补", "错过时间: 当日补", "是不是想写：错过时间窗"),
    (TIME, "时间: 1170", "「1170」不是时间段"),
    (TIME, "时间: 9:30", "还要写到几点"),
    (TIME, 'time: "09:00-10:30"', "不认识的键「time」"),
    (TIME, '时间: "09：00-10：30"', "用英文冒号"),
    (TIME, "时间: “09:00-10:30”", "用了中文引号"),
    (TIME, "时间: ‘09:00-10:30’", "用了中文引号"),
    (TIME, '时间: "09:00~10:30"', "起止之间用英文的减号"),
    (TIME, "时间: 9点到10点半", "起止之间用英文的减号"),
    (TIME, '时间: "9:00-24:00"', "最晚写 23:59"),
    (REPLIES, "期待回复: [“1”, 好]", "用了中文引号"),
    (REPLIES, '期待回复: ["1" "收到", "好"]', "两项之间少了英文逗号"),
    ("关键词: [大字, 长辈版,", "关键词: [大字, , 长辈版,", "多了一个逗号"),
    ("编号: d02-rules", "编号: D02-Rules", "例如改成 d02-rules"),
    ("编号: d02-rules", "编号: d02_rules", "例如改成 d02-rules"),
    ("人设: xiaoan", "人设: XiaoAn", "例如改成 xiaoan"),
    ("状态: 已发布 ", "状态: 发布 ", "是不是想写：已发布"),
    ("状态: 已发布 ", '状态: "已发布 ', "引号没有成对"),
    ("名称: 银龄安心群·", '名称: "银龄"安心群·', "引号只括住了一部分"),
    ("名称: 银龄安心群·", "名称: 银龄安心群: ", "这一行的冒号放错了地方"),
    ("名称: 银龄安心群·", "名称: *银龄安心群·", "以特殊符号"),
    ("名称: 银龄安心群·", "名称: #银龄安心群·", "以 # 开头的文字要加英文双引号"),
    ("主指标: 三周留群率", "主指标: @三周留群率", "以特殊符号"),
    ("第几天: 3\n", "第几天: 第3天\n", "写成阿拉伯数字，例如 3"),
    ("第几天: 3\n", "第几天: 三\n", "写成阿拉伯数字"),
    ("第几天: 3\n", "第几天: ３\n", "写成阿拉伯数字，例如 3"),
    ("第几天: 3\n", "第几天: 3.5\n", "不是整数"),
    ("第几天: 3\n", "第几天: 0\n", "不能小于 1"),
    ("有效期至: 2027-08-31", "有效期至: 2027/8/31", "写成 2027-08-31"),
    ("有效期至: 2027-08-31", "有效期至: 2027年8月31日", "写成 2027-08-31"),
    ("有效期至: 2027-08-31", "有效期至: 2027-02-30", "没有「2027-02-30」这一天"),
    ("一条只讲一件事: true", "一条只讲一件事: 对", "写 true 或 false"),
    ("护栏:\n", "护栏\n", "缺少英文冒号"),
    ("{事件: 群解散, 停: 全部}", "{事件: 群解散, 停 全部}", "写成「停: 全部」"),
    ("{事件: 群解散, 停: 全部}", "{事件: 群解散, 停: 全部", "花括号没有成对"),
    ("发送方式: 企业群发", "发送方式: 企业群发、提醒经理", "要写几个，就写成 [甲, 乙]"),
    ("{类型: 图片, 素材", "{类型: 图, 素材", "没有「图」这种附件"),
    ("{类型: 图片, 素材", "{素材", "附件缺少「类型」"),
    ("当日补到18:00", "当日补到18：00", "用英文冒号"),
    ("前提: {群内有线索: 活动}", "前提: 群内有线索", "写成 {键: 值}"),
    ("{锚点: 活动日,", "{锚点: 活动,", "不认识的锚点「活动」"),
    ("格式: sop/1", "格式: sop", "是不是想写：sop/1"),
]


@pytest.mark.parametrize(("old", "new", "words"), SLIPS, ids=range(len(SLIPS)))
def test_a_slip_is_said_on_the_line_that_is_mended(old: str, new: str, words: str) -> None:
    text = starter_text(FILE)
    assert old in text
    broken = text.replace(old, new, 1)
    line = broken[: broken.index(new)].count("\n") + 1
    # Of a slip that takes the key's line and the next, the change begins a line before the fault.
    line += words.startswith("↓")
    found, problems = load(broken, FILE, SopScript)
    assert found is None
    told = [(problem.line, str(problem)) for problem in problems]
    assert any(at == line and words.removeprefix("↓") in said for at, said in told), (line, told)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_file_reads_the_same_whatever_ends_its_lines(ending: str) -> None:
    text = starter_text(FILE)
    script, problems = load(text.replace("\n", ending), FILE, SopScript)
    assert problems == []
    assert script == load("\ufeff" + text, FILE, SopScript)[0]


def test_every_slip_of_a_file_is_told_at_once() -> None:
    text = starter_text(FILE)
    for old, new in (
        ("版本: 3", "版本: 三"),
        ("第几天: 3\n", "第几天: 第三天\n"),
        ("编号: d10-quiz", "编号: D10"),
        ("有效期至: 2027-08-31", "有效期至: 2027/8/31"),
    ):
        text = text.replace(old, new, 1)
    _, problems = load(text, FILE, SopScript)
    assert {problem.key for problem in problems} == {
        "版本",
        "步骤[3].第几天",
        "步骤[8].编号",
        "审批.有效期至",
    }
