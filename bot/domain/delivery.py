"""The one gate before anything leaves: send now, hold until later, or skip with a reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from bot.domain.hold import PAUSED
from bot.domain.opening import Hours
from bot.domain.quota import CAP_REASONS
from bot.domain.steps import SendBy
from bot.domain.suitability import PRODUCT_TOO_RISKY
from bot.domain.value import Value
from bot.domain.withdrawal import WITHDRAWN

REPLY_WINDOW = timedelta(hours=48)  # wecom_protocol §4.5
REPLIES_PER_MESSAGE = 5  # wecom_protocol §4.5
KEPT_FOR_HANDOVER = 1  # one of the five stays for the words that announce a person
PERSON_STATES = frozenset({2, 3})  # §4.7: in the pool, with a servicer
SESSION_ENDED = 4
LOOK_AGAIN_WHILE_STOPPED = timedelta(minutes=10)  # whoever lets it go on wakes what waits
# A step that the gate turns away for these is opened anew: on another day, or by its file's rule.
GIVEN_BACK = CAP_REASONS | {"window_missed"}
OLD_ANSWER = timedelta(minutes=10)  # one that waited longer is dropped where a person answered


class Terms(Value):
    """On what terms a message may leave; stored with it in the outbox."""

    purpose: Literal[
        "answer", "notice", "handover", "release", "staff", "step", "control", "welcome"
    ]
    subject: str = ""
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    quota: bool = False  # counts as the group's mass message of the day
    marketing: bool = False
    product: str = ""
    account: str = ""
    subject_kind: Literal["group", "customer"] = "group"
    script: str = ""
    version: str = ""
    step: str = ""
    round: int = 1  # of a repetition
    variant: str = ""  # the arm whose words it has
    way: str = ""  # how the step goes out
    parts: int = 1  # messages that it takes of the five (§4.5)
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
    spoken_since: bool = False  # somebody said a word after it was found that nobody does
    run_alive: bool = True
    script_stopped: bool = False
    paused: bool = False  # by people, or because nobody has allowed it yet
    passed_over: str = ""  # why its step is closed: drained, terminated
    withdrawn: bool = False
    group_alive: bool = True
    friend: bool = True  # the customer is still somebody's
    may_market: bool = True  # to a group with these tags (E6)
    consents: bool = True  # the customer has allowed what sells (S07)
    refuses_marketing: bool = False
    held_out: bool = False  # drawn, perhaps since it began, to get nothing that sells (I6)
    product_stopped: bool = False
    wants_other: bool = False  # the customer takes greetings only (C5)
    condition: bool = True  # 前提.条件, judged now
    product_sold: bool = True
    product_too_risky: bool = False  # for what the script allows (产品风险最高; C09)
    unfit: str = ""  # why the product is not for this customer (S01, S03, S05)
    left_in_peace: bool = False  # after a complaint or a death nobody is offered products (C11)
    full: str = ""  # the cap that leaves no room


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


def decide(terms: Terms, facts: Facts, hours: Hours | None, now: datetime) -> Decision:
    """Say whether a message may leave now; pure, so that every skip can be explained.

    ``hours`` are those of the step's script; None where there are none to keep.
    """
    if terms.closes_at is not None and now >= terms.closes_at:
        return Skip(reason="window_missed")
    if terms.opens_at is not None and now < terms.opens_at:
        return Hold(until=terms.opens_at, reason="not_yet_due")
    if facts.stopped:
        return _wait(terms, now, "stopped")
    if terms.purpose in ("answer", "notice"):
        return _decide_reply(terms, facts, now)
    if terms.purpose == "handover":
        # A colleague who has the session keeps it.
        with_person = facts.session is not None and facts.session.state in PERSON_STATES
        return Skip(reason="person_has_session") if with_person else Send()
    if terms.purpose == "release":
        return _decide_release(facts)
    if terms.purpose == "step":
        return _decide_step(terms, facts, hours, now)
    return Send()


def _decide_release(facts: Facts) -> Decision:
    """Give back only what a person still has, and where nobody has spoken meanwhile."""
    if facts.session is None or facts.session.state not in PERSON_STATES:
        return Skip(reason="nobody_has_session")
    return Skip(reason="spoken_meanwhile") if facts.spoken_since else Send()


def _wait(terms: Terms, now: datetime, reason: str) -> Hold:
    until = now + LOOK_AGAIN_WHILE_STOPPED
    return Hold(until=min(until, terms.closes_at or until), reason=reason)


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
    room = REPLIES_PER_MESSAGE - (0 if terms.purpose == "notice" else KEPT_FOR_HANDOVER)
    if session.sent + terms.parts > room:
        return Skip(reason="five_messages_used")
    return Send()


def _decide_step(terms: Terms, facts: Facts, hours: Hours | None, now: datetime) -> Decision:
    if not facts.run_alive:
        return Skip(reason="run_ended")
    if facts.script_stopped:
        return Skip(reason="script_stopped")
    if facts.paused:
        return _wait(terms, now, PAUSED)
    reason = _refusal(terms, facts)
    if reason:
        return Skip(reason=reason)
    until = now if hours is None or hours.is_open(now) else hours.next_open(now)
    if until is None or (terms.closes_at is not None and until >= terms.closes_at):
        return Skip(reason="quiet_hours")
    if until > now:
        return Hold(until=until, reason="quiet_hours")
    # Asked last: what may not be said at all takes no reply of the five.
    return _decide_reply(terms, facts, now) if terms.way == SendBy.KF else Send()


def _refusal(terms: Terms, facts: Facts) -> str:
    """Return the first reason for which a step may not go out at all; empty where none holds."""
    product = bool(terms.product)
    refusals = (
        (bool(facts.passed_over), facts.passed_over),
        (facts.withdrawn, WITHDRAWN),
        (not facts.group_alive, "group_dismissed"),
        (not facts.friend, "not_friend"),
        (terms.marketing and not facts.may_market, "group_not_marketable"),
        (terms.marketing and facts.refuses_marketing, "marketing_refused"),
        (terms.marketing and not facts.consents, "no_consent"),
        (terms.marketing and facts.held_out, "held_out"),
        (facts.wants_other, "greetings_only"),
        (product and facts.product_stopped, "product_stopped"),
        (product and not facts.product_sold, "product_not_sold"),
        (product and facts.product_too_risky, PRODUCT_TOO_RISKY),
        (product and facts.left_in_peace, "left_in_peace"),
        (product and bool(facts.unfit), facts.unfit),
        (not facts.condition, "precondition"),
        (bool(facts.full), facts.full),
    )
    return next((reason for refused, reason in refusals if refused), "")
