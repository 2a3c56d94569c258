"""A bank with customers and groups, whose scripts the tests write as they need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.clock import FakeClock
from bot.domain.bank import Bank
from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.domain.people import Customer, Follow, GroupChat, GroupMember
from bot.domain.runs import Run
from bot.domain.script import SopScript, to_json
from bot.domain.subject import Occurrence, Raw
from bot.storage.admissions import Waiting
from bot.storage.db import Database
from bot.workers.content import Content, version_of
from bot.workers.entry_worker import EntryPlanner, EntryWorker
from bot.yamlfile import load
from tests.make import ZONE

HEAD = """\
格式: sop/1
编号: {id}
名称: 试跑
版本: 1
状态: {status}
负责人: 运营-甲
人设: xiaoan
对象: {subject}
进入: {entry}
重复进入: {again}
适用: {audience}
审批: {{内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}}
起点: {anchor}
护栏: {{静默时段: ["20:30-08:30"]}}
{more}步骤:
  - {{编号: hello, 第几天: 1, 时间: "09:30-10:30", 类型: {kind}, 发送方式: 企业群发, 正文: 您好}}
"""
HELD = "看效果: {{主指标: 互动率, 对照: {{{share}, 随机种子: {seed}}}}}\n"
BY_HAND = "{方式: 手工}"


def script(
    id: str = "trial",
    *,
    entry: str = BY_HAND,
    audience: str = "{}",
    subject: str = "客户",
    kind: str = "服务",
    again: str = "不允许",
    anchor: str = "进入日",
    status: str = "已发布",
    more: str = "",
) -> SopScript:
    """Return a script of one step."""
    text = HEAD.format(
        id=id,
        entry=entry,
        audience=audience,
        subject=subject,
        kind=kind,
        again=again,
        anchor=anchor,
        status=status,
        more=more,
    )
    made, problems = load(text, f"{id}.sop.yaml", SopScript)
    assert made is not None, problems
    return made


@dataclass
class Scene:
    """The database, the files, and the two workers of entry."""

    database: Database
    content: Content
    clock: FakeClock

    def __post_init__(self) -> None:
        self.planner = EntryPlanner(self.database, self.content, self.clock)
        self.worker = EntryWorker(self.database, self.content, self.clock)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def publish(self, *scripts: SopScript) -> None:
        """Make these the files' scripts, and do what comes of that."""
        files = {one.id: one for one in scripts}
        self.content.snapshot = replace(self.content.snapshot, scripts=files)
        async with self.database.begin() as tx:
            for one in scripts:
                await tx.scripts.publish(one.id, version_of(one), to_json(one), self.now)
        await self.work()

    def use_bank(self, bank: Bank) -> None:
        """Go by another file of the bank's."""
        self.content.snapshot = replace(self.content.snapshot, bank=bank)

    async def work(self) -> None:
        """Work until nothing is due."""
        while await self.planner.step() + await self.worker.step():
            pass

    async def go_to(self, text: str) -> None:
        """Let the clock come to a moment of the bank's, and work."""
        moment = datetime.fromisoformat(text).replace(tzinfo=ZONE)
        self.clock.advance(seconds=(moment - self.now).total_seconds())
        await self.work()

    async def customers(
        self, *ids: str, manager: str = "li.min", tags: frozenset[str] = frozenset(), **data: Raw
    ) -> None:
        """Let customers become friends of a manager; the bank's systems tell these data."""
        async with self.database.begin() as tx:
            for id in ids:
                follow = Follow(manager=RmId(manager), since=self.now, tags=tags)
                told = Customer(id=CustomerId(id), follows=(follow,) if manager else ())
                await tx.people.learn(told, self.now)
            if data:
                await tx.facts.put([(id, data) for id in ids], self.now)

    async def group(self, id: str, *tags: str, owner: str = "li.min", size: int = 10) -> None:
        """Let there be a group."""
        members = tuple(GroupMember(id=f"{id}-{number}") for number in range(size))
        made = GroupChat(
            id=GroupChatId(id),
            name=f"银龄安心群{id}",
            owner=RmId(owner),
            tags=frozenset(tags),
            members=members,
        )
        async with self.database.begin() as tx:
            await tx.people.put_group(made, self.now)

    async def happens(
        self, kind: str, *subjects: str, at: datetime | None = None, key: str = ""
    ) -> None:
        """Let an event happen to subjects, and work."""
        when = at or self.now
        async with self.database.begin() as tx:
            rows = [
                Occurrence(f"{key or kind}:{id}:{when.isoformat()}", id, kind, when)
                for id in subjects
            ]
            await tx.occurrences.add(rows, self.now)
        await self.work()

    async def learn(self, id: str, data: Mapping[str, Raw]) -> None:
        """Let the bank's systems tell something new of a customer, and work."""
        async with self.database.begin() as tx:
            await tx.facts.put([(id, data)], self.now)
            await tx.admissions.ask([id], "customer", self.now)
        await self.work()

    async def runs(self, script: str = "trial") -> dict[str, Run]:
        """Return the newest run of each subject."""
        async with self.database.read() as tx:
            return {run.subject: run for run in await tx.runs.of_script(script)}

    async def states(self, script: str = "trial") -> dict[str, str]:
        """Return how the newest run of each subject stands."""
        return {id: run.state for id, run in (await self.runs(script)).items()}

    async def decision(self, subject: str, script: str = "trial") -> Waiting:
        """Return the last decision about a subject."""
        async with self.database.read() as tx:
            rows = await tx.admissions.of_subject(subject)
        return next(row for row in rows if row.script == script)

    async def told(self, *kinds: str) -> list[dict[str, Any]]:
        """Return what the ledger says of these kinds."""
        async with self.database.read() as tx:
            entries = await tx.ledger.of_kinds(kinds)
        return [{"subject": one.subject, **one.facts} for one in entries]
