"""Arms by hash, kept for ever once a unit was exposed (sop_semantics 2.8)."""

from __future__ import annotations

from collections import Counter

from bot.domain.flow import Split
from bot.domain.splitting import arm_of, epoch_of


def split(first: int = 30, unit: str = "客户") -> Split:
    shares = {"甲": first, "乙": 100 - first}
    return Split.model_validate({"实验": "words", "单位": unit, "比例": shares})


def test_s1_shares_are_met_and_a_unit_always_falls_on_the_same_arm() -> None:
    units = [f"wm{number}" for number in range(4000)]
    arms = Counter(arm_of(split(), unit, {}) for unit in units)
    assert 0.27 < arms["甲"] / len(units) < 0.33
    assert arm_of(split(), "wm1", {}) == arm_of(split(), "wm1", {})


def test_s2_an_exposed_unit_keeps_its_arm_under_any_shares() -> None:
    for unit in ("wm1", "wm2", "wm3"):
        for first in (1, 50, 99):
            assert arm_of(split(first), unit, {("words", unit): "乙"}) == "乙"


def test_an_arm_that_the_file_lost_is_given_anew() -> None:
    assert arm_of(split(), "wm1", {("words", "wm1"): "丙"}) in ("甲", "乙")


def test_s3_other_shares_are_another_epoch() -> None:
    assert epoch_of(split(30)) == epoch_of(split(30))
    assert epoch_of(split(30)) != epoch_of(split(31))
    assert 0 <= epoch_of(split()) < 2**31
