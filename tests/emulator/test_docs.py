"""docs/emulator.md names every control, fault and assumption there is, and no others."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from bot.emulator.assumed import Assumed
from bot.emulator.faults import Kind
from bot.emulator.server import CONTROLS
from bot.emulator.world import World

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text("utf-8")
WORDS = set(re.findall(r"`([a-z][\w./]*)`", PAGE))
SHOWN_BY_OTHERS = {"picture", "media", "callbacks/config", "callbacks/flush", "state", "faults"}
"""Controls that the text names with their method or their whole path."""


def test_every_control_is_on_the_page() -> None:
    paths = {api.path for api in CONTROLS if not api.path.startswith(("aibots", "webhooks"))}
    assert paths - WORDS - SHOWN_BY_OTHERS <= {"settings", "tokens/withdraw"}
    for path in ("callbacks/config", "state", "faults", "settings", "tokens/withdraw"):
        assert f"/emulator/{path}" in PAGE


def test_every_fault_and_every_assumption_is_on_the_page_and_nothing_else() -> None:
    assert set(get_args(Kind)) <= WORDS
    assumed = {f"assumed.{item.name}" for item in fields(Assumed)}
    assert {word for word in WORDS if word.startswith("assumed.")} == assumed
    named = {word for word in WORDS if word.startswith(("limits.", "callbacks."))}
    assert named
    assert {word.partition(".")[2] for word in named if word.startswith("limits.")} <= set(
        World.__dataclass_fields__["limits"].default_factory().__dataclass_fields__  # type: ignore[misc]
    )
