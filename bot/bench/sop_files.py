"""A long script is checked, and a saved one comes into force, as ops wait for it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bot.bench.ground import content_of, sqlite_ground
from bot.clock import SystemClock
from bot.storage.db import Database
from bot.workers.checking import check_scripts
from bot.workers.files import read_snapshot, tables_for
from bot.workers.publish import publish
from bot.workers.saved_files import ContentWorker
from bot.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.workers.content import Content, Snapshot

CHECK_BAR_S, RELOAD_BAR_S = 1.0, 1.0
_STEPS, _ROUNDS, _SAVES = 200, 3, 5
_SCRIPT = "senior-21d"
_PATIENCE_S, _LOOK_EVERY_S = 20.0, 0.01
_HEAD = """\
格式: sop/1
编号: bench-long
名称: 测速
版本: 1
状态: 已发布
负责人: 运营-甲
人设: xiaoan
对象: 客户群
进入: {方式: 手工}
审批: {内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}
起点: 群启动日
休息日: 顺延
护栏: {静默时段: ["19:30-08:30"], 每群每天企业群发: 1, 每群每周企业群发: 5}
步骤:
"""
_STEP = """\
  - 编号: s{number}
    第几天: {day}
    时间: "09:30-10:30"
    类型: 反诈
    发送方式: 企业群发
    正文: 大家好，第 {number} 讲：不认得的链接不点，不明的电话不接，转账之前打 {{网点.电话}} 问问。
"""


def check_a_long_script(workspace: Workspace, today: date, rounds: int = _ROUNDS) -> dict[str, Any]:
    """Check a script of 200 steps as ``zhilin sop check FILE`` does; told by the median."""
    text = _HEAD + "".join(
        _STEP.format(number=number, day=1 + int(number * 1.5)) for number in range(_STEPS)
    )
    seconds = []
    with tempfile.TemporaryDirectory(prefix="zhilin-bench-") as folder:
        path = Path(folder) / "bench-long.sop.yaml"
        path.write_text(text, encoding="utf-8")
        for _ in range(rounds):
            began = time.perf_counter()
            found = check_scripts(workspace, tables_for(today), today, [path])
            seconds.append(round(time.perf_counter() - began, 2))
    return {
        "steps": found.steps,
        "problems": len(found.problems),
        "seconds": median(seconds),
        "rounds": seconds,
        "bar_s": CHECK_BAR_S,
        "met": median(seconds) <= CHECK_BAR_S,
    }


async def reload_a_saved_script(workspace: Workspace, saves: int = _SAVES) -> dict[str, Any]:
    """Save a script some times beside the worker that watches; tell how long each save took."""
    seconds = []
    async with _watched(workspace) as (files, database):
        path = files.sop / f"{_SCRIPT}.sop.yaml"
        text = path.read_text(encoding="utf-8")
        for number in range(1, saves + 1):
            before = await _current(database)
            began = time.perf_counter()
            path.write_text(text.replace("版本: ", f"版本: {number}", 1), encoding="utf-8")
            await _until_another(database, before)
            seconds.append(round(time.perf_counter() - began, 2))
    return {
        "saves": saves,
        "seconds": median(seconds),
        "rounds": seconds,
        "bar_s": RELOAD_BAR_S,
        "met": median(seconds) <= RELOAD_BAR_S,
    }


@asynccontextmanager
async def _watched(workspace: Workspace) -> AsyncIterator[tuple[Workspace, Database]]:
    """Give a copy of the files with a database and the worker that keeps them in step."""
    with tempfile.TemporaryDirectory(prefix="zhilin-bench-") as folder:
        files = _copied(workspace, Path(folder))
        snapshot = read_snapshot(files, datetime.now(UTC).date())
        async with sqlite_ground() as url:
            database = await Database.open(url)
            content, stopping = await _in_force(files, snapshot, database), asyncio.Event()
            worker = ContentWorker(database, content, _index_nothing, SystemClock())
            watching = asyncio.create_task(worker.watch(stopping))
            try:
                yield files, database
            finally:
                stopping.set()
                await watching
                await database.close()


def _copied(workspace: Workspace, folder: Path) -> Workspace:
    for name in ("sop", "knowledge"):
        shutil.copytree(workspace.root / name, folder / name)
    return Workspace(folder)


async def _in_force(files: Workspace, snapshot: Snapshot, database: Database) -> Content:
    now = SystemClock().now()
    published = await publish(database, snapshot, now)
    return content_of(files, published.snapshot, now)


async def _index_nothing(snapshot: Snapshot) -> None:
    """Leave the knowledge as it is: what a script says is published before it is indexed."""


async def _current(database: Database) -> str | None:
    async with database.read() as tx:
        return await tx.scripts.current(_SCRIPT)


async def _until_another(database: Database, before: str | None) -> None:
    """Return once another version is in force; raise ``TimeoutError`` where none comes."""
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            if await _current(database) != before:
                return
            await asyncio.sleep(_LOOK_EVERY_S)
