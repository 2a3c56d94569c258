from __future__ import annotations

from datetime import date
from typing import Literal

import pytest
from pydantic import Field

from bot.domain.fields import Day, DayWindow, Slug, YesNo
from bot.domain.value import Value
from bot.errors import ContentError
from bot.yamlfile import (
    find,
    line_of,
    load,
    plain,
    read_text,
    read_yaml,
    split_front_matter,
    to_model,
)


def told(text: str, *, first_line: int = 1) -> list[tuple[int, str]]:
    with pytest.raises(ContentError) as caught:
        read_yaml(text, "f.yaml", first_line=first_line)
    return [(problem.line, f"{problem.what} {problem.mend}") for problem in caught.value.problems]


def test_scalars_stay_text() -> None:
    node = read_yaml("时间: 19:30\n区号: 0571\non: yes\n日: 2026-10-12\n空: ~\n数: 1e3\n", "f")
    assert plain(node) == {
        "时间": "19:30",
        "区号": "0571",
        "on": "yes",
        "日": "2026-10-12",
        "空": "~",
        "数": "1e3",
    }


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: {群主.称呼}可以吗\n", 2, "以 { 开头的值没有加引号"),
        ("a: {权益}\n", 1, "以 { 开头的值没有加引号"),
        ("名称\uff1ax\n版本: 3\n", 1, "中文冒号"),
        ("a: {b\uff1a1}\n", 1, "中文冒号"),
        ("a: [甲\uff0c乙]\n", 1, "中文逗号"),
        ("a: {b: 甲\uff0cc: 乙}\n", 1, "中文逗号"),
        ("a: {b: 甲\uff0c乙}\n", 1, "给这段文字加上英文双引号"),
        ("a: {正文: 您好\uff0c地址\uff1a东街}\n", 1, "给这段文字加上英文双引号"),
        ("a: {正文: 您好\uff0c请看: 东街}\n", 1, "给这段文字加上英文双引号"),
        ("a: {最少: 8\uff0c最多:200}\n", 1, "改成英文逗号"),
        ("a:\n\tb: 2\n", 2, "制表符"),
        ('a: 1\nb: "没关上\nc: 2\n', 2, "引号没有成对"),
        ("a: [甲, 乙\nb: 1\n", 1, "方括号没有成对"),
        ("a: {b: 1\nc: 1\n", 1, "花括号没有成对"),
        ("a:\n  b: 1\n c: 2\n", 3, "缩进没有对齐"),
        ("a: 甲: 乙\n", 1, "冒号放错了地方"),
        ("a: 1\nb\nc: 2\n", 2, "缺少英文冒号"),
        ("a: @x\n", 1, "特殊符号"),
        ("a: &x 1\n", 1, "不用 & 锚点"),
        ("a: *x\n", 1, "不用 * 引用"),
        ("a: !!str 1\n", 1, "不用 ! 类型标记"),
        ("<<: {a: 1}\n", 1, "不用合并键"),
        ("a: 1\nb: 2\na: 3\n", 3, "「a」写了两次(第 1 行已有)"),
        ("a: 1\n---\nb: 2\n", 2, "一个文件只能有一份内容"),
        ("%YAML 1.1\n---\na: 1\n", 1, "不用 % 开头的 YAML 指令"),
        ("", 0, "文件是空的"),
        ("# 只有注释\n", 0, "文件是空的"),
        ("a:\nb: 1\n", 1, "「a」后面没有写值"),
        ("a:\n  -\n  - 1\n", 2, "这一项是空的"),
        ("a: 甲\n  乙\nb: 1\n", 1, "没有加引号的文字换了行"),
        ("a: 1\nb: 2\x07\n", 2, "控制字符"),
        ("? [a]\n: b\n", 1, "加引号"),
        ("a: " + "[" * 60 + "]" * 60 + "\n", 1, "层次太深"),
    ],
)
def test_each_slip_is_said_on_its_line(text: str, line: int, words: str) -> None:
    problems = told(text)
    assert any(found == line and words in said for found, said in problems), problems


def test_all_refusals_of_a_file_come_together() -> None:
    problems = told("a: 1\na: 2\nb: &x 1\nc:\n")
    assert [line for line, _ in problems] == [2, 3, 4]


def test_quoted_text_may_hold_anything() -> None:
    text = "a: \"{群主.称呼}\uff0c可以: 吗\"\nb: ['甲\uff0c乙']\nc: |\n  一\n  二\uff1a三\n"
    assert plain(read_yaml(text, "f")) == {
        "a": "{群主.称呼}\uff0c可以: 吗",
        "b": ["甲\uff0c乙"],
        "c": "一\n二\uff1a三\n",
    }


def test_lines_are_kept_through_lists_blocks_and_front_matter() -> None:
    node = read_yaml("步骤:\n  - 编号: a\n    正文: |\n      一\n      二\n  - {编号: b}\n", "f")
    assert line_of(node, ("步骤", 0, "编号")) == 2
    assert line_of(node, ("步骤", 0, "正文")) == 3
    assert line_of(node, ("步骤", 0, "正文"), text_line=2) == 5
    assert line_of(node, ("步骤", 1, "没有")) == 6
    assert find(node, ("步骤", 9)).reached == ("步骤",)
    assert told("a: 1\na: 2\n", first_line=10)[0][0] == 11


def test_front_matter_is_split_with_the_line_of_the_body() -> None:
    assert split_front_matter("---\na: 1\n---\n# 题\n") == ("a: 1\n", "# 题\n", 4)
    assert split_front_matter("# 题\n") == ("", "# 题\n", 1)
    assert split_front_matter("---\na: 1\n# 没有关上\n")[0] == ""
    assert split_front_matter("\ufeff---\r\na: 1\r\n---\r\n正文\r\n")[2] == 4


