"""Which lines of a group's talk ask something of the bank: counted on talk of our own wording."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.answering.group_questions import asks_the_bank

SAID = Path(__file__).with_name("said")
STAFF, OTHERS = {"陈静"}, {"王阿姨", "李叔叔", "桂花姐", "张大爷"}


def lines(name: str) -> list[tuple[bool, str]]:
    """Read what was said, with True for what is asked of the bank."""
    text = (SAID / name).read_text("utf-8")
    return [(line[0] == "+", line[2:]) for line in text.splitlines() if line[:1] in ("+", "-")]


@pytest.mark.parametrize(
    ("name", "least"), [("group_talk.txt", 0.95), ("group_talk_kept_aside.txt", 0.9)]
)
def test_most_questions_are_heard_and_little_else_is(name: str, least: float) -> None:
    said = lines(name)
    heard = [(asks, asks_the_bank(text, staff=STAFF, others=OTHERS), text) for asks, text in said]
    right = sum(asks and found for asks, found, _ in heard)
    wrong = [(asks, text) for asks, found, text in heard if asks is not found]
    assert right / sum(found for _, found, _ in heard) >= least, wrong
    assert right / sum(asks for asks, _, _ in heard) >= least, wrong


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("@李叔叔 你那张卡在哪办的", False),
        ("@陈静 我那张卡在哪办", True),
        ("李叔叔，你的国债买到了吗", False),
        ("陈经理，我的国债买到了吗", True),
        ("谁的国债买到了吗", True),
    ],
)
def test_who_is_spoken_to_decides(text: str, asks: bool) -> None:
    assert asks_the_bank(text, staff=STAFF, others=OTHERS) is asks


def test_width_and_a_name_alone_change_nothing() -> None:
    assert asks_the_bank("网点几点开门？", staff=STAFF, others=OTHERS)
    assert not asks_the_bank("@陈静", staff=STAFF, others=OTHERS)
