"""What a ticket asks for at each moment of a hand-over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.delivery import Facts, Send, Session, Skip, Terms, decide
from bot.domain.tickets import Ticket, Times, deadline, look, waits_for_nobody, wins_over
from tests.make import ACCOUNT, CUSTOMER, MINUTE, NOON, OWNER

TIMES = Times(wait=15 * MINUTE, idle=30 * MINUTE, invite_after=3 * MINUTE)
RELEASE = Terms(purpose="release", subject=CUSTOMER, account=ACCOUNT)


def ticket(state: str, **values: Any) -> Ticket:
    """Return a ticket of which everybody was told who is to be."""
    known = {"reason": "找人工", "opened_at": NOON, "briefed_at": NOON, **values}
    return Ticket.model_validate(
        {"id": 1, "customer": CUSTOMER, "account": ACCOUNT, "state": state, **known}
    )


def over(**values: Any) -> Ticket:
    """Return a talk with a person that has ended."""
    known = {"taken_by": OWNER, "spoke_at": NOON, "given_back_at": NOON, "how": "ended"}
    return ticket("over", **{**known, **values})


@pytest.mark.parametrize(
    ("one", "minutes", "step"),
    [
        (ticket("later", opens_at=NOON + 60 * MINUTE), 59, "rest"),
        (ticket("later", opens_at=NOON + 60 * MINUTE), 60, "hand_over"),
        (ticket("later", opens_at=NOON + 60 * MINUTE, briefed_at=None), 0, "brief"),
        (ticket("going"), 600, "rest"),  # the outbox has it
        (ticket("waiting", given_at=NOON, briefed_at=None), 0, "brief"),
        (ticket("waiting", given_at=NOON), 14, "rest"),
        (ticket("waiting", given_at=NOON), 15, "waited"),
        (ticket("waiting", given_at=NOON, reason="红线"), 5, "waited"),
        (ticket("waiting", given_at=NOON, reason="投诉"), 14, "rest"),
        (ticket("talking", last_at=NOON, last_by="person"), 29, "rest"),
        (ticket("talking", last_at=NOON, last_by="person"), 30, "idle"),
        (ticket("talking", last_at=NOON, last_by="customer"), 30, "waited"),
        (over(), 2, "rest"),
        (over(), 3, "invite"),
        (over(rating=1), 3, "invite"),
        (over(rating=3), 600, "rest"),
        (over(how="waited"), 600, "rest"),
        (over(how="settled"), 600, "rest"),
        (over(spoke_at=None), 600, "rest"),
        (over(reason="投诉"), 600, "rest"),
        (over(offered_at=NOON), 600, "rest"),
    ],
)
def test_a_ticket_asks_for_one_thing_at_its_time(one: Ticket, minutes: int, step: str) -> None:
    assert look(one, TIMES, NOON + minutes * MINUTE) == step


def test_in_danger_patience_never_grows_and_may_be_shorter_still() -> None:
    short = Times(wait=2 * MINUTE)
    grave = ticket("waiting", given_at=NOON, reason="红线")
    assert deadline(grave, short) == NOON + 2 * MINUTE
    assert deadline(grave, Times(wait=timedelta(hours=4))) == NOON + 5 * MINUTE


def test_what_is_grave_waits_for_no_opening_hours() -> None:
    assert [need for need in ("红线", "投诉", "找人工", "答不上") if waits_for_nobody(need)] == [
        "红线",
        "投诉",
    ]


def test_a_bank_that_invites_nobody_unasked_is_obeyed() -> None:
    assert wins_over(over(), TIMES)
    assert not wins_over(over(), Times(invite_again=None))


def test_whose_talk_it_is() -> None:
    assert ticket("going", wanted=OWNER).person == OWNER
    assert ticket("talking", wanted=OWNER, taken_by="wang.fang").person == "wang.fang"
    assert ticket("waiting").person == ""


@pytest.mark.parametrize("state", range(5))
def test_only_what_a_person_has_is_given_back(state: int) -> None:
    facts = Facts(session=Session(state=state, last_customer_at=NOON))
    decision = decide(RELEASE, facts, None, NOON)
    assert decision == (Send() if state in (2, 3) else Skip(reason="nobody_has_session"))


def test_a_word_that_is_said_meanwhile_keeps_the_talk_with_the_person() -> None:
    facts = Facts(session=Session(state=3, last_customer_at=NOON), spoken_since=True)
    assert decide(RELEASE, facts, None, NOON) == Skip(reason="spoken_meanwhile")
