"""The one gate before anything leaves: send now, hold until later, or skip with a reason."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.domain.calendar import QuietWindows, next_allowed
from bot.domain.value import Value

REPLY_WINDOW = timedelta(hours=48)  # wecom_protocol §4.5
REPLIES_PER_MESSAGE = 5  # wecom_protocol §4.5
KEPT_FOR_HANDOVER = 1  # one of the five stays for the words that announce a person
PERSON_STATES = frozenset({2, 3})  # §4.7: in the pool, with a servicer
SESSION_ENDED = 4
LOOK_AGAIN_WHILE_STOPPED = timedelta(minutes=10)  # whoever lets it go on wakes what waits
OLD_ANSWER = timedelta(minutes=10)  # one that waited longer is dropped where a person answered


class Terms(Value):
    """On what terms a message may leave; stored with it in the outbox."""

    purpose: Literal["answer", "notice", "handover", "staff", "step", "control", "welcome"]
    subject: str = ""
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    quota: bool = False  # counts as the group's mass message of the day
    marketing: bool = False
    product: str = ""
    account: str = ""
    script: str = ""
    step: str = ""
    enrolment: int | None = None
    run_step: int | None = None
    iteration: int = 1
    urgent: bool = False  # leaves before what can wait, as answers do
    asked: str = ""  # the question; an answer that has one is taken back for a newer message
    answers: tuple[str, ...] = ()  # the messages that are answered
    done: tuple[str, ...] = ()  # what an answer has brought about, so that it is done once
    greets: bool = False  # it says who is speaking


class Session(Value):
    """A customer's 微信客服 session as far as we know it."""

    state: int = 0
    servicer: str = ""
    last_customer_at: datetime | None = None
    sent: int = 0
    rejected: bool = False  # a servicer rejects this customer's messages


class Facts(Value):
    """What is true at the moment of sending."""

    session: Session | None = None
    stopped: bool = False  # by hand, until somebody lets it go on
    taken_by_person: bool = False  # while it waited for that
    run_alive: bool = True
    script_stopped: bool = False
    group_alive: bool = True
    refuses_marketing: bool = False
    approved_until: date | None = None
    product_sold: bool = True
    broadcasts_today: int = 0
    broadcasts_this_week: int = 0
    products_this_week: int = 0


class Limits(Value):
    """The script's guard rails, after the bank's own."""

    quiet: tuple[tuple[time, time], ...] = ()
    broadcasts_a_day: int = 1
    broadcasts_a_week: int = 5
    products_a_week: int = 1


class Send(Value):
    """Send it now."""


class Hold(Value):
    """Not yet: look again at ``until``."""

    until: datetime
    reason: str


class Skip(Value):
    """Not at all; the reason goes into the ledger."""

    reason: str


Decision = Send | Hold | Skip


def decide(terms: Terms, facts: Facts, limits: Limits, zone: ZoneInfo, now: datetime) -> Decision:
    """Say whether a message may leave now; pure, so that every skip can be explained."""
    if terms.closes_at is not None and now >= terms.closes_at:
        return Skip(reason="window_missed")
    if terms.opens_at is not None and now < terms.opens_at:
        return Hold(until=terms.opens_at, reason="not_yet_due")
    if facts.stopped:
        until = now + LOOK_AGAIN_WHILE_STOPPED
        return Hold(until=min(until, terms.closes_at or until), reason="stopped")
    if terms.purpose in ("answer", "notice"):
        return _decide_reply(terms, facts, now)
    if terms.purpose == "handover":
        # A colleague who has the session keeps it.
        with_person = facts.session is not None and facts.session.state in PERSON_STATES
        return Skip(reason="person_has_session") if with_person else Send()
    if terms.purpose == "step":
        return _decide_step(terms, facts, limits, zone, now)
    return Send()


def _decide_reply(terms: Terms, facts: Facts, now: datetime) -> Decision:
    session = facts.session
    if session is None or session.last_customer_at is None:
        return Skip(reason="no_session")
    if session.state in PERSON_STATES:
        return Skip(reason="person_has_session")
    if session.rejected:
        return Skip(reason="customer_rejected")
    if session.state == SESSION_ENDED:
        return Skip(reason="session_ended")
    if facts.taken_by_person:
        return Skip(reason="taken_by_person")
    if now - session.last_customer_at >= REPLY_WINDOW:
        return Skip(reason="reply_window_closed")
    room = REPLIES_PER_MESSAGE - (KEPT_FOR_HANDOVER if terms.purpose == "answer" else 0)
    if session.sent >= room:
        return Skip(reason="five_messages_used")
    return Send()


def _decide_step(
    terms: Terms, facts: Facts, limits: Limits, zone: ZoneInfo, now: datetime
) -> Decision:
    today = now.astimezone(zone).date()
    refusals = (
        (not facts.run_alive, "run_ended"),
        (facts.script_stopped, "script_stopped"),
        (not facts.group_alive, "group_dismissed"),
        (facts.approved_until is None or today > facts.approved_until, "approval_expired"),
        (terms.marketing and facts.refuses_marketing, "marketing_refused"),
        (bool(terms.product) and not facts.product_sold, "product_not_sold"),
        (terms.quota and facts.broadcasts_today >= limits.broadcasts_a_day, "daily_cap"),
        (terms.quota and facts.broadcasts_this_week >= limits.broadcasts_a_week, "weekly_cap"),
        (
            bool(terms.product) and facts.products_this_week >= limits.products_a_week,
            "weekly_product_cap",
        ),
    )
    for refused, reason in refusals:
        if refused:
            return Skip(reason=reason)
    until = next_allowed(now, limits.quiet, zone)
    if until <= now:
        return Send()
    if terms.closes_at is not None and until >= terms.closes_at:
        return Skip(reason="quiet_hours")
    return Hold(until=until, reason="quiet_hours")


def quiet_spans(
    around: datetime, quiet: QuietWindows, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """Return the quiet spans that touch the day of ``around`` or the night before, in order."""
    day = around.astimezone(zone).date()
    spans = []
    for offset in (-1, 0, 1):
        base = day + timedelta(days=offset)
        for begin, end in quiet:
            last = base + timedelta(days=1) if end <= begin else base
            spans.append(
                (
                    datetime.combine(base, begin, tzinfo=zone),
                    datetime.combine(last, end, tzinfo=zone),
                )
            )
    return sorted(spans)


def open_spans(
    opens_at: datetime, closes_at: datetime, quiet: QuietWindows, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """Cut the quiet hours out of a step's window; each span gets a task of its own.

    A task is cancelled when its span ends, because an owner who presses send during quiet hours
    would push then.
    """
    spans = []
    begins = opens_at
    for quiet_from, quiet_to in quiet_spans(opens_at, quiet, zone):
        if quiet_to <= begins or quiet_from >= closes_at:
            continue
        if quiet_from > begins:
            spans.append((begins, quiet_from))
        begins = max(begins, quiet_to)
    if begins < closes_at:
        spans.append((begins, closes_at))
    return spans
