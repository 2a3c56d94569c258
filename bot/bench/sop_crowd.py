"""A crowd enters a one-to-one script, and its steps are planned, on a real database."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.bench.ground import content_of, sqlite_ground
from bot.clock import FakeClock
from bot.domain.script import SopScript, to_json
from bot.memory import settled
from bot.storage import tables
from bot.storage.bulk import insert_rows
from bot.storage.db import Database
from bot.workers.content import Content, Snapshot, version_of
from bot.workers.entering import Entrance
from bot.workers.entry_errands import CHUNK
from bot.workers.runs import RunWorker
from bot.workers.wishes import Wish
from bot.workspace import Workspace
from bot.yamlfile import load

ENTER_BAR, PLAN_BAR = 20_000, 3_000
START = datetime.fromisoformat("2026-10-12T10:00:00+08:00")
_CUSTOMERS = 10_000
_CUSTOMER = ("id", "name", "managers", "tags", "facts", "facts_as_of", "seen_at", "attempt")
_FOLLOW = ("customer", "manager", "state", "tags", "since", "seen_at")
_A_MOMENT = timedelta(hours=1)
# Each step is judged by what is known of the customer, takes a place in the ledger, and has words
# of its own arm with the manager's name and the next event's day in them.
_SCRIPT = """\
格式: sop/1
编号: bench-crowd
名称: 测速
版本: 1
状态: 已发布
负责人: 运营-甲
人设: xiaoan
对象: 客户
进入: {方式: 手工}
适用: {条件: "好友 且 营销同意 且 年龄 < 65", 排除: "投诉处理中 或 年龄 未知"}
审批: {内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}
起点: 进入日
护栏: {静默时段: ["20:30-08:30"], 每客每周一对一营销: 2}
退出: {关键词: [退订], 动作: [记录拒收], 回话: "好的，不再发了。"}
步骤:
  - {编号: s, 分流: {实验: 测速口吻, 单位: 客户, 比例: {甲: 50, 乙: 50}}}
  - 编号: a
    时间: "09:00-18:00"
    类型: 活动
    发送方式: [企业群发, 提醒经理一键发]
    前提: {条件: "风险等级 >= C2 且 天数到(到期日) > 3"}
    正文按分流:
      甲: 我是{经理.称呼}，{活动.日期}网点有{活动.名称}，想来回「报名」。不想收消息回「退订」。
      乙: "{网点.名称}{活动.日期}办{活动.名称}，我是{经理.称呼}，给您留位子。不想收消息回「退订」。"
  - {编号: w, 等待: {任一: [客户回复, 活动报名], 最长: 5天}}
  - 编号: b
    相隔天: 1
    时间: "09:00-18:00"
    类型: 服务
    发送方式: 企业群发
    正文: 有事打{网点.电话}找{经理.称呼}。不想收消息回「退订」。
"""


async def enter_and_plan(
    workspace: Workspace, snapshot: Snapshot, count: int = _CUSTOMERS
) -> dict[str, Any]:
    """Let customers enter on SQLite, which waits for the disk, then plan their first steps."""
    script, problems = load(_SCRIPT, "bench-crowd.sop.yaml", SopScript)
    if script is None:
        raise RuntimeError(str(problems))
    only = replace(snapshot, scripts={script.id: script})
    content = content_of(workspace, only, START)
    async with sqlite_ground() as url:
        database = await Database.open(url)
        try:
            await _people(database, content, script, count)
            with settled():  # as the bot is once it stands
                entering = await _enter(database, content, script, count)
                planning = await _plan(database, content)
        finally:
            await database.close()
    return {"enter": entering, "plan": planning}


async def _people(database: Database, content: Content, script: SopScript, count: int) -> None:
    """Let the customers be known, each with data and a manager."""
    managers = [member.userid for member in content.bank.staff if member.branch]
    since = START - timedelta(days=200)
    customers, follows = [], []
    for number in range(count):
        id, manager = f"wm{number:06}", managers[number % len(managers)]
        own, data = json.dumps([manager]), json.dumps(_facts(number), ensure_ascii=False)
        customers.append((id, f"客户{number}", own, "[]", data, since, since, 0))
        follows.append((id, manager, "", "[]", since, since))
    async with database.begin() as tx:
        await insert_rows(tx.connection, tables.customers, _CUSTOMER, customers)
        await insert_rows(tx.connection, tables.follows, _FOLLOW, follows)
        await tx.scripts.publish(script.id, version_of(script), to_json(script), START)


def _facts(number: int) -> dict[str, bool | int | str]:
    """Return data of a customer's own, by which the script's conditions still are true."""
    matures = START.date() + timedelta(days=10 + number % 350)
    grade = f"C{2 + number % 4}"
    return {
        "营销同意": True,
        "年龄": 20 + number % 44,
        "风险等级": grade,
        "到期日": str(matures),
    }


async def _enter(
    database: Database, content: Content, script: SopScript, count: int
) -> dict[str, Any]:
    entrance, entered = Entrance(content), 0
    began, cpu = time.perf_counter(), time.process_time()
    for wishes in _chunks([Wish(f"wm{number:06}") for number in range(count)]):
        async with database.begin() as tx:
            asked = await entrance.ask(tx, script, wishes, START)
        entered += asked.count("entered")
    speed = count / (time.perf_counter() - began)
    of_cpu = count / (time.process_time() - cpu)
    return {
        "subjects": count,
        "entered": entered,
        "subjects_per_s": round(speed),
        "subjects_per_cpu_s": round(of_cpu),
        "bar_per_s": ENTER_BAR,
        "met": speed >= ENTER_BAR,
    }


def _chunks(wishes: Sequence[Wish]) -> list[Sequence[Wish]]:
    return [wishes[begin : begin + CHUNK] for begin in range(0, len(wishes), CHUNK)]


async def _plan(database: Database, content: Content) -> dict[str, Any]:
    """Have the first steps placed, judged, worded and put into the outbox."""
    clock = FakeClock(START)
    worker = RunWorker(database, content, clock)
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(2):  # a step is placed on its day, and opened once its hours are there
        while await worker.step():
            pass
        clock.jump(clock.now() + _A_MOMENT)
    seconds, of_cpu = time.perf_counter() - began, time.process_time() - cpu
    async with database.read() as tx:
        steps = (await tx.outbox.counts()).get("ready", 0)
    return {
        "steps": steps,
        "steps_per_s": round(steps / seconds),
        "steps_per_cpu_s": round(steps / of_cpu),
        "bar_per_s": PLAN_BAR,
        "met": steps / seconds >= PLAN_BAR,
    }
