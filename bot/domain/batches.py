"""Which messages leave in one call: those that differ only in whom they go to."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.delivery import Terms
from bot.domain.ids import digest
from bot.domain.mass_messages import Broadcast, CustomerBroadcast, Moment
from bot.domain.messages import Outbound

# WeCom takes so many groups in a call, and of customers 10,000. But a call's messages are claimed,
# judged by the gate and given their places in one transaction, behind which callbacks wait: it
# holds no more rows than any other. Result pages are the same either way.
MOST_IN_A_CALL = 2000
_OF_ONE = {"subject", "enrolment", "run_step", "iteration"}
# A moment is seen by all friends of its manager: one serves every run that comes to its step.
_OF_ONE_MOMENT = _OF_ONE | {"opens_at", "closes_at", "version"}


def batch_of(message: Outbound, terms: Terms) -> str:
    """Return a name that messages share which may leave in one call; empty for what goes alone.

    Step, words, sender and window are in it, so that whoever sends hears of one thing at once.
    """
    match message:
        case Broadcast(chats=(_,)):
            body = message.model_dump_json(exclude={"chats"})
        case CustomerBroadcast(customers=(_,)):
            body = message.model_dump_json(exclude={"customers"})
        case Moment():
            facts = terms.model_dump_json(exclude=_OF_ONE_MOMENT)
            return digest(message.model_dump_json(), facts)
        case _:
            return ""
    return digest(body, terms.model_dump_json(exclude=_OF_ONE))


def merged(messages: Sequence[Outbound]) -> Outbound:
    """Return the one message that stands for those of a batch."""
    first = messages[0]
    if len(messages) == 1:
        return first
    match first:
        case Broadcast():
            chats = tuple(one.chats[0] for one in messages if isinstance(one, Broadcast))
            return first.model_copy(update={"chats": chats})
        case CustomerBroadcast():
            people = [one.customers[0] for one in messages if isinstance(one, CustomerBroadcast)]
            return first.model_copy(update={"customers": tuple(people)})
        case _:
            return first
