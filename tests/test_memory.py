"""The search for rings is seldom while the bot runs, and as before afterwards."""

from __future__ import annotations

import gc

from bot.memory import settled


def test_within_the_block_the_search_is_seldom_and_passes_over_what_stands() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with settled():
        assert gc.get_threshold()[0] > before[0]
        assert gc.get_freeze_count() > frozen
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_rings_are_still_found() -> None:
    class Ring:
        def __init__(self) -> None:
            self.other = self

    with settled():
        for _ in range(30_000):
            Ring()
        assert sum(isinstance(each, Ring) for each in gc.get_objects()) < 25_000
