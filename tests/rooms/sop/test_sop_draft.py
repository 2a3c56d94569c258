"""Plans as people write them become drafts that pass every check; what was left out is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path

import pytest
from docx import Document
from typer.testing import CliRunner

from bot.cli import cli
from bot.domain.knowledge import Prompt
from bot.domain.script import SopScript
from bot.errors import ConfigError, Retryable
from bot.sop.outline.marks import number_of, time_in, when_in
from bot.workers.checking import check_scripts
from bot.workers.files import tables_for
from bot.workers.sop_draft import Made, draft_from
from bot.workspace import Workspace, starter_root
from bot.yamlfile import load

TODAY = date(2026, 10, 12)
WORKSPACE = Workspace(starter_root())
FRAUD = "接到自称公安的电话，先挂断，再打 110 问一句。"
CLASS = "手机上的字太小，打开手机银行，点长辈版，字就变大了。"

NUMBERED = f"""银龄陪伴三周计划
负责人：运营-周岚
目标：让大家安心

第1天 9:30 欢迎：叔叔阿姨好，欢迎来到群里，我是群主。
群里不让您转账，也不要验证码。
第3天 上午10点 防骗提醒
{FRAUD}
第五天 下午3点半到4点半 大字版：{CLASS}
第12天 21:00 晚安：大家早点休息。
"""
SHORT = f"""# 新客户七日陪伴（一对一私聊）

**D1 自我介绍**
时间：9:30
您好，我是您的客户经理，有事随时找我。

**D3 防骗**
方式：私聊
内容：{FRAUD}

**T+6 适老服务**
话术：{CLASS}
"""
TABLE = f"""社群运营排期

