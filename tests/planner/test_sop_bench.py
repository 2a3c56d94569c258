"""What ``zhilin bench sop`` stands on, in small: a crowd enters, is planned; a save comes in."""

from __future__ import annotations

from bot.bench.sop_crowd import enter_and_plan
from bot.bench.sop_files import check_a_long_script, reload_a_saved_script
from bot.workers.content import Snapshot
from bot.workspace import Workspace
from tests.planner.conftest import START
from tests.planner.conftest import snapshot as snapshot
from tests.planner.conftest import workspace as workspace

CROWD = 600  # more than one transaction takes


async def test_everybody_of_the_crowd_enters_and_gets_a_step(
    workspace: Workspace, snapshot: Snapshot
) -> None:
    found = await enter_and_plan(workspace, snapshot, CROWD)
    assert found["enter"]["entered"] == CROWD
    assert found["plan"]["steps"] == CROWD


def test_the_long_script_is_as_long_as_it_says(workspace: Workspace) -> None:
    found = check_a_long_script(workspace, START.date(), 1)
    assert found["steps"] == 200


async def test_a_save_comes_into_force_beside_the_watcher(workspace: Workspace) -> None:
    found = await reload_a_saved_script(workspace, 1)
    assert found["rounds"][0] > 0
