"""What staff call a stage and a reason, in one place; what somebody writes is known again."""

from __future__ import annotations

from typing import get_args

import pytest

from bot.domain.lead import Outcome, Stage
from bot.domain.lead_words import (
    SAYS_NOTHING,
    STAGE_WORDS,
    choices_of,
    reason_of,
    reason_words,
)


def test_every_stage_has_words_and_no_two_the_same() -> None:
    assert set(STAGE_WORDS) == set(get_args(Stage))
    assert len(set(STAGE_WORDS.values())) == len(STAGE_WORDS)


@pytest.mark.parametrize(
    ("outcome", "said", "reason"),
    [
        ("invalid", "重复", "repeated"),
        ("invalid", "已经办好了", "done"),
        ("invalid", "repeated", "repeated"),
        ("invalid", "客户说已经办好了，在网点", "done"),
        ("lost", "别家", "elsewhere"),
        ("lost", "嫌利率", "price"),
        ("lost", "客户", "客户"),  # two reasons have it
        ("lost", "了", "了"),
        ("invalid", "孩子替他问的", "孩子替他问的"),
        ("won", "重复", "重复"),
        ("invalid", "", ""),
    ],
)
def test_a_part_of_a_reason_is_that_reason(outcome: Outcome, said: str, reason: str) -> None:
    assert reason_of(outcome, said) == reason


def test_what_the_fit_leaves_out_is_what_people_choose() -> None:
    known = {reason_of("invalid", words) for words in choices_of("invalid")}
    assert known >= SAYS_NOTHING


def test_a_reason_is_read_in_words() -> None:
    assert reason_words("repeated") == "同一件事重复了"
    assert reason_words("no_answer") == "问了没回音"
    assert reason_words("买了国债") == "买了国债"
