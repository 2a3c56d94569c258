"""``zhilin stop-sending`` beside a bot that is busy answering, on the same SQLite file.

The bot is the real ``zhilin serve`` in a process of its own, WeCom the real ``zhilin emulator``.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from asyncio.subprocess import PIPE
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from bot.bench.processes import clean_environment
from bot.bench.scene import SMALL_BOT, Scene, open_scene
from bot.workspace import Workspace
from tests.waiting import until

pytestmark = pytest.mark.timeout(110, func_only=True)
AFTER_THE_STOP = 10
EVERY_S = 0.15
QUESTION = "存折还能用吗"  # one that is answered, not handed to a person


async def zhilin(scene: Scene, workspace: Workspace, *words: str) -> str:
    """Run a command in a process of its own while the bot works on the same file."""
    database = f"sqlite:///{scene.bot.database}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words, "-C", str(workspace.root)),
        env=clean_environment(BOT_DATABASE__URL=database),
        stdout=PIPE,
        stderr=PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    return said.decode()


async def answers(scene: Scene, customers: list[str]) -> int:
    return sum(len(texts) for texts in (await scene.town.answers(customers)).values())


class Visitors:
    """New customers who write one after another, until some time after the stop."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.all: list[str] = []
        self.stopped = asyncio.Event()

    async def come(self) -> None:
        last = 0
        while not last or len(self.all) < last:
            if self.stopped.is_set() and not last:
                last = len(self.all) + AFTER_THE_STOP
            (customer,) = await self._scene.town.customers(1)
            self.all.append(customer)
            await self._scene.town.ask(customer, QUESTION)
            await asyncio.sleep(EVERY_S)


async def last_answer_at(scene: Scene) -> datetime:
    """Return when the newest answer arrived, by the local WeCom's clock, which runs with ours."""
    arrived = [one for one in await scene.town.deliveries() if one["kind"] == "kf"]
    return max(datetime.fromisoformat(one["at"]) for one in arrived)


def replies(scene: Scene) -> int:
    """Count the answers that the bot has thought of, sent or not."""
    database = f"file:{scene.bot.database}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        statement = "SELECT count(*) FROM outbox WHERE bucket = 'kf_reply'"
        return int(connection.execute(statement).fetchone()[0])


async def test_a_stop_holds_within_a_second_and_over_a_restart_and_then_all_are_answered_once(
    workspace: Workspace,
) -> None:
    async with open_scene(workspace, settings=SMALL_BOT) as scene:
        visitors = Visitors(scene)

        async def some_are_answered() -> bool:
            return await answers(scene, visitors.all) >= 3

        coming = asyncio.create_task(visitors.come())
        await until(some_are_answered, 30)
        said = await zhilin(scene, workspace, "stop-sending", "--kf", "--by", "王芳")
        stopped_at = datetime.now(UTC)
        visitors.stopped.set()
        assert "已停发：微信客服" in said
        assert "由 王芳 停的" in said
        await coming
        everybody = visitors.all
        await until(lambda: replies(scene) >= len(everybody), 30)
        assert await last_answer_at(scene) - stopped_at < timedelta(seconds=1)
        before = await answers(scene, everybody)
        assert before < len(everybody)

        await scene.bot.kill()
        await scene.bot.start()
        again = await zhilin(scene, workspace, "stop-sending", "--kf", "--by", "李四", "--json")
        figures = json.loads(again)  # it was stopped already: no error, and nothing changes
        assert (figures["kf"]["by"], figures["sop"]["stopped"]) == ("王芳", False)
        assert figures["kf"]["waiting"] == len(everybody) - before
        assert await answers(scene, everybody) == before

        said = await zhilin(scene, workspace, "resume-sending", "--by", "王芳")
        assert "在发送：微信客服" in said
        assert await scene.town.all_answered(everybody, 30)
        each = await scene.town.answers(everybody)
        assert {len(texts) for texts in each.values()} == {1}
