"""The first three days of the story in one go: its sums come out and the same seed repeats it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.demo.headless import play_headless
from bot.workspace import Workspace

_MEASURED = {"index_seconds", "wall_seconds", "peak_memory_mb"}


@pytest.fixture(scope="module")
def played() -> dict[int, dict[str, Any]]:
    """Keep what was played, so that one story serves several tests."""
    return {}


async def play(workspace: Workspace, played: dict[int, dict[str, Any]], run: int) -> dict[str, Any]:
    if run not in played:
        played[run] = await play_headless(workspace, days=3, seed=1)
    return played[run]


async def test_planned_is_confirmed_and_every_skip_exactly(
    workspace: Workspace, played: dict[int, dict[str, Any]]
) -> None:
    figures = await play(workspace, played, 1)
    assert figures["steps_planned"] == figures["steps_confirmed"] + sum(
        figures["steps_skipped"].values()
    )
    assert figures["steps_confirmed"] > 0
    assert {"owner_unconfirmed", "platform_quota"} <= set(figures["steps_skipped"])


async def test_no_rule_is_broken_by_what_was_delivered(
    workspace: Workspace, played: dict[int, dict[str, Any]]
) -> None:
    figures = await play(workspace, played, 1)
    assert figures["violations"] == {"caps": 0, "quiet_hours": 0, "opt_out": 0}
    assert figures["steps_delivered"] <= figures["steps_confirmed"]


async def test_every_message_in_is_accounted_for(
    workspace: Workspace, played: dict[int, dict[str, Any]]
) -> None:
    figures = await play(workspace, played, 1)
    assert figures["messages_in"] > 50
    assert figures["red_flags"] == figures["leads"]["红线"] == 1
    assert sum(figures["leads"].values()) == sum(figures["leads_by_stage"].values())
    assert figures["wall_seconds"] < 60
    assert figures["peak_memory_mb"] < 1500  # the test process holds more than the story


async def test_the_same_seed_tells_the_same_story(
    workspace: Workspace, played: dict[int, dict[str, Any]]
) -> None:
    first, second = await play(workspace, played, 1), await play(workspace, played, 2)

    def told(figures: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in figures.items() if name not in _MEASURED}

    assert told(first) == told(second)