| 天数 | 发送时间 | 类型 | 渠道 | 话术 | 备注 |
|---|---|---|---|---|---|
| 第1周周一 | 9:30 | 欢迎 | 群发 | 叔叔阿姨好，欢迎来到群里。 | 群主发 |
| 第1周周三 | 10:00-11:00 | 反诈 | 群发 | {FRAUD} | |
| 第2周周三 | 10:00 | 产品 | 群发 | 这款理财保本保息，稳赚不赔。 | 待定 |
"""


def draft(source: Path, **options: object) -> Made:
    return asyncio.run(draft_from(source, WORKSPACE, TODAY, **options))  # type: ignore[arg-type]


def written(tmp_path: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def passing(made: Made, tmp_path: Path) -> SopScript:
    """Check a draft as ops would, and return what its file says."""
    path = tmp_path / "made.sop.yaml"
    path.write_text(made.text, "utf-8")
    found = check_scripts(WORKSPACE, tables_for(TODAY), TODAY, [path])
    assert found.problems == ()
    script, problems = load(made.text, "made.sop.yaml", SopScript)
    assert script is not None, problems
    assert script.status.value == "草稿"
    return script


def told(made: Made) -> str:
    return "\n".join(f"{one.where}：{one.what}" for one in made.remarks)


def steps_of(script: SopScript) -> list[tuple[int | None, str]]:
    return [(step.day, str(step.kind)) for step in script.steps]


def test_numbered_days_in_a_text(tmp_path: Path) -> None:
    made = draft(written(tmp_path, "a.txt", NUMBERED, "gb18030"))
    script = passing(made, tmp_path)
    assert (script.name, script.owner) == ("银龄陪伴三周计划", "运营-周岚")
    assert steps_of(script)[:3] == [(1, "欢迎"), (3, "反诈"), (5, "适老服务")]
    assert (
        script.steps[0].body
        == "叔叔阿姨好，欢迎来到群里，我是群主。\n群里不让您转账，也不要验证码。\n"
    )
    assert script.steps[1].body == f"{FRAUD}\n"
    assert [f"{step.window[0]:%H:%M}" for step in script.steps if step.window][:3] == [
        "09:30",
        "10:00",
        "15:30",
    ]
    assert "目标：让大家安心" in told(made)
    assert "21:00" in told(made)  # at night nothing is sent


def test_short_marks_for_single_customers(tmp_path: Path) -> None:
    made = draft(written(tmp_path, "b.md", SHORT))
    script = passing(made, tmp_path)
    assert str(script.subject) == "客户"
    assert steps_of(script) == [(1, "欢迎"), (3, "反诈"), (7, "适老服务")]
    assert "没说几点" in told(made)


def test_a_table_of_weeks_and_what_may_not_be_said(tmp_path: Path) -> None:
    made = draft(written(tmp_path, "c.md", TABLE))
    script = passing(made, tmp_path)
    assert steps_of(script) == [(1, "欢迎"), (3, "反诈")]
    assert "稳赚不赔" not in "".join(step.body or "" for step in script.steps)
    assert "保本" in told(made)
    assert "稳赚不赔" in told(made)


def test_word_with_headings_and_a_table(tmp_path: Path) -> None:
    document = Document()
    document.add_heading("银发社群方案", level=1)
    document.add_heading("第1天 欢迎", level=2)
    document.add_paragraph("叔叔阿姨好，欢迎来到群里，我是群主。")
    document.add_heading("第4天 防骗", level=2)
    document.add_paragraph("发送时间：10:00")
    document.add_paragraph(FRAUD)
    document.add_heading("排期表", level=2)
    table = document.add_table(rows=0, cols=4)
    for row in (("时间节点", "时间", "主题", "内容"), ("D7", "9:30", "适老服务", CLASS)):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    path = tmp_path / "d.docx"
    document.save(str(path))
    made = draft(path)
    script = passing(made, tmp_path)
    assert steps_of(script) == [(1, "欢迎"), (4, "反诈"), (7, "适老服务")]
    assert script.steps[1].body == f"{FRAUD}\n"
    assert script.steps[2].body == f"{CLASS}\n"


class Labeller:
    """Says where steps begin, or fails."""

    name = "labeller"

    def __init__(self, said: str | None) -> None:
        self.said = said

    async def write(self, prompt: Prompt) -> str:
        if self.said is None:
            raise Retryable("down")
        return self.said

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        yield await self.write(prompt)


LOOSE = f"社群计划\n刚进群先打个招呼，欢迎来到群里。\n过几天说说防骗，{FRAUD}\n"


def test_a_model_may_say_where_steps_begin_and_nothing_else(tmp_path: Path) -> None:
    source = written(tmp_path, "e.txt", LOOSE)
    said = "1|1|9:30|欢迎\n2|4|10:00|反诈\n99|2||x\n这里还应该加一句保本。"
    made = draft(source, chat=Labeller(said))
    script = passing(made, tmp_path)
    assert made.by_model
    assert steps_of(script) == [(1, "欢迎"), (4, "反诈")]
    assert "保本" not in made.text


@pytest.mark.parametrize("said", [None, "我不知道", "7|7"])
def test_without_the_models_help_the_rules_say_what_is_missing(
    said: str | None, tmp_path: Path
) -> None:
    source = written(tmp_path, "f.txt", LOOSE)
    with pytest.raises(ConfigError, match="没有认出步骤"):
        draft(source, chat=Labeller(said))
    good = written(tmp_path, "g.txt", NUMBERED)
    assert draft(good, chat=Labeller(said)).steps == draft(good).steps


def test_the_command_writes_a_file_once(tmp_path: Path) -> None:
    source, out = written(tmp_path, "a.txt", NUMBERED), tmp_path / "silver.sop.yaml"
    arguments = ["sop", "draft", str(source), "-o", str(out), "-C", str(WORKSPACE.root)]
    done = CliRunner().invoke(cli, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["steps"] >= 3
    assert "编号: silver\n" in out.read_text("utf-8")
    assert CliRunner().invoke(cli, arguments).exit_code != 0  # it is there by now


def test_moments_are_read_as_people_write_them() -> None:
    for text, day, time in (
        ("第3天 9:30 防骗", 3, "09:30-10:30"),
        ("第二十一天：收尾", 21, ""),
        ("Day 2 下午3点", 2, "15:00-16:00"),
        ("T+0 欢迎", 1, ""),
        ("第2周周三 上午9点半-10点", 10, "09:30-10:00"),
        ("入群当天 发欢迎语", 1, ""),
        ("三天后回访", 4, ""),
        ("1. 第5天 活动", 5, ""),
    ):
        when = when_in(text)
        assert when is not None, text
        assert (when.day, when.time) == (day, time), text
    assert when_in("今天讲第3条规矩") is None
    assert when_in("我们每天都在") is None
    assert (number_of("十"), number_of("三十六"), number_of("05")) == (10, 36, 5)
    assert time_in("没有时间") == ("", "没有时间")


def test_a_word_plan_is_called_by_its_title(tmp_path: Path) -> None:
    document = Document()
    document.add_paragraph("银发社群二十一天陪伴计划（第一季度修订版，试行）", style="Title")
    document.add_paragraph("运营部", style="Subtitle")
    document.add_heading("第1天 9:30 欢迎", 2)
    document.add_paragraph("叔叔阿姨好，欢迎来到群里，我是群主。")
    document.add_heading("第3天 10:00 防骗", 2)
    document.add_paragraph(FRAUD)
    source = tmp_path / "plan-final-3.docx"
    document.save(str(source))
    script = passing(draft(source), tmp_path)
    assert script.name == "银发社群二十一天陪伴计划（第一季度修订版，试行）"
    assert len(script.steps) == 2


def test_a_row_whose_words_are_missing_is_named_by_its_day_alone(tmp_path: Path) -> None:
    document = Document()
    rows = (
        ("天数", "时间", "话术"),
        ("第1天", "9:30", FRAUD),
        ("第3天", "", ""),
        ("第5天", "10:00", ""),
    )
    table = document.add_table(rows=len(rows), cols=3)
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, words in zip(row.cells, cells, strict=True):
            cell.text = words
    source = tmp_path / "table.docx"
    document.save(str(source))
    made = draft(source)
    assert made.steps == 1
    assert "第3天没有正文" in told(made)
    assert "第5天没有正文" in told(made)
    assert "「」" not in made.text + told(made)
    assert "天数：" not in told(made)
