from __future__ import annotations

import pytest

from bot.domain.audience import bucket, held_out
from tests.domain.builders import starter_script


@pytest.mark.parametrize(
    ("seed", "unit", "place"),
    [
        ("seed", "a", 0.0505),
        ("seed", "b", 0.2696),
        ("foo", "ab", 0.2575),
        ("foo", "def", 0.2019),
        ("89123klj", "8952klfjas09ujkasdf", 0.124),
        ("90850943850283058242805", "123", 0.7516),
        ("()**(%$##$%#$#", '___)((*":&', 0.0128),
    ],
)
def test_the_hash_gives_the_published_places(seed: str, unit: str, place: float) -> None:
    assert bucket(seed, unit) == place


def test_about_a_tenth_of_the_groups_is_held_out_and_always_the_same_ones() -> None:
    script = starter_script("senior-21d.sop.yaml")
    groups = [f"wrChat{number:05d}" for number in range(20_000)]
    out = [group for group in groups if held_out(script, group)]
    assert 0.09 < len(out) / len(groups) < 0.11
    assert out == [group for group in groups if held_out(script, group)]


def test_a_follow_up_with_the_same_seed_holds_out_the_same_groups() -> None:
    first, then = (starter_script(f"{n}.sop.yaml") for n in ("senior-21d", "senior-weekly"))
    groups = [f"wr{number}" for number in range(2_000)]
    assert [held_out(first, g) for g in groups] == [held_out(then, g) for g in groups]


def test_without_a_holdout_nobody_is_held_out() -> None:
    script = starter_script("senior-21d.sop.yaml").model_copy(update={"measures": None})
    assert not any(held_out(script, f"g{number}") for number in range(500))
