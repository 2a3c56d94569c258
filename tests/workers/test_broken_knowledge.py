"""A fault in the knowledge leaves out what has it; everything else is answered all the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.clock import FakeClock
from bot.errors import ContentError
from bot.workers.file_news import words
from bot.workers.files import read_snapshot
from bot.workspace import Workspace, copy_workspace, starter_root
from tests.workers.conftest import clock as clock
from tests.workers.conftest import database as database
from tests.workers.test_saved_files import Office
from tests.workers.test_saved_files import office as office

TODAY = date(2026, 10, 19)
CARD, BRANCH = "knowledge/faq/card.qa.yaml", "knowledge/faq/branch.qa.yaml"
SCRIPT = "sop/senior-21d.sop.yaml"


def edit(workspace: Workspace, file: str, old: str, new: str) -> None:
    path = workspace.root / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def ids(office: Office) -> set[str]:
    return {document.id for document in office.content.snapshot.documents()}


async def test_an_answer_that_may_not_be_said_is_left_out_and_the_rest_goes_live(
    office: Office,
) -> None:
    assert "qa-601" in ids(office)
    edit(office.workspace, CARD, "编号: qa-601", "编号: QA 601")
    edit(office.workspace, BRANCH, "库: 网点与小安", "库: 网点与人")
    assert not await office.worker.reload()
    assert "qa-601" not in ids(office)
    assert "qa-602" in ids(office)
    titles = {one.title for one in office.content.snapshot.documents()}
    assert "网点与人" in titles  # what was saved in another file is in force
    (told,) = await office.told()
    assert "知识文件有 1 处要改" in told
    assert "card.qa.yaml:7" in told
    assert office.content.problems[0].file == CARD
    edit(office.workspace, CARD, "编号: QA 601", "编号: qa-601")
    assert await office.worker.reload()
    assert "qa-601" in ids(office)
    assert office.content.problems == ()


async def test_a_file_that_cannot_be_read_at_all_is_answered_from_as_it_was(
    office: Office,
) -> None:
    before = ids(office)
    (office.workspace.root / CARD).write_bytes(b"\xff\xfe\x00 broken")
    edit(office.workspace, SCRIPT, "状态: 已发布 ", "状态: 停用 ")
    assert not await office.worker.reload()
    after = ids(office)
    assert {one for one in before if one.startswith("qa-")} <= after
    assert not any(one.startswith("senior-21d/") for one in after)


async def test_a_start_with_a_fault_in_the_knowledge_goes_on_and_tells_its_owner(
    office: Office, clock: FakeClock
) -> None:
    edit(office.workspace, CARD, "编号: qa-601", "编号: QA 601")
    started = Office(office.workspace, office.database, clock)
    assert "qa-602" in ids(started)
    assert started.content.problems
    assert await started.told() == []
    await started.worker.look()
    await started.worker.look()
    (told,) = await started.told()
    assert "知识文件有 1 处要改" in told


def test_a_fault_elsewhere_still_refuses_the_start_and_names_both(tmp_path: Path) -> None:
    workspace = copy_workspace(Workspace(starter_root()), tmp_path / "bank")
    edit(workspace, CARD, "编号: qa-601", "编号: QA 601")
    assert read_snapshot(workspace, TODAY).left_out
    edit(workspace, SCRIPT, "类型: 服务", "类型: 服物")
    with pytest.raises(ContentError) as caught:
        read_snapshot(workspace, TODAY)
    assert {problem.file for problem in caught.value.problems} == {CARD, SCRIPT}


def test_notes_stop_nothing_and_stand_apart(tmp_path: Path) -> None:
    workspace = copy_workspace(Workspace(starter_root()), tmp_path / "bank")
    edit(workspace, CARD, "失效: 2027-08-31", "失效: 2026-10-31")
    snapshot = read_snapshot(workspace, TODAY)
    assert snapshot.left_out == ()
    soon = [note for note in snapshot.notes if "还有 12 天" in note.what]
    assert soon
    assert {note.file for note in soon} == {CARD}
    assert "知识文件" in words(soon)
