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
    Send,
    Session,
    Skip,
    Terms,
    decide,
)
from bot.domain.opening import Hours
from bot.domain.rails import DayType, GuardRails
from tests.domain.builders import tables
from tests.make import NOON, ZONE, local

QUIET = ((time(11, 45), time(14, 30)), (time(19, 30), time(8, 30)))
TEN = local("10:00")
GOOD = Facts()
HOURS = Hours(GuardRails(quiet=QUIET), tables(), ZONE)


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
        (
            step(),
            facts(paused=True),
            TEN,
            Hold(until=local("10:10"), reason="paused"),
        ),
        (
            step(closes_at=local("10:05")),
            facts(paused=True),
            TEN,
            Hold(until=local("10:05"), reason="paused"),
        ),
        (step(), facts(paused=True, run_alive=False), TEN, Skip(reason="run_ended")),
        (step(), facts(withdrawn=True), TEN, Skip(reason="withdrawn")),
        (step(), facts(friend=False), TEN, Skip(reason="not_friend")),
        (step(), facts(condition=False), TEN, Skip(reason="precondition")),
        (step(), facts(wants_other=True), TEN, Skip(reason="greetings_only")),
        (step(marketing=True), facts(may_market=False), TEN, Skip(reason="group_not_marketable")),
        (step(), facts(may_market=False), TEN, Send()),
        (step(marketing=True), facts(consents=False), TEN, Skip(reason="no_consent")),
        (step(), facts(consents=False), TEN, Send()),
        (step(product="p"), facts(product_stopped=True), TEN, Skip(reason="product_stopped")),
        (step(), facts(product_stopped=True), TEN, Send()),
        (step(product="p"), facts(unfit="over_65"), TEN, Skip(reason="over_65")),
        (
            step(marketing=True),
            facts(refuses_marketing=True),
            TEN,
            Skip(reason="marketing_refused"),
        ),
        (step(), facts(refuses_marketing=True), TEN, Send()),
        (step(product="p"), facts(product_sold=False), TEN, Skip(reason="product_not_sold")),
        (step(), facts(product_sold=False), TEN, Send()),
        (step(), facts(full="weekly_cap"), TEN, Skip(reason="weekly_cap")),
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
    assert decide(terms, known, HOURS, now) == decision


def test_hours_by_the_type_of_day_are_kept() -> None:
    rails = GuardRails(allowed={DayType.WORKDAY: ((time(9), time(11)),), DayType.REST: ()})
    hours = Hours(rails, tables(), ZONE)
    friday = local("10:00", "2026-10-16")
    assert decide(step(), GOOD, hours, friday) == Send()
    monday = local("09:00", "2026-10-19")
    later = decide(step(), GOOD, hours, local("11:00", "2026-10-16"))
    assert later == Hold(until=monday, reason="quiet_hours")


KF = step(way="微信客服", subject_kind="customer", account="wkA")


@pytest.mark.parametrize(
    ("session", "parts", "decision"),
    [
        (Session(last_customer_at=TEN), 1, Send()),
        (None, 1, Skip(reason="no_session")),
        (Session(last_customer_at=TEN, state=3), 1, Skip(reason="person_has_session")),
        (Session(last_customer_at=TEN, sent=3), 1, Send()),
        (Session(last_customer_at=TEN, sent=3), 2, Skip(reason="five_messages_used")),
        (
            Session(last_customer_at=TEN - timedelta(hours=48)),
            1,
            Skip(reason="reply_window_closed"),
        ),
    ],
)
def test_a_step_by_kf_keeps_the_rules_of_a_reply_too(
    session: Session | None, parts: int, decision: object
) -> None:
    terms = KF.model_copy(update={"parts": parts})
    assert decide(terms, facts(session=session), HOURS, TEN) == decision


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
    assert decide(terms, Facts(session=session), None, NOON) == decision


@pytest.mark.parametrize("purpose", ["staff", "control"])
def test_words_to_staff_and_control_ask_nothing_but_their_own_window(purpose: str) -> None:
    terms = Terms.model_validate({"purpose": purpose})
    assert decide(terms, Facts(), HOURS, local("23:00")) == Send()
    over = terms.model_copy(update={"closes_at": local("22:00")})
    assert decide(over, Facts(), HOURS, local("23:00")) == Skip(reason="window_missed")


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
    found = HOURS.spans(local(opens), local(closes))
    assert found == [(local(begins), local(ends)) for begins, ends in spans]


def test_a_window_over_night_is_cut_by_the_night() -> None:
    found = HOURS.spans(local("18:00"), local("10:00", "2026-10-13"))
    assert found == [
        (local("18:00"), local("19:30")),
        (local("08:30", "2026-10-13"), local("10:00", "2026-10-13")),
    ]


def test_without_quiet_hours_a_window_is_one_span() -> None:
    always = Hours(GuardRails(), tables(), ZONE)
    assert always.spans(local("09:30"), local("18:00")) == [(local("09:30"), local("18:00"))]


_TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
_WINDOWS = st.lists(st.tuples(_TIMES, _TIMES).filter(lambda w: w[0] != w[1]), max_size=3)


@given(quiet=_WINDOWS, opens=_TIMES, minutes=st.integers(1, 1439))
def test_each_minute_of_a_window_is_open_or_quiet(
    quiet: list[tuple[time, time]], opens: time, minutes: int
) -> None:
    begins = datetime.combine(date(2026, 10, 12), opens, tzinfo=ZONE)
    ends = begins + timedelta(minutes=minutes)
    spans = Hours(GuardRails(quiet=tuple(quiet)), tables(), ZONE).spans(begins, ends)
    for number in range(minutes):
        moment = begins + timedelta(minutes=number)
        is_open = any(first <= moment < last for first, last in spans)
        assert is_open != in_quiet(moment.time(), tuple(quiet))
