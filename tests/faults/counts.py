"""How often a fault strikes: a few times among the other tests, the full number by itself."""

from __future__ import annotations

import os

FULL = os.environ.get("BOT_TEST_FAULTS") == "full"


def times(few: int, full: int) -> int:
    """Return how often a fault strikes in this run."""
    return full if FULL else few
