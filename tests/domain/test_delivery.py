"""The one gate, reason by reason, and windows cut by quiet hours."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import in_quiet
from bot.domain.delivery import (
    Facts,
    Hold,
    Limits,
    Send,
    Session,
    Skip,
    Terms,
    decide,
    open_spans,
)
from tests.make import NOON, ZONE, local

QUIET = ((time(11, 45), time(14, 30)), (time(19, 30), time(8, 30)))
TEN = local("10:00")
GOOD = Facts(approved_until=date(2027, 8, 31))
LIMITS = Limits(quiet=QUIET)


def step(**values: Any) -> Terms:
    return Terms(purpose="step", subject="wrA", quota=True, **values)


def facts(**values: Any) -> Facts:
    return GOOD.model_copy(update=values)


@pytest.mark.parametrize(
    ("terms", "known", "now", "decision"),
    [
        (step(), GOOD, TEN, Send()),
        (step(closes_at=TEN), GOOD, TEN, Skip(reason="window_missed")),
        (
            step(opens_at=TEN),
            GOOD,
            local("09:00"),
            Hold(until=TEN, reason="not_yet_due"),
        ),
        (step(), facts(run_alive=False), TEN, Skip(reason="run_ended")),
        (step(), facts(script_stopped=True), TEN, Skip(reason="script_stopped")),
        (step(), facts(group_alive=False), TEN, Skip(reason="group_dismissed")),
        (step(), facts(approved_until=None), TEN, Skip(reason="approval_expired")),
        (step(), facts(approved_until=date(2026, 10, 11)), TEN, Skip(reason="approval_expired")),
        (step(), facts(approved_until=date(2026, 10, 12)), TEN, Send()),
        (
            step(marketing=True),
            facts(refuses_marketing=True),
            TEN,
            Skip(reason="marketing_refused"),
        ),
        (step(), facts(refuses_marketing=True), TEN, Send()),
        (step(product="p"), facts(product_sold=False), TEN, Skip(reason="product_not_sold")),
        (step(), facts(product_sold=False), TEN, Send()),
        (step(), facts(broadcasts_today=1), TEN, Skip(reason="daily_cap")),
        (step(), facts(broadcasts_this_week=5), TEN, Skip(reason="weekly_cap")),
        (step(), facts(broadcasts_this_week=4), TEN, Send()),
        (step(product="p"), facts(products_this_week=1), TEN, Skip(reason="weekly_product_cap")),
        (step(), facts(products_this_week=1), TEN, Send()),
        (step(), GOOD, NOON, Hold(until=local("14:30"), reason="quiet_hours")),
        (step(closes_at=local("14:00")), GOOD, NOON, Skip(reason="quiet_hours")),
        (
            step(),
            GOOD,
            local("22:00"),
            Hold(until=local("08:30", "2026-10-13"), reason="quiet_hours"),
        ),
    ],
)
def test_a_step_leaves_or_says_why_not(
    terms: Terms, known: Facts, now: datetime, decision: object
) -> None:
    assert decide(terms, known, LIMITS, ZONE, now) == decision


def test_a_nudge_takes_no_place_in_the_days_quota() -> None:
    nudge = Terms(purpose="step", subject="wrA", quota=False)
    full = facts(broadcasts_today=1, broadcasts_this_week=5)
    assert decide(nudge, full, LIMITS, ZONE, TEN) == Send()


ANSWER = Terms(purpose="answer", subject="wmLi", account="wkA")
NOTICE = ANSWER.model_copy(update={"purpose": "notice"})
HEARD = Session(last_customer_at=NOON)


@pytest.mark.parametrize(
    ("terms", "session", "decision"),
    [
        (ANSWER, HEARD, Send()),
        (ANSWER, None, Skip(reason="no_session")),
        (ANSWER, Session(), Skip(reason="no_session")),
        (ANSWER, HEARD.model_copy(update={"state": 1}), Send()),
        (ANSWER, HEARD.model_copy(update={"state": 2}), Skip(reason="person_has_session")),
        (ANSWER, HEARD.model_copy(update={"state": 3}), Skip(reason="person_has_session")),
        (ANSWER, HEARD.model_copy(update={"state": 4}), Skip(reason="session_ended")),
        (ANSWER, HEARD.model_copy(update={"sent": 3}), Send()),
        (ANSWER, HEARD.model_copy(update={"sent": 4}), Skip(reason="five_messages_used")),
        (NOTICE, HEARD.model_copy(update={"sent": 4}), Send()),
        (NOTICE, HEARD.model_copy(update={"sent": 5}), Skip(reason="five_messages_used")),
        (
            ANSWER,
            Session(last_customer_at=NOON - timedelta(hours=48)),
            Skip(reason="reply_window_closed"),
        ),
        (ANSWER, Session(last_customer_at=NOON - timedelta(hours=47, minutes=59)), Send()),
    ],
)
def test_an_answer_leaves_while_wecom_lets_it(
    terms: Terms, session: Session | None, decision: object
) -> None:
    assert decide(terms, Facts(session=session), Limits(), ZONE, NOON) == decision


@pytest.mark.parametrize("purpose", ["staff", "control"])
def test_words_to_staff_and_control_ask_nothing_but_their_own_window(purpose: str) -> None:
    terms = Terms.model_validate({"purpose": purpose})
    assert decide(terms, Facts(), LIMITS, ZONE, local("23:00")) == Send()
    over = terms.model_copy(update={"closes_at": local("22:00")})
    assert decide(over, Facts(), LIMITS, ZONE, local("23:00")) == Skip(reason="window_missed")


@pytest.mark.parametrize(
    ("opens", "closes", "spans"),
    [
        ("09:30", "10:30", [("09:30", "10:30")]),
        ("09:30", "18:00", [("09:30", "11:45"), ("14:30", "18:00")]),
        ("09:30", "12:00", [("09:30", "11:45")]),
        ("12:00", "14:00", []),
        ("12:00", "15:00", [("14:30", "15:00")]),
        ("08:00", "09:00", [("08:30", "09:00")]),
        ("18:00", "20:00", [("18:00", "19:30")]),
        ("11:45", "14:30", []),
    ],
)
def test_quiet_hours_are_cut_out_of_a_window(
    opens: str, closes: str, spans: list[tuple[str, str]]
) -> None:
    found = open_spans(local(opens), local(closes), QUIET, ZONE)
    assert found == [(local(begins), local(ends)) for begins, ends in spans]


def test_a_window_over_night_is_cut_by_the_night() -> None:
    found = open_spans(local("18:00"), local("10:00", "2026-10-13"), QUIET, ZONE)
    assert found == [
        (local("18:00"), local("19:30")),
        (local("08:30", "2026-10-13"), local("10:00", "2026-10-13")),
    ]


def test_without_quiet_hours_a_window_is_one_span() -> None:
    assert open_spans(local("09:30"), local("18:00"), (), ZONE) == [
        (local("09:30"), local("18:00"))
    ]


_TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
_WINDOWS = st.lists(st.tuples(_TIMES, _TIMES).filter(lambda w: w[0] != w[1]), max_size=3)


@given(quiet=_WINDOWS, opens=_TIMES, minutes=st.integers(1, 1439))
def test_each_minute_of_a_window_is_open_or_quiet(
    quiet: list[tuple[time, time]], opens: time, minutes: int
) -> None:
    begins = datetime.combine(date(2026, 10, 12), opens, tzinfo=ZONE)
    ends = begins + timedelta(minutes=minutes)
    spans = open_spans(begins, ends, tuple(quiet), ZONE)
    for number in range(minutes):
        moment = begins + timedelta(minutes=number)
        is_open = any(first <= moment < last for first, last in spans)
        assert is_open != in_quiet(moment.time(), tuple(quiet))
