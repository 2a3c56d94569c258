"""What is one question, when it is complete, and what its lane says after it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.answering.red_flags import red_flag
from bot.domain.events import Event, MessageRecalled, MessageReceived, SessionChanged, StaffSpoke
from bot.domain.persona import Patience
from bot.domain.waiting import Queued, due_moments, gather
from tests.make import ACCOUNT, CUSTOMER, NOON, OWNER, message

PATIENCE = Patience()
_WHO = {"account": ACCOUNT, "customer": CUSTOMER, "at": NOON}


def spoke() -> StaffSpoke:
    return StaffSpoke(**_WHO, servicer=OWNER, text="我来")


def ended() -> SessionChanged:
    return SessionChanged(**_WHO, change="ended")


def recalled(msgid: str) -> MessageRecalled:
    return MessageRecalled(**_WHO, msgid=msgid)


def lane(*events: Event | None, apart: float = 1.0, begun: int = 0) -> list[Queued]:
    """Return events that came so many seconds apart; the first few are in hand."""
    return [
        Queued(
            id=number,
            received_at=NOON + timedelta(seconds=apart * (number - 1)),
            begun=number <= begun,
            event=event,
        )
        for number, event in enumerate(events, 1)
    ]


def says(msgid: str, text: str = "您好") -> MessageReceived:
    return message(msgid, text)


def rushes(one: MessageReceived) -> bool:
    return red_flag(one.text) is not None


def due(rows: list[Queued], now: datetime = NOON) -> dict[int, float]:
    """Return the seconds after noon at which each row falls due."""
    moments = due_moments(rows, PATIENCE, rushes, now)
    return {row: (moment - NOON).total_seconds() for row, moment in moments.items()}


class TestWait:
    def test_one_message_waits_a_little_for_the_next(self) -> None:
        assert due(lane(says("a"))) == {1: 1.2}

    def test_each_further_one_begins_the_wait_anew_for_all(self) -> None:
        assert due(lane(says("a"), says("b"), says("c"))) == dict.fromkeys((1, 2, 3), 3.2)

    def test_but_not_for_ever(self) -> None:
        assert due(lane(*(says(str(n)) for n in range(9)))) == dict.fromkeys(range(1, 10), 4.0)

    def test_what_cannot_wait_pulls_the_whole_question_along(self) -> None:
        rows = lane(says("a"), says("b", "我被骗了"))
        assert due(rows, NOON + timedelta(seconds=1)) == {1: 1.0, 2: 1.0}

    def test_an_event_of_another_kind_ends_the_question_before_it(self) -> None:
        rows = lane(says("a"), spoke(), says("b"))
        assert due(rows, NOON + timedelta(seconds=2)) == {1: 2.0, 3: 3.2}

    def test_what_comes_while_the_first_part_is_in_hand_waits_for_itself(self) -> None:
        assert due(lane(says("a"), says("b"), apart=3, begun=1)) == {2: 4.2}

    def test_a_lane_without_messages_has_nothing_to_wait_for(self) -> None:
        assert due(lane(spoke(), ended())) == {}


class TestGather:
    def test_messages_in_a_row_are_one_question_named_by_the_newest(self) -> None:
        batch = gather(lane(says("a"), says("b"), ended(), says("c")), 1)
        assert batch is not None
        assert [one.msgid for one in batch.messages] == ["a", "b"]
        assert batch.rows == (1, 2)
        assert batch.newest.msgid == "b"
        assert batch.last_at - batch.first_at == timedelta(seconds=1)

    def test_what_was_taken_back_is_not_answered(self) -> None:
        batch = gather(lane(says("a"), says("b"), recalled("a")), 1)
        assert batch is not None
        assert [one.msgid for one in batch.messages] == ["b"]
        assert [one.msgid for one in batch.recalled] == ["a"]
        assert batch.rows == (1, 2)

    @pytest.mark.parametrize(("after", "left"), [(spoke(), True), (ended(), False)])
    def test_a_question_that_a_person_has_spoken_to_is_left_to_them(
        self, after: Event, left: bool
    ) -> None:
        batch = gather(lane(says("a"), after), 1)
        assert batch is not None
        assert batch.left_to_person is left

    @pytest.mark.parametrize("rows", [[], lane(says("b"))])
    def test_a_question_that_another_worker_finished_is_gone(self, rows: list[Queued]) -> None:
        assert gather(rows, 7) is None

    def test_what_is_written_to_another_account_is_another_question(self) -> None:
        other = says("b").model_copy(update={"account": "wkB"})
        spoken = spoke().model_copy(update={"account": "wkB"})
        batch = gather(lane(says("a"), other, spoken), 1)
        assert batch is not None
        assert batch.rows == (1,)
        assert not batch.left_to_person

    def test_an_event_that_nobody_can_read_parts_two_questions(self) -> None:
        batch = gather(lane(says("a"), None, says("b")), 1)
        assert batch is not None
        assert batch.rows == (1,)