def test_a_file_that_is_not_utf8_or_not_there_is_said(tmp_path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("名称: 银龄".encode("gbk"))
    with pytest.raises(ContentError, match="UTF-8"):
        read_text(path, "x.yaml")
    with pytest.raises(ContentError, match="读不出来"):
        read_text(tmp_path / "没有.yaml", "没有.yaml")
    path.write_bytes("\ufeff名称: 银龄".encode())
    assert plain(read_yaml(read_text(path, "x.yaml"), "x.yaml")) == {"名称": "银龄"}


class Inner(Value):
    kind: Literal["图片", "链接"] = Field(alias="类型")
    minutes: int = Field(5, alias="时限分钟", ge=1, le=60)


class Outer(Value):
    id: Slug = Field(alias="编号")
    window: DayWindow | None = Field(None, alias="时间")
    on: Day | None = Field(None, alias="日期")
    sure: YesNo = Field(False, alias="确定")
    share: float = Field(0.0, alias="比例", le=0.5)
    words: tuple[str, ...] = Field((), alias="关键词", max_length=2)
    inner: tuple[Inner, ...] = Field((), alias="附件")


def problems_of(text: str) -> list[tuple[int, str, str, str]]:
    model, problems = load(text, "f.yaml", Outer)
    assert model is None
    return [(each.line, each.key, each.what, each.mend) for each in problems]


@pytest.mark.parametrize(
    ("text", "line", "key", "what", "mend"),
    [
        ("时间: 9-10\n编号: a\n", 1, "时间", "「9」不是时刻", "09:30"),
        ('编号: a\n时间: "18:00-09:00"\n', 2, "时间", "早于开始", "跨夜"),
        ('编号: a\n时间: "9:00"\n', 2, "时间", "不是时间段", "还要写到几点"),
        ("编号: a\n日期: 2026/9/1\n", 2, "日期", "不是日期", "2026-09-01"),
        ("编号: a\n日期: 1700000000\n", 2, "日期", "不是日期", "2026-09-01"),
        ("编号: a\n日期: 2026-02-30\n", 2, "日期", "没有「2026-02-30」这一天", "日历"),
        ("编号: 甲\n", 1, "编号", "编号「甲」写法不对", "小写字母"),
        ("确定: 1\n编号: a\n", 1, "确定", "「1」不是「是」或「否」", "true"),
        ("编号: a\n比例: 很多\n", 2, "比例", "「很多」不是数", "阿拉伯数字"),
        ("编号: a\n比例: 0.9\n", 2, "比例", "「0.9」太大", "不能大于 0.5"),
        ("编号: a\n关键词: 报名\n", 2, "关键词", "要写成列表", "写成 [报名]"),
        ("编号: a\n关键词: [a, b, c]\n", 2, "关键词", "最多 2 项", "删掉"),
        ("编号: a\n附件:\n  - {类型: 视频}\n", 3, "附件[1].类型", "不能写「视频」", "图片、链接"),
        ("编号: a\n附件:\n  - {时限分钟: 5}\n", 3, "附件[1].类型", "缺少「类型」", "类型: …"),
        ("编号: a\n附件: [x]\n", 2, "附件[1]", "「键: 值」", "换行"),
        ("编号: a\n附件: ['类型\uff1a图片']\n", 2, "附件[1]", "中文冒号", "英文冒号"),
        ("编号: [a]\n", 1, "编号", "不是列表", "一个词"),
        ("编号: a\n时见: x\n", 2, "时见", "不认识的键「时见」", "时间"),
        ("编号: a\nid: b\n", 2, "id", "不认识的键「id」", "编号"),
        ("名称: x\n", 1, "编号", "缺少「编号」", "补上"),
        ("- a\n- b\n", 1, "", "「键: 值」", "换行"),
    ],
)
def test_each_model_error_names_line_key_fault_and_mend(
    text: str, line: int, key: str, what: str, mend: str
) -> None:
    found = problems_of(text)
    assert any(
        each[0] == line and each[1] == key and what in each[2] and mend in each[3] for each in found
    ), found


def test_an_unknown_key_suggests_only_keys_of_its_own_place() -> None:
    (problem,) = problems_of("编号: a\n附件:\n  - {类型: 图片, 时限: 5}\n")
    assert problem[:3] == (3, "附件[1].时限", "不认识的键「时限」")
    assert "时限分钟" in problem[3]
    assert "时间" not in problem[3]


def test_a_sound_file_becomes_its_model() -> None:
    text = '编号: a-1\n时间: "9:00-10:30"\n日期: 2026-10-18\n确定: 是\n关键词: [TD]\n'
    model = to_model(read_yaml(text, "f"), Outer, "f")
    assert model.window is not None
    assert (model.window[0].hour, model.window[1].minute) == (9, 30)
    assert model.on == date(2026, 10, 18)
    assert model.sure
    assert Outer.model_validate(model.model_dump(mode="json", by_alias=True)) == model


def test_nothing_is_raised_for_bad_content() -> None:
    model, problems = load("a: [", "f.yaml", Outer)
    assert model is None
    assert problems[0].file == "f.yaml"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("名称: 银龄".encode("gbk"), "多半是 ANSI(GBK)"),
        ("名称: 银龄".encode("utf-16"), "是 Unicode(UTF-16)"),
        (b"\x81\x00\xff", "文件不是 UTF-8 编码"),
    ],
)
def test_a_file_in_another_encoding_is_told_by_the_name_that_people_know(
    tmp_path, data: bytes, words: str
) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(ContentError) as caught:
        read_text(path, "x.yaml")
    (problem,) = caught.value.problems
    assert words in problem.what
    assert "另存为" in problem.mend
