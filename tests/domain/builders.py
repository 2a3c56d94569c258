"""A small script and bank that tests change where it matters."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from bot.calendars import calendar_tables
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.compliance import Rules
from bot.domain.script import SopScript
from bot.yamlfile import load

ROOT = Path(__file__).resolve().parents[2]
HEAD = """\
格式: sop/1
编号: {id}
名称: 试跑
版本: 1
状态: {status}
负责人: 运营-甲
人设: xiaoan
对象: 客户群
进入: {{方式: 手工}}
审批: {{内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}}
起点: 群启动日
休息日: {rest}
错过时间窗: {missed}
护栏: {{静默时段: ["19:30-08:30"], 每群每天企业群发: 1, 每群每周企业群发: {weekly}}}
"""


def head(
    *,
    id: str = "trial",
    status: str = "已发布",
    rest: str = "顺延",
    missed: str = "跳过",
    weekly: int = 5,
) -> str:
    return HEAD.format(id=id, status=status, rest=rest, missed=missed, weekly=weekly)


def step(id: str, day: int, *, kind: str = "服务", by: str = "企业群发", more: str = "") -> str:
    extra = f", {more}" if more else ""
    return (
        f'  - {{编号: {id}, 第几天: {day}, 时间: "09:30-10:30", 类型: {kind}, '
        f"发送方式: {by}, 正文: 您好{extra}}}\n"
    )


def script_of(text: str) -> SopScript:
    script, problems = load(text, "trial.sop.yaml", SopScript)
    assert script is not None, problems
    return script


def script(*steps: str, tail: str = "", **of_head: object) -> SopScript:
    return script_of(head(**of_head) + "步骤:\n" + "".join(steps) + tail)  # type: ignore[arg-type]


@cache
def tables() -> CalendarTables:
    return calendar_tables(range(2025, 2029))


def starter_text(name: str) -> str:
    return (ROOT / "sop" / name).read_text(encoding="utf-8")


def starter_script(name: str) -> SopScript:
    return script_of(starter_text(name))


@cache
def starter_bank() -> Bank:
    bank, problems = load(starter_text("_workspace.yaml"), "_workspace.yaml", Bank)
    assert bank is not None, problems
    return bank


@cache
def starter_rules() -> Rules:
    rules, problems = load(starter_text("rules.yaml"), "rules.yaml", Rules)
    assert rules is not None, problems
    return rules


def day(text: str) -> date:
    return date.fromisoformat(text)
