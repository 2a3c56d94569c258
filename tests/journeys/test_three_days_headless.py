"""The first three days of the story in one go: its sums come out and the same seed repeats it."""

from __future__ import annotations

import resource
from typing import Any

import pytest

from bot.demo.headless import play_headless
from bot.workspace import Workspace

_MEASURED = {"index_seconds", "wall_seconds", "peak_memory_mb", "held_before_mb"}


@pytest.fixture(scope="module")
def played() -> dict[int, dict[str, Any]]:
    """Keep what was played, so that one story serves several tests."""
    return {}


async def play(workspace: Workspace, played: dict[int, dict[str, Any]], run: int) -> dict[str, Any]:
    if run not in played:
        before = peak_mb()
        played[run] = await play_headless(workspace, days=3, seed=1) | {"held_before_mb": before}
    return played[run]


def peak_mb() -> float:
    """Return the most memory that this process, with all tests before, has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def test_planned_is_confirmed_and_every_skip_exactly(
    workspace: Workspace, played: dict[int, dict[str, Any]]
) -> None:
    figures = await play(workspace, played, 1)
    assert figures["steps_planned"] == figures["steps_confirmed"] + sum(
        figures["steps_skipped"].values()
    )
    assert figures["steps_confirmed"] > 0
    assert "owner_unconfirmed" in figures["steps_skipped"]
    assert figures["steps_put_off"] > 0  # an owner had sent words of his own that day


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
    # The peak of a process that ran other tests before says nothing, unless the story raised it.
    assert figures["peak_memory_mb"] < max(1500, figures["held_before_mb"] + 600)


async def test_the_same_seed_tells_the_same_story(
    workspace: Workspace, played: dict[int, dict[str, Any]]
) -> None:
    first, second = await play(workspace, played, 1), await play(workspace, played, 2)

    def told(figures: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in figures.items() if name not in _MEASURED}

    assert told(first) == told(second)
