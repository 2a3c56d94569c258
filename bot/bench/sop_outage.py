"""A bank whose engine stands still for 26 hours over a holiday, while its people go on pressing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from bot.bench.ground import content_of
from bot.bench.sop_wire import Posting, QuickHands
from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.runs import FINAL_STEPS, Run, RunStep
from bot.domain.script import SopScript, to_json
from bot.storage import tables
from bot.storage.bulk import insert_rows
from bot.storage.db import Database
from bot.workers.content import Content, Snapshot, version_of
from bot.workers.entering import Entrance
from bot.workers.loop import Worker, one_by_one
from bot.workers.moments import MomentWorker
from bot.workers.outbox import OutboxWorker
from bot.workers.runs import RunWorker
from bot.workers.tasks import TaskWorker
from bot.workers.wishes import Wish, kind_of
from bot.workspace import Workspace
from bot.yamlfile import load

SENIORS, GREETED, FRIENDS = "senior-21d", "festival-groups", "new-friend-7d"
_EVERY_RULE = (
    *("跳过", "当日补到21:00", "顺延一天", "晚2小时内补发", "晚36小时内补发"),
    *("晚3个工作日内补发", "后面一起顺延", "只补最近一次"),
)
_WINDOWS = ("10:00-11:30", "14:30-17:00", "19:30-21:00", "21:30-22:40")
_GROUP_WAYS = ("企业群发", "[企业群发, 提醒群主侧边栏一键发]", "提醒群主侧边栏一键发")
_PERSON_WAYS = ("企业群发", "[企业群发, 提醒经理一键发]", "提醒经理", "朋友圈", "提醒经理一键发")
_TOP = """\
格式: sop/1
编号: {id}
名称: 停机
版本: 1
状态: 已发布
负责人: 运营-甲
人设: xiaoan
对象: {subject}
进入: {{方式: 手工}}
审批: {{内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}}
起点: 进入日
休息日: 照发
护栏: {{静默时段: ["23:00-08:00"], {caps}}}
步骤:
"""
_DAYS_BEFORE, _DAYS_AFTER = 10, 4
_A_MINUTE = timedelta(minutes=1)
_MANAGERS = 2
_GROUP = ("id", "name", "owner", "branch", "tags", "members", "seen_at", "attempt")
_CUSTOMER = ("id", "name", "managers", "tags", "facts", "facts_as_of", "seen_at", "attempt")
_FOLLOW = ("customer", "manager", "state", "tags", "since", "seen_at")


class Outage(NamedTuple):
    """When the engine stands still."""

    name: str
    down: datetime
    up: datetime


class Sent(NamedTuple):
    """A message of a step that left, as the outbox has it: by which ref or card, on what terms."""

    key: str
    ref: str
    terms: Terms


@dataclass(frozen=True)
class Story:
    """What was planned when the engine stopped, and all that had become of it in the end."""

    outage: Outage
    content: Content
    hands: QuickHands
    before: dict[int, RunStep]
    after: dict[int, RunStep]
    runs: dict[int, Run]
    sent: Sequence[Sent]


async def play(
    workspace: Workspace, snapshot: Snapshot, database: Database, outage: Outage, seed: str
) -> Story:
    """Let groups and customers go through shipped scripts and some with every rule, on SQLite."""
    town = _Town(workspace, snapshot, database, outage, seed)
    await town.begin()
    for day in range(_DAYS_BEFORE):
        morning = outage.down - timedelta(days=_DAYS_BEFORE - day, hours=11)
        await town.until(morning)
        await town.enter(day)
    await town.until(outage.down)
    before = await town.steps()
    town.clock.jump(outage.up)  # nobody works meanwhile
    await town.until(outage.up + timedelta(days=_DAYS_AFTER))
    return Story(
        outage=outage,
        content=town.content,
        hands=town.hands,
        before={id: step for id, step in before.items() if step.state not in FINAL_STEPS},
        after=await town.steps(),
        runs=await town.runs_by_id(),
        sent=await town.sent(),
    )


def script_of_every_rule(id: str, *, customers: bool) -> SopScript:
    """Make a script with a step a day: each rule for what is missed, each window, each way."""
    caps = "每客每天: 1" if customers else "每群每天企业群发: 1, 每群每周企业群发: 6"
    text = _TOP.format(id=id, subject="客户" if customers else "客户群", caps=caps)
    ways = _PERSON_WAYS if customers else _GROUP_WAYS
    for number in range(_DAYS_BEFORE):
        window, rule = _WINDOWS[number // 2 % 4], _EVERY_RULE[number % len(_EVERY_RULE)]
        day = "相隔天: 1" if customers else f"第几天: {number + 1}"
        kind = ("服务", "反诈", "活动")[number % 3]
        text += (
            f'  - {{编号: s{number}, {day}, 时间: "{window}", 类型: {kind}, '
            f"正文: {id}第{number}条, 发送方式: {ways[number % len(ways)]}, 错过时间窗: {rule}}}\n"
        )
    script, problems = load(text, f"{id}.sop.yaml", SopScript)
    if script is None:
        raise RuntimeError(str(problems))
    return script


class _Town:
    """A bank's people, and the workers that move runs, on one database."""

    def __init__(
        self,
        workspace: Workspace,
        snapshot: Snapshot,
        database: Database,
        outage: Outage,
        seed: str,
    ) -> None:
        shipped = [snapshot.scripts[id] for id in (SENIORS, GREETED, FRIENDS)]
        own = [script_of_every_rule(f"rules-{n}", customers=bool(n)) for n in range(2)]
        self._scripts = [*shipped, *own]
        begins = outage.down - timedelta(days=_DAYS_BEFORE + 1)
        only = replace(snapshot, scripts={script.id: script for script in self._scripts})
        self.clock = FakeClock(begins)
        self.database = database
        self.content = content_of(workspace, only, begins)
        self.hands = QuickHands(self.clock, seed)
        self._entrance = Entrance(self.content)
        self._managers = [
            one for one in self.content.bank.staff if one.role == "客户经理" and one.branch
        ][:_MANAGERS]
        channels: Any = dict.fromkeys(("contact", "app", "kf"), self.hands)
        posting, on = Posting(self.hands), (self.content, self.clock)
        self._outbox = OutboxWorker(database, channels, *on, manner=one_by_one)
        self._workers: dict[str, Worker] = {
            "enrolments": RunWorker(database, *on),
            "outbox": self._outbox,
            "send_tasks": TaskWorker(database, self.hands, *on),
            "moments": MomentWorker(database, posting, self.clock),
        }

    async def begin(self) -> None:
        """Publish the scripts, and let everybody be known."""
        now = self.clock.now()
        async with self.database.begin() as tx:
            for script in self._scripts:
                await tx.scripts.publish(script.id, version_of(script), to_json(script), now)
            groups = [row for day in range(_DAYS_BEFORE) for row in self._groups(day)]
            await insert_rows(tx.connection, tables.groups, _GROUP, groups)
            people = [id for day in range(_DAYS_BEFORE) for id in _people(day)]
            data = json.dumps({"营销同意": True, "年龄": 45}, ensure_ascii=False)
            rows, follows = [], []
            for number, id in enumerate(people):
                manager = self._managers[number % len(self._managers)].userid
                own = json.dumps([manager])
                rows.append((id, f"客户{id}", own, "[]", data, now, now, 0))
                follows.append((id, manager, "", "[]", now, now))
            await insert_rows(tx.connection, tables.customers, _CUSTOMER, rows)
            await insert_rows(tx.connection, tables.follows, _FOLLOW, follows)

    def _groups(self, day: int) -> Iterator[tuple[object, ...]]:
        members = json.dumps([{"id": f"m{n}", "name": "街坊", "staff": False} for n in range(20)])
        for number, script in enumerate((SENIORS, GREETED, "rules-0")):
            owner = self._managers[(day + number) % len(self._managers)]
            tags = json.dumps(["银龄群"] if script == SENIORS else [], ensure_ascii=False)
            id = f"wr-{script}-{day}"
            yield (id, f"群{id}", owner.userid, owner.branch, tags, members, self.clock.now(), 0)

    async def enter(self, day: int) -> None:
        """Let those begin whose day it is."""
        now = self.clock.now()
        async with self.database.begin() as tx:
            for script in self._scripts:
                groups = kind_of(script) == "group"
                mine = [f"wr-{script.id}-{day}"] if groups else _people(day, script.id)
                wishes = [Wish(id, happened_at=now) for id in mine]
                asked = await self._entrance.ask(tx, script, wishes, now, at_gate=True)
                if asked.count("entered") + asked.count("held_out") != len(wishes):
                    raise RuntimeError(f"{script.id} refused {asked.admissions}")

    async def until(self, moment: datetime) -> None:
        """Let the time pass, stopping at whatever minute work falls due."""
        while True:
            async with self.database.read() as tx:
                due = {name: at for name, at in (await tx.due()).items() if name in self._workers}
            now = self.clock.now()
            ready = [
                worker for name, worker in self._workers.items() if due.get(name, moment) <= now
            ]
            done = sum([await worker.step() for worker in ready])
            await self._outbox.drain()
            if done:
                continue
            later = [at for at in due.values() if at > now]  # what is due and waits in a lane apart
            if min(later, default=moment) >= moment:
                break
            whole = (min(later) + _A_MINUTE - timedelta(microseconds=1)).replace(second=0)
            self.clock.jump(whole.replace(microsecond=0))
        self.clock.jump(moment)

    async def runs_by_id(self) -> dict[int, Run]:
        """Return every run."""
        async with self.database.read() as tx:
            found = [run for one in self._scripts for run in await tx.runs.of_script(one.id)]
        return {run.id: run for run in found}

    async def steps(self) -> dict[int, RunStep]:
        """Return every step of every run."""
        runs = await self.runs_by_id()
        async with self.database.read() as tx:
            return {step.id: step for run in runs for step in await tx.runs.steps(run)}

    async def sent(self) -> list[Sent]:
        """Return what left of steps."""
        statement = "SELECT key, ref, facts FROM outbox WHERE key LIKE 'sop:%' AND state = 'sent'"
        async with self.database.read() as tx:
            rows = (await tx.connection.exec_driver_sql(statement)).all()
        return [Sent(row.key, row.ref, Terms.model_validate_json(row.facts)) for row in rows]


def _people(day: int, script: str = "") -> list[str]:
    friends, others = [f"wm-friend-{day}"], [f"wm-rules-{day}-{number}" for number in range(2)]
    return {"": [*friends, *others], FRIENDS: friends}.get(script, others)


def holidays(zone: Any) -> tuple[Outage, Outage]:
    """Return the nights of National Day and of the New Year's eve, by the bank's clock."""
    found = []
    for name, day in (("国庆", "2026-09-30"), ("除夕", "2027-02-04")):
        down = datetime.combine(datetime.fromisoformat(day).date(), time(20), tzinfo=zone)
        found.append(Outage(name, down, down + timedelta(hours=26)))
    return found[0], found[1]
