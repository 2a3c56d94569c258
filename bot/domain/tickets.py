"""A talk of 微信客服 that a person is called to: what is to be done about it, and when; pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from bot.domain.ids import CustomerId, KfAccountId, RmId
from bot.domain.lead import GRAVE, RESPOND_WITHIN, Need
from bot.domain.value import Value

TicketState = Literal["later", "going", "waiting", "talking", "over"]
How = Literal["", "ended", "given_back", "waited", "idle", "settled", "expired", "failed"]
Step = Literal["rest", "brief", "hand_over", "waited", "idle", "invite"]
Speaker = Literal["", "person", "customer"]
WORST = 3  # of the three ratings
_SAID_GOODBYE = frozenset({"ended", "given_back", "idle"})
_RATES_WITHIN = timedelta(hours=48)
_NOT_WON_OVER = frozenset({*GRAVE, Need.LATENT_COMPLAINT, Need.PRIVACY})


class Times(Value):
    """How long a talk may stand still before the bot has the word again.

    ``wait`` runs until a person's first word, ``idle`` after anybody's last one. What was said
    goodbye to is followed by an invitation after ``invite_after``, once in ``invite_again``; None
    invites nobody unasked.
    """

    wait: timedelta = timedelta(minutes=15)
    idle: timedelta = timedelta(minutes=30)
    invite_after: timedelta = timedelta(minutes=3)
    invite_again: timedelta | None = timedelta(days=90)


class Ticket(Value):
    """One hand-over of a talk, from the wish for a person until the bot has the word again.

    ``later`` waits for somebody to be there (``opens_at``) while the bot goes on answering;
    ``going`` is on its way; ``waiting`` is in the pool or with ``taken_by``, who has said nothing
    yet; in ``talking`` a person has spoken.
    """

    id: int
    customer: CustomerId
    account: KfAccountId
    reason: str = ""
    lead: int | None = None
    state: TicketState
    wanted: RmId | Literal[""] = ""
    opened_at: datetime
    opens_at: datetime | None = None
    given_at: datetime | None = None
    taken_by: RmId | Literal[""] = ""
    taken_at: datetime | None = None
    spoke_at: datetime | None = None
    last_at: datetime | None = None
    last_by: Speaker = ""
    briefed_at: datetime | None = None
    given_back_at: datetime | None = None
    how: How = ""
    rating: int | None = None
    offered: str = ""
    offered_at: datetime | None = None

    @property
    def person(self) -> RmId | Literal[""]:
        """Return whose talk it is: who took it, else who is wanted."""
        return self.taken_by or self.wanted


def deadline(ticket: Ticket, times: Times) -> datetime | None:
    """Return when something is to be done about a ticket; None where only others move it."""
    match ticket.state:
        case "later":
            return ticket.opens_at
        case "waiting" if ticket.given_at is not None:
            return ticket.given_at + _patience(ticket, times)
        case "talking" if ticket.last_at is not None:
            return ticket.last_at + times.idle
        case "over" if ticket.given_back_at is not None and wins_over(ticket, times):
            return ticket.given_back_at + times.invite_after
        case _:
            return None


def look(ticket: Ticket, times: Times, now: datetime) -> Step:
    """Say what a ticket asks for at a moment."""
    if ticket.state in ("later", "waiting", "talking") and ticket.briefed_at is None:
        return "brief"
    end = deadline(ticket, times)
    if end is None or now < end:
        return "rest"
    match ticket.state:
        case "later":
            return "hand_over"
        case "talking" if ticket.last_by != "customer":
            return "idle"
        case "over":
            return "invite"
        case _:  # whoever asked last was not answered
            return "waited"


def wins_over(ticket: Ticket, times: Times) -> bool:
    """Tell whether a customer may be asked to stay in touch with the person: a talk that went well.

    Nobody is invited after a complaint, in danger, or where no person said a word.
    """
    went_well = ticket.rating != WORST and ticket.reason not in _NOT_WON_OVER
    had_somebody = ticket.spoke_at is not None and bool(ticket.taken_by)
    fresh = ticket.offered_at is None and ticket.how in _SAID_GOODBYE
    return times.invite_again is not None and had_somebody and went_well and fresh


def may_rate(ticket: Ticket, at: datetime) -> bool:
    """Tell whether a talk has been over for so short a time that its rating still counts."""
    over_at = ticket.given_back_at
    return over_at is not None and ticket.how in _SAID_GOODBYE and at - over_at <= _RATES_WITHIN


def waits_for_nobody(need: str) -> bool:
    """Tell whether a need is given to a person at any hour: danger, a complaint (S19, S20)."""
    return need in GRAVE


def outweighs(before: str, need: str) -> bool:
    """Tell whether what a person was called for before is graver than what is asked for now."""
    order = (Need.RED_FLAG, Need.COMPLAINT, Need.PERSON)
    ranks = [order.index(Need(one)) if one in order else len(order) for one in (before, need)]
    return bool(before) and ranks[0] < ranks[1]


def _patience(ticket: Ticket, times: Times) -> timedelta:
    """Return how long a first word may take; in danger no longer than the lead may wait (S19)."""
    if ticket.reason == Need.RED_FLAG:
        return min(times.wait, RESPOND_WITHIN[Need.RED_FLAG])
    return times.wait
