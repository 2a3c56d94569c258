"""I13: losses, what is delivered and what is open make up what was planned, whatever happened."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.funnel import LOSSES, Funnel, fate_of, funnel_of

_STATES = st.sampled_from(["planned", "queued", "waiting", "confirmed", "skipped", "failed"])
_REASONS = st.sampled_from([*LOSSES, "", "precondition", "in_doubt", "cancel_failed", "unheard"])


@pytest.mark.parametrize(
    ("state", "reason", "fate"),
    [
        ("confirmed", "", "delivered"),
        ("planned", "no_room", "open"),
        ("waiting", "", "open"),
        ("skipped", "weekly_cap", "cap"),
        ("failed", "platform_quota", "cap"),
        ("skipped", "quiet_hours", "window"),
        ("failed", "not_friend", "not_friend"),
        ("skipped", "owner_unconfirmed", "unconfirmed"),
        ("failed", "refused_by_wecom", "failed"),
        ("failed", "in_doubt", "failed"),
        ("skipped", "precondition", "withheld"),
        ("skipped", "complaint", "withheld"),
    ],
)
def test_each_step_has_one_fate(state: str, reason: str, fate: str) -> None:
    assert fate_of(state, reason) == fate


@given(st.lists(st.tuples(_STATES, _REASONS), max_size=80))
def test_i13_the_parts_make_the_whole(steps: list[tuple[str, str]]) -> None:
    counted = Counter(steps)
    funnel = funnel_of((state, reason, count) for (state, reason), count in counted.items())
    assert funnel.planned == len(steps)
    assert funnel.planned == funnel.delivered + funnel.open + funnel.lost
    assert funnel.delivered == sum(state == "confirmed" for state, _ in steps)
    over = sum(state in ("skipped", "failed") for state, _ in steps)
    assert funnel.lost == over


def test_nothing_planned_is_nothing_lost() -> None:
    assert funnel_of([]) == Funnel()
