"""The measure of several processes, small: every row once, in order, without a deadlock."""

from __future__ import annotations

import pytest

from bot.bench.workers import share
from bot.workspace import Workspace, starter_root


@pytest.mark.timeout(110)
async def test_two_processes_share_the_rows_and_none_is_worked_on_twice(shared_url: str) -> None:
    figures = await share(
        shared_url, Workspace(starter_root()), 2, events=600, messages=60, lanes=60
    )
    assert figures["events_worked"] == 600
    assert figures["sent"] == 60
    assert figures["worked_twice"] == figures["sent_twice"] == figures["out_of_order"] == 0
    assert figures["deadlocks"] == 0
    assert figures["met"]
    assert len(figures["by_process"]) > 1, "one of them did it all"
