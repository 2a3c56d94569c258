"""Files are judged by the bank's own day, not by the one in which its server is set up."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.root import today
from bot.clock import SystemClock
from bot.workspace import Workspace
from tests.make import ZONE

# They are 25 hours apart: at no moment is it the same day in both.
FIRST, LAST = "Pacific/Kiritimati", "Pacific/Pago_Pago"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "sop").mkdir()
    return Workspace(tmp_path)


def in_zone(workspace: Workspace, name: str) -> Workspace:
    file = workspace.root / "sop" / "_workspace.yaml"
    text = Path("sop/_workspace.yaml").read_text("utf-8")
    assert text.count("时区: Asia/Shanghai") == 1
    file.write_text(text.replace("时区: Asia/Shanghai", f"时区: {name}"), "utf-8")
    return workspace


def test_the_day_is_that_of_the_banks_zone(workspace: Workspace) -> None:
    early, late = today(in_zone(workspace, FIRST)), today(in_zone(workspace, LAST))
    assert (early - late).days in (1, 2)


def test_a_file_that_cannot_be_read_leaves_the_day_of_china(workspace: Workspace) -> None:
    before = SystemClock().now().astimezone(ZONE).date()
    assert today(workspace) in (before, SystemClock().now().astimezone(ZONE).date())
