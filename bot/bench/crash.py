"""``kill -9`` after ten acknowledged questions: after a new start ten answers, none twice."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.bench.figures import Progress
from bot.bench.questions import various
from bot.bench.scene import SMALL_BOT, Scene, open_scene
from bot.workspace import Workspace

CUSTOMERS = 10
_ROUNDS = 5
_LATEST_S = 0.25  # by then the last answers have left
_PATIENCE_S = 60.0
_POLL_S = 0.05
_WORK = ("notices", "events", "outbox")


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Crash at once after the tenth acknowledgement, then at random moments while it answers."""
    chance = random.Random(7)  # noqa: S311 - moments of a crash, the same at every run
    moments = [0.0, *(round(chance.uniform(0, _LATEST_S), 3) for _ in range(_ROUNDS - 1))]
    rounds = []
    async with open_scene(workspace, settings=SMALL_BOT) as scene:
        for number, moment in enumerate(moments):
            progress(f"  第 {number + 1} 次断电：确认后 {moment:.3f} 秒")
            rounds.append(await crash_once(scene, moment, number))
    return {
        "what": "SIGKILL after ten acknowledged questions, and a new start on the same database",
        "crashes": len(rounds),
        "questions": sum(one["questions"] for one in rounds),
        "lost": sum(one["lost"] for one in rounds),
        "answered_twice": sum(one["answered_twice"] for one in rounds),
        "restart_s_max": max(one["restart_s"] for one in rounds),
        "rounds": rounds,
        "met": all(one["lost"] == 0 and one["answered_twice"] == 0 for one in rounds),
    }


async def crash_once(scene: Scene, after_s: float, number: int = 0) -> dict[str, Any]:
    """Crash the bot ``after_s`` after it acknowledged ten questions; count what is answered.

    The doorbells are held back until the tenth is there and posted all at once, so that the bot
    has done as little as can be when the power goes.
    """
    customers = await scene.town.customers(CUSTOMERS)
    questions = various(scene.questions, CUSTOMERS, start=number * CUSTOMERS)
    scene.relay.forget()
    scene.relay.holding = True
    for count, (customer, question) in enumerate(zip(customers, questions, strict=True), 1):
        await scene.town.ask(customer, question)
        doorbells = await scene.relay.held(count)
    statuses = await asyncio.gather(*(scene.relay.post(posted) for posted in doorbells))
    await asyncio.sleep(after_s)
    await scene.bot.kill()
    before = await scene.town.answers(customers)
    scene.relay.holding = False
    began = time.monotonic()
    await scene.bot.start()
    restarted = time.monotonic() - began
    await scene.town.all_answered(customers, _PATIENCE_S)
    answered = time.monotonic() - began
    await until_idle(scene.bot.database, _PATIENCE_S)
    answers = await scene.town.answers(customers)
    return {
        "killed_after_s": after_s,
        "acknowledged": statuses.count(200),
        "questions": len(customers),
        "answered_before": sum(bool(texts) for texts in before.values()),
        "answers": sum(len(texts) for texts in answers.values()),
        "lost": sum(not texts for texts in answers.values()),
        "answered_twice": sum(len(texts) > 1 for texts in answers.values()),
        "restart_s": round(restarted, 2),
        "all_answered_s": round(answered, 2),
    }


async def until_idle(database: Path, within_s: float) -> bool:
    """Wait until no callback, event or message is left to work on; False where some stay."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not await asyncio.to_thread(_open_work, database):
            return True
        await asyncio.sleep(_POLL_S)
    return False


def _open_work(database: Path) -> int:
    """Count the rows that are work, read from outside as an auditor would."""
    counts = ",".join(
        f"(SELECT count(*) FROM {table} WHERE due_at IS NOT NULL)"  # noqa: S608 - our own names
        for table in _WORK
    )
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return sum(connection.execute(f"SELECT {counts}").fetchone())
