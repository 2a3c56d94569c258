"""A 微信客服 session as the news tells it: who has the word, and when it is over."""

from __future__ import annotations

from datetime import datetime

from bot.domain.delivery import PERSON_STATES, REPLIES_PER_MESSAGE, REPLY_WINDOW, Session
from bot.domain.events import (
    Event,
    MessageReceived,
    RejectionSwitched,
    SendFailed,
    SessionChanged,
    StaffSpoke,
)

NEW, BOT, POOL, PERSON, ENDED = range(5)  # wecom_protocol §4.7
_SESSION_OVER = frozenset({4, 5})  # §4.4, fail_type: more than 48 h, session closed
_FIVE_USED = 6


def heard(session: Session, event: Event) -> Session:
    """Return the session after a piece of news, in the order in which WeCom tells it."""
    match event:
        case MessageReceived():
            return _wrote(session, event.sent_at)
        case StaffSpoke():
            return session.model_copy(update={"state": PERSON, "servicer": event.servicer})
        case SessionChanged(change="ended"):
            return session.model_copy(update={"state": ENDED})
        case SessionChanged():
            return session.model_copy(update={"state": PERSON, "servicer": event.servicer or ""})
        case RejectionSwitched():
            return session.model_copy(update={"rejected": event.on})
        case SendFailed(fail_type=kind) if kind in _SESSION_OVER:
            return session.model_copy(update={"state": ENDED})
        case SendFailed(fail_type=kind) if kind == _FIVE_USED:
            return session.model_copy(update={"sent": REPLIES_PER_MESSAGE})
        case _:
            return session


def _wrote(session: Session, at: datetime) -> Session:
    """Open the reply window anew; a session that was over begins again, and is the bot's."""
    last = session.last_customer_at
    over = session.state == ENDED or (last is not None and at - last > REPLY_WINDOW)
    changes = {"last_customer_at": max(at, last) if last else at, "sent": 0}
    return session.model_copy(update=changes | ({"state": NEW, "servicer": ""} if over else {}))


def silences(event: Event) -> bool:
    """Tell whether the bot must fall silent at once: a person has the word."""
    return isinstance(event, StaffSpoke) or (
        isinstance(event, SessionChanged) and event.change != "ended"
    )


def with_person(session: Session, now: datetime) -> bool:
    """Tell whether a person has the session; after 48 hours without a word nobody has."""
    last = session.last_customer_at
    return session.state in PERSON_STATES and (last is None or now - last <= REPLY_WINDOW)
