"""Who has the word in a session, told by the news alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.delivery import Session
from bot.domain.events import Event, RejectionSwitched, SendFailed, SessionChanged, StaffSpoke
from bot.domain.sessions import heard, with_person
from tests.make import ACCOUNT, CUSTOMER, NOON, OWNER, message

_WHO: Any = {"account": ACCOUNT, "customer": CUSTOMER, "at": NOON}
HOURS_49 = timedelta(hours=49)


def after(*events: Event, session: Session | None = None) -> Session:
    state = session or Session()
    for event in events:
        state = heard(state, event)
    return state


def test_a_customers_words_open_the_window_and_leave_a_person_in_charge() -> None:
    taken = SessionChanged(**_WHO, change="taken", servicer=OWNER)
    session = after(message("a"), taken, message("b", at=NOON + timedelta(minutes=1)))
    assert (session.state, session.servicer, session.sent) == (3, OWNER, 0)
    assert session.last_customer_at == NOON + timedelta(minutes=1)


def test_a_persons_word_mutes_whatever_went_before() -> None:
    for state in range(5):
        session = after(StaffSpoke(**_WHO, servicer=OWNER), session=Session(state=state))
        assert (session.state, session.servicer) == (3, OWNER)


@pytest.mark.parametrize("end", ["ended", "48 hours", "fail_type 4", "fail_type 5"])
def test_after_the_end_the_next_words_begin_a_session_that_is_the_bots(end: str) -> None:
    over = after(message("a"), StaffSpoke(**_WHO, servicer=OWNER))
    at = NOON + timedelta(hours=1)
    match end:
        case "ended":
            over = after(SessionChanged(**_WHO, change="ended"), session=over)
        case "48 hours":
            at = NOON + HOURS_49
            assert with_person(over, NOON + timedelta(hours=47))
            assert not with_person(over, at)
        case _:
            kind = int(end[-1])
            over = after(SendFailed(**_WHO, msgid="m", fail_type=kind), session=over)
    session = after(message("b", at=at), session=over)
    assert (session.state, session.servicer) == (0, "")


def test_an_older_message_that_comes_late_does_not_shorten_the_window() -> None:
    session = after(message("b", at=NOON), message("a", at=NOON - timedelta(hours=1)))
    assert session.last_customer_at == NOON


def test_five_messages_are_five_whatever_we_counted() -> None:
    failed = SendFailed(**_WHO, msgid="m", fail_type=6)
    assert after(message("a"), failed).sent == 5
    assert after(message("a"), failed, message("b")).sent == 0


def test_a_rejection_lasts_until_it_is_taken_back() -> None:
    on, off = (RejectionSwitched(**_WHO, servicer=OWNER, on=each) for each in (True, False))
    assert after(message("a"), on, message("b")).rejected
    assert not after(on, off).rejected
