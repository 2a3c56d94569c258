"""The first three days of the story in one go: its sums come out and the same seed repeats it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from bot.demo.headless import play_headless
from bot.workspace import Workspace

_MEASURED = {"index_seconds", "wall_seconds", "peak_memory_mb"}
_DAYS, _SEED = 3, 1
_COMMAND = ("demo", "--headless", "--json", "--days", str(_DAYS), "--seed", str(_SEED))


@pytest.fixture(scope="module")
def told(workspace: Workspace) -> dict[str, Any]:
    """Tell the story in a process of its own, as its users do: what it holds is then its own."""
    words = [sys.executable, "-m", "bot", *_COMMAND, "-C", str(workspace.root)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_planned_is_confirmed_and_every_skip_exactly(told: dict[str, Any]) -> None:
    assert told["steps_planned"] == told["steps_confirmed"] + sum(told["steps_skipped"].values())
    assert told["steps_confirmed"] > 0
    assert "owner_unconfirmed" in told["steps_skipped"]
    assert told["steps_put_off"] > 0  # an owner had sent words of his own that day


def test_no_rule_is_broken_by_what_was_delivered(told: dict[str, Any]) -> None:
    assert told["violations"] == {"caps": 0, "quiet_hours": 0, "opt_out": 0}
    assert told["steps_delivered"] <= told["steps_confirmed"]


def test_every_message_in_is_accounted_for(told: dict[str, Any]) -> None:
    assert told["messages_in"] > 50
    assert told["red_flags"] == told["leads"]["红线"] == 1
    assert sum(told["leads"].values()) == sum(told["leads_by_stage"].values())


def test_it_takes_a_minute_and_the_memory_of_a_small_machine_at_most(told: dict[str, Any]) -> None:
    assert told["wall_seconds"] < 60
    assert told["peak_memory_mb"] < 600


async def test_the_same_seed_tells_the_same_story(
    workspace: Workspace, told: dict[str, Any]
) -> None:
    again = await play_headless(workspace, days=_DAYS, seed=_SEED)
    assert again.keys() == told.keys()
    for name in again.keys() - _MEASURED:
        assert again[name] == told[name], name
