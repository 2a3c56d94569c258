"""Who gets a lead, and by when a person must have answered."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.lead import RESPOND_WITHIN, Need
from tests.make import NOON, signal


def test_every_need_has_its_time_and_danger_has_the_shortest() -> None:
    assert set(RESPOND_WITHIN) == set(Need)
    assert min(RESPOND_WITHIN.values()) == RESPOND_WITHIN[Need.RED_FLAG] == timedelta(minutes=5)


def test_the_time_runs_from_when_it_was_said_and_a_file_may_set_it() -> None:
    assert signal(Need.RED_FLAG).respond_by() == NOON + timedelta(minutes=5)
    assert signal(Need.EVENT, minutes=15).respond_by() == NOON + timedelta(minutes=15)
