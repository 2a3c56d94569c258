"""What WeCom's word on a task means for one receiver of it, case by case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.polling import (
    Anew,
    Answer,
    AskAgain,
    Confirmed,
    Failed,
    Over,
    Refused,
    Status,
    TakeBack,
    Unsent,
    judge,
    next_look,
    wants_reminder,
)
from bot.domain.runs import SendTask
from tests.make import CHAT, MINUTE, NOON, OWNER, SECOND

CLOSES = NOON + timedelta(hours=6)
SENT_AT = NOON + 7 * MINUTE
UNSENT, SENT = Answer(), Answer(Status.SENT, SENT_AT)
NO_FRIEND, FULL = Answer(Status.NOT_A_FRIEND), Answer(Status.FULL)


def task(reminded: int = 0) -> SendTask:
    return SendTask(
        id=1,
        msgid="m1",
        run_step=1,
        owner=OWNER,
        chat=CHAT,
        created_at=NOON,
        closes_at=CLOSES,
        reminded=reminded,
    )


@pytest.mark.parametrize(
    ("step", "answer", "cancel", "moved", "at", "verdict"),
    [
        ("waiting", SENT, "", False, 10, Confirmed(SENT_AT)),
        ("waiting", Answer(Status.SENT), "", False, 10, Confirmed(NOON + 10 * MINUTE)),
        ("waiting", UNSENT, "", False, 10, AskAgain(NOON + 20 * MINUTE)),
        ("waiting", NO_FRIEND, "", False, 10, Refused("not_friend")),
        ("waiting", FULL, "", False, 10, Refused("platform_quota")),
        ("waiting", UNSENT, "", True, 10, TakeBack(NOON + 20 * MINUTE)),
        ("waiting", NO_FRIEND, "", True, 10, Anew()),  # the old owner cannot send there any more
        ("waiting", UNSENT, "", False, 360, AskAgain(CLOSES + 30 * SECOND)),
        ("waiting", UNSENT, "done", False, 360, Unsent()),
        ("waiting", UNSENT, "failed", False, 360, Failed("cancel_failed")),
        ("waiting", SENT, "done", False, 361, Confirmed(SENT_AT)),  # quicker than the cancel
        ("skipped", SENT, "done", False, 20, Confirmed(SENT_AT)),  # sent after its run had ended
        ("skipped", UNSENT, "done", False, 20, Over()),
        ("skipped", UNSENT, "", False, 20, AskAgain(NOON + 20 * MINUTE + 30 * SECOND)),
        ("confirmed", SENT, "", False, 20, Over()),
    ],
)
def test_each_word_means_one_thing(
    step: Any, answer: Answer, cancel: Any, moved: bool, at: int, verdict: object
) -> None:
    assert judge(task(), step, answer, cancel, moved, NOON + at * MINUTE) == verdict


def test_a_task_is_asked_after_ever_more_slowly_and_when_a_reminder_is_due() -> None:
    looks, now = [], NOON
    while now < CLOSES:
        now = next_look(task(), now)
        looks.append(int((now - NOON).total_seconds() // 60))
    assert looks == [5, 10, 20, 30, 60, 120, 180, 240, 300, 360]


@pytest.mark.parametrize(
    ("given", "most", "minutes", "wanted"),
    [
        (0, 2, 29, False),
        (0, 2, 30, True),
        (1, 2, 60, False),
        (1, 2, 120, True),
        (2, 2, 300, False),
        (2, 3, 240, True),
        (3, 3, 300, False),
        (0, 0, 60, False),
        (0, 2, 360, False),  # its window is over
    ],
)
def test_reminders_come_after_half_an_hour_two_and_four_as_often_as_the_file_says(
    given: int, most: int, minutes: int, wanted: bool
) -> None:
    assert wants_reminder(task(given), most, NOON + minutes * MINUTE) is wanted
