"""A task in doubt is made again only when it was surely not made."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.doubt import (
    Doubt,
    Evidence,
    Found,
    LookAgain,
    MadeTask,
    SendAgain,
    StaysUnknown,
    judge,
    looks_like,
)
from bot.domain.messages import Broadcast, Image, Link, Text
from tests.make import CHAT, MINUTE, NOON, OWNER, broadcast

FRESH = Doubt(tried_at=NOON, opened_at=NOON)
ABSENT, UNCLEAR = Evidence(absent=True), Evidence()
LATER = NOON + 5 * MINUTE


def test_what_is_found_was_made_whenever_it_is_found() -> None:
    assert judge(FRESH, Evidence(found="msg1"), NOON) == Found(msgid="msg1")
    assert judge(FRESH, Evidence(found="msg1"), NOON + timedelta(days=1)) == Found(msgid="msg1")


def test_absence_has_to_be_proved_twice_two_minutes_apart() -> None:
    first = judge(FRESH, ABSENT, LATER)
    assert first == LookAgain(at=LATER + 2 * MINUTE, absent_at=LATER)
    once = FRESH.model_copy(update={"absent_at": LATER, "looks": 1})
    assert judge(once, ABSENT, LATER + MINUTE) == LookAgain(at=LATER + 2 * MINUTE, absent_at=LATER)
    assert judge(once, ABSENT, LATER + 2 * MINUTE) == SendAgain()


def test_lists_that_lag_prove_nothing_in_the_first_minutes() -> None:
    look = judge(FRESH, ABSENT, NOON + MINUTE)
    assert isinstance(look, LookAgain)
    assert look.absent_at is None


def test_a_look_that_shows_nothing_clear_does_not_count_as_absence() -> None:
    once = FRESH.model_copy(update={"absent_at": LATER, "looks": 3})
    look = judge(once, UNCLEAR, LATER + 30 * MINUTE)
    assert isinstance(look, LookAgain)
    assert look.absent_at == LATER


def test_after_hours_without_a_clear_answer_people_decide() -> None:
    assert judge(FRESH, UNCLEAR, NOON + timedelta(hours=6)) == StaysUnknown()


def test_what_was_sent_again_once_is_never_sent_a_third_time() -> None:
    again = FRESH.model_copy(update={"absent_at": LATER, "resent": 1})
    assert judge(again, ABSENT, LATER + 2 * MINUTE) == StaysUnknown()


@pytest.mark.parametrize(
    ("made", "alike"),
    [
        (MadeTask(msgid="m", text="今天讲防骗"), True),
        (MadeTask(msgid="m", text="今天讲防骗\n"), True),
        (MadeTask(msgid="m", text="今天讲理财"), False),
        (MadeTask(msgid="m", text="今天讲防骗", attachments=("image",)), False),
    ],
)
def test_a_listed_task_is_compared_word_by_word(made: MadeTask, alike: bool) -> None:
    assert looks_like(made, broadcast()) is alike


def test_links_are_compared_by_address_and_pictures_by_being_there() -> None:
    message = Broadcast(
        owner=OWNER,
        chats=(CHAT,),
        contents=(
            Text(text="看这个"),
            Image(file="a.png"),
            Link(title="讲座", url="https://bank.example/talk"),
        ),
    )
    listed = MadeTask(
        msgid="m", text="看这个", attachments=("image", "link:https://bank.example/talk")
    )
    assert looks_like(listed, message)
    other = listed.model_copy(update={"attachments": ("image", "link:https://bank.example/x")})
    assert not looks_like(other, message)
