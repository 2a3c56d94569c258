"""What every fault shares: how often it strikes, and the one line that tells what came of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.workspace import Workspace, copy_workspace, starter_root
from tests.journeys.conftest import workspace as workspace

_COUNTED = "counted"
Tell = Callable[[str], None]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give the starter's files; nothing in them has been made searchable."""
    return copy_workspace(Workspace(starter_root()), tmp_path_factory.mktemp("files") / "workspace")


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Give what notes a test's counted result; ``make faults`` prints them at its end."""

    def note(line: str) -> None:
        record_property(_COUNTED, line)

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", [])
        if name == _COUNTED and getattr(report, "when", "") == "call"
    ]
    if lines:
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)
