"""A short line in a group is read together with what the same person said just before it."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.events import GroupMessageReceived
from bot.storage.conversations import Turn
from bot.workers.group_answers import said_before
from tests.make import CHAT, CUSTOMER, NOON, OWNER

SECONDS = timedelta(seconds=1)


def line(text: str) -> GroupMessageReceived:
    return GroupMessageReceived(
        chat=CHAT, sender=CUSTOMER, staff=False, msgid="m1", text=text, sent_at=NOON
    )


def turn(text: str, seconds: int, speaker: str = CUSTOMER) -> Turn:
    return Turn(speaker, text, NOON - seconds * SECONDS)


def test_own_lines_with_no_long_pause_belong_together() -> None:
    turns = [turn("大额存单", 100), turn("三年的那种", 40)]
    assert said_before(line("怎么买?"), turns) == ("大额存单", "三年的那种")


def test_another_person_and_a_pause_end_them() -> None:
    turns = [turn("国债", 50), turn("您说", 30, OWNER), turn("大额存单", 20)]
    assert said_before(line("怎么买?"), turns) == ("大额存单",)
    assert said_before(line("怎么买?"), [turn("大额存单", 120)]) == ()


def test_a_longer_line_stands_by_itself() -> None:
    assert said_before(line("请问储蓄国债要怎么买才好?"), [turn("早上好", 10)]) == ()
