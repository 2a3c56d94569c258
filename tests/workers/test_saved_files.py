"""A save works within a second, whole or not at all; what is wrong with it is told once."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.bench.ground import content_of
from bot.clock import FakeClock
from bot.domain.staff_messages import StaffText
from bot.storage.db import Database
from bot.workers.approval_notes import ApprovalNotes
from bot.workers.content import Snapshot, read_snapshot
from bot.workers.publish import publish
from bot.workers.saved_files import ContentWorker
from bot.workspace import Workspace, starter_root
from tests.make import NOON, local
from tests.waiting import until
from tests.workers.conftest import clock as clock
from tests.workers.conftest import database as database

SCRIPT, FILE = "senior-21d", "senior-21d.sop.yaml"
OLD, NEW = "今天说说咱们群的小规矩，就四条", "今天说说咱们群的新规矩，还是四条"
HEAD = "he.jing"


class Office:
    """A workspace that people edit, and the worker that watches it."""

    def __init__(self, workspace: Workspace, database: Database, clock: FakeClock) -> None:
        self.workspace = workspace
        self.database = database
        self.clock = clock
        self.indexed: list[Snapshot] = []
        self.slow_index = asyncio.Event()
        self.slow_index.set()
        snapshot = read_snapshot(workspace, clock.now().date())
        self.content = content_of(workspace, snapshot, clock.now())
        self.worker = ContentWorker(database, self.content, self._index, clock)

    async def _index(self, snapshot: Snapshot) -> None:
        await self.slow_index.wait()
        self.indexed.append(snapshot)

    def path(self, name: str = FILE) -> Path:
        return self.workspace.sop / name

    def text(self, name: str = FILE) -> str:
        return self.path(name).read_text("utf-8")

    def edit(self, old: str = OLD, new: str = NEW, name: str = FILE) -> None:
        text = self.text(name)
        assert old in text
        self.path(name).write_text(text.replace(old, new, 1), "utf-8")

    def says(self, words: str) -> bool:
        """Tell whether the script in force holds these words."""
        return any(
            words in (step.body or "") for step in self.content.snapshot.scripts[SCRIPT].steps
        )

    async def told(self) -> list[str]:
        """Return what staff was told, each with to whom."""
        async with self.database.read() as tx:
            rows = await tx.connection.exec_driver_sql(
                "SELECT body FROM outbox WHERE bucket = 'staff_text' ORDER BY id"
            )
            texts = [StaffText.model_validate_json(row[0]) for row in rows]
        return [f"{'、'.join(text.to)}：{text.text}" for text in texts]

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        watching = asyncio.create_task(self.worker.watch(stopping))
        try:
            yield
        finally:
            stopping.set()
            await watching


@pytest.fixture
async def office(database: Database, clock: FakeClock, tmp_path: Path) -> Office:
    for name in ("sop", "knowledge"):
        shutil.copytree(starter_root() / name, tmp_path / "bank" / name)
    made = Office(Workspace(tmp_path / "bank"), database, clock)
    await publish(database, made.content.snapshot, clock.now())
    return made


async def test_a_save_is_in_force_within_a_second_whatever_the_index_does(office: Office) -> None:
    office.slow_index.clear()  # the model takes its time
    took: list[float] = []
    async with office.watched():
        for old, new in ((OLD, NEW), (NEW, OLD), (OLD, NEW)):
            office.edit(old, new)
            saved = time.monotonic()
            await until(lambda new=new: office.says(new), 10)  # type: ignore[misc]
            took.append(time.monotonic() - saved)
            if len(took) == 1:
                indexing = asyncio.create_task(office.worker.step())
        assert min(took) < 1  # the others may have met a machine that had more to do
        office.slow_index.set()
        await indexing
    await office.worker.step()
    assert office.indexed[-1] is office.content.snapshot


async def test_a_file_written_in_two_goes_is_never_read_half(office: Office) -> None:
    text = office.text().replace(OLD, NEW)
    cut = text.index("  - 编号: d05")  # what stands before it is a sound script, but a short one
    steps = len(office.content.snapshot.scripts[SCRIPT].steps)
    lengths: set[int] = set()

    def whole() -> bool:
        lengths.add(len(office.content.snapshot.scripts[SCRIPT].steps))
        return office.says(NEW)

    async with office.watched():
        with office.path().open("w", encoding="utf-8") as file:
            for start in range(0, len(text), max(1, cut // 4)):
                file.write(text[start : start + max(1, cut // 4)])
                file.flush()
                await until(_after(0.05), 1)
                whole()
        await until(whole, 5)
    assert lengths == {steps}


def _after(seconds: float) -> Callable[[], bool]:
    moment = time.monotonic() + seconds
    return lambda: time.monotonic() >= moment


async def test_an_editor_that_renames_and_its_own_files_are_no_edit(office: Office) -> None:
    seen = office.content.snapshot
    for name in (".senior-21d.sop.yaml.swp", "senior-21d.sop.yaml~", "4913.tmp"):
        office.path(name).write_text("格式: [", "utf-8")
    for _ in range(3):
        await office.worker.look()
    assert office.content.snapshot.scripts == seen.scripts
    assert office.content.problems == ()
    made = office.path("4914.tmp")
    made.write_text(office.text().replace(OLD, NEW), "utf-8")
    os.replace(made, office.path())
    for _ in range(2):
        await office.worker.look()
    assert office.says(NEW)


async def test_a_broken_file_holds_back_nobody_elses_and_is_told_once(office: Office) -> None:
    office.edit("类型: 服务", "类型: 服务费", "senior-weekly.sop.yaml")
    office.edit()
    assert not await office.worker.reload()
    assert office.says(NEW)
    assert set(office.content.snapshot.scripts) >= {SCRIPT, "senior-weekly"}
    (told,) = await office.told()
    assert told.startswith(f"{HEAD}：")
    assert "senior-weekly.sop.yaml" in told
    assert "还是上一版" in told
    office.path("senior-weekly.sop.yaml").write_text(
        "\n" + office.text("senior-weekly.sop.yaml"), "utf-8"
    )
    assert not await office.worker.reload()  # a line further down, the same problem
    assert len(await office.told()) == 1
    (problem,) = office.worker.report()["problems"]
    assert (problem["file"], problem["mend"] != "") == ("sop/senior-weekly.sop.yaml", True)
    office.edit("类型: 服务费", "类型: 服务", "senior-weekly.sop.yaml")
    assert await office.worker.reload()
    assert office.worker.report()["problems"] == []


async def test_what_all_stand_on_has_to_be_sound_before_anything_changes(office: Office) -> None:
    office.edit("格式: workspace/1", "格式: workspace/9", "_workspace.yaml")
    office.edit()
    assert not await office.worker.reload()
    assert office.says(OLD)
    office.edit("格式: workspace/9", "格式: workspace/1", "_workspace.yaml")
    assert await office.worker.reload()
    assert office.says(NEW)


async def test_an_owner_on_the_staff_is_told_of_their_own_file(office: Office) -> None:
    office.edit("负责人: 运营-周岚", "负责人: 网点-李敏")
    assert await office.worker.reload()
    office.edit("对象: 客户群 ", "对象: 客人群 ")
    assert not await office.worker.reload()
    (told,) = await office.told()
    assert told.startswith("li.min：")


async def test_an_approval_that_ran_out_stops_its_script_and_nothing_else(office: Office) -> None:
    office.edit("有效期至: 2027-08-31", "有效期至: 2026-10-11")
    snapshot = read_snapshot(office.workspace, NOON.date())  # the bot may start
    assert SCRIPT in snapshot.scripts
    assert await office.worker.reload()
    (problem,) = office.worker.report()["problems"]
    assert "过期" in problem["what"]
    assert await office.told() == []
    notes = ApprovalNotes(office.database, office.content, office.clock)
    assert await notes.step() == 1
    assert await notes.step() == 0
    for _ in range(2):  # the next days, and after a restart: it was told
        office.clock.advance(days=1)
        await ApprovalNotes(office.database, office.content, office.clock).step()
    assert len([text for text in await office.told() if "一条也不发" in text]) == 1


async def test_once_a_week_those_in_charge_hear_what_ends_within_thirty_days(
    office: Office,
) -> None:
    office.edit("有效期至: 2027-08-31", "有效期至: 2026-11-03")
    office.edit("有效期至: 2027-08-31", "有效期至: 2026-12-31", "senior-weekly.sop.yaml")
    assert await office.worker.reload()
    office.clock.jump(local("08:59", "2026-10-19"))
    notes = ApprovalNotes(office.database, office.content, office.clock)
    assert await notes.step() == 0
    for _ in range(7):  # a week of days
        office.clock.advance(minutes=1)
        await notes.step()
        office.clock.advance(hours=23, minutes=59)
    (told,) = await office.told()
    assert told.startswith(f"{HEAD}：有 1 个剧本")
    assert "2026-11-03 到期，还有 15 天" in told
    assert "senior-weekly" not in told
    assert office.clock.now() - NOON < timedelta(days=30)


async def test_a_saved_script_does_not_have_all_of_the_knowledge_read_again(office: Office) -> None:
    assert await office.worker.reload()
    before = office.content.snapshot.knowledge
    office.edit()
    assert await office.worker.reload()
    assert office.content.snapshot.knowledge is before
    card = office.workspace.knowledge / "faq" / "card.qa.yaml"
    text = card.read_text("utf-8")
    card.write_text(text.replace("怎么挂失", "要怎么挂失", 1), "utf-8")
    assert await office.worker.reload()
    assert office.content.snapshot.knowledge != before
    await office.worker.step()
    assert office.indexed[-1] is office.content.snapshot
