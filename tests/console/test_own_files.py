"""The files as a process reads them that only listens: newest good version, nothing unapproved."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.clock import FakeClock
from bot.config import Settings
from bot.config.parts import SidebarSettings, WeComSettings
from bot.console.own_files import OwnFiles
from bot.errors import ContentError
from bot.front import _own_pages
from bot.storage.db import Database
from bot.workspace import Workspace
from tests.make import NOON

BANK, TALK = "sop/_workspace.yaml", "sop/talk/manager.talk.yaml"


@pytest.fixture
def desk(shelf: Workspace, tmp_path: Path) -> Workspace:
    """Give a folder of its own, with the files that the sidebar reads and no script."""
    (tmp_path / "own" / "sop" / "talk").mkdir(parents=True)
    for name in (BANK, "sop/rules.yaml", TALK):
        shutil.copyfile(shelf.root / name, tmp_path / "own" / name)
    return Workspace(tmp_path / "own")


def edit(desk: Workspace, name: str, old: str, new: str) -> None:
    file = desk.root / name
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


async def test_what_is_saved_is_read_and_the_last_good_version_goes_on(desk: Workspace) -> None:
    files = OwnFiles(desk, FakeClock(NOON))
    assert not await files.look(), "nothing was saved"
    edit(desk, BANK, "姓名: 李敏", "姓名: 李小敏")
    assert await files.look()
    member = files().bank.member("li.min")
    assert member is not None
    assert member.name == "李小敏"
    edit(desk, BANK, "格式: workspace/1", "格式: ?")
    assert not await files.look()
    assert files().bank.member("li.min") == member
    assert len(files().talk) == 1
    edit(desk, TALK, "您慢慢回我", "这款保本保息")
    edit(desk, BANK, "格式: ?", "格式: workspace/1")
    assert await files.look()
    assert files().talk == (), "what may not be said is not shown"


async def test_a_new_year_brings_its_calendar(desk: Workspace) -> None:
    clock = FakeClock(NOON)
    files = OwnFiles(desk, clock)
    before = files().tables
    clock.advance(days=90)
    assert await files.look()
    assert files().tables != before


async def test_watching_ends_when_the_process_does(desk: Workspace) -> None:
    files, stopping = OwnFiles(desk, FakeClock(NOON)), asyncio.Event()
    watching = asyncio.create_task(files.watch(stopping))
    stopping.set()
    await asyncio.wait_for(watching, 5)


def settings(*, enabled: bool = True) -> Settings:
    return Settings(
        wecom=WeComSettings(corp_id="ww", secret="s", agent_id=1),
        sidebar=SidebarSettings(enabled=enabled),
    )


async def test_without_files_callbacks_are_taken_all_the_same(
    desk: Workspace, database: Database, tmp_path: Path
) -> None:
    clock, stopping = FakeClock(NOON), asyncio.Event()
    with pytest.raises(ContentError, match="缺少这个文件"):
        OwnFiles(Workspace(tmp_path / "empty"), clock)
    async with AsyncExitStack() as stack:

        def pages(workspace: Workspace, *, enabled: bool = True) -> list[str]:
            given = settings(enabled=enabled)
            routes = _own_pages(stack, given, workspace, database, clock, stopping)
            return [route.path for route in routes]

        assert pages(Workspace(tmp_path / "empty")) == []
        assert pages(desk, enabled=False) == []
        assert "/sidebar" in pages(desk)
        stopping.set()
