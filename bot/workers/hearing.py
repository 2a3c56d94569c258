"""Stores what was read of 微信客服, and lets count at once what cannot wait for its turn.

Who has the word is known the moment the news is stored: what the bot has not sent yet is taken
back in the same transaction. Work on the events, one after the other, never moves that mirror.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.answering.red_flags import red_flag
from bot.answering.wishes import wants_person
from bot.domain.events import (
    Arrival,
    Event,
    MessageRecalled,
    MessageReceived,
    RejectionSwitched,
    SendFailed,
    SessionChanged,
    SessionEntered,
    StaffSpoke,
)
from bot.domain.sessions import heard, silences
from bot.domain.waiting import answer_keys, due_moments, kf_lane
from bot.storage.db import Tx
from bot.storage.unsent import Left
from bot.workers.content import Content

_OF_A_SESSION = (
    MessageReceived,
    MessageRecalled,
    RejectionSwitched,
    SendFailed,
    SessionChanged,
    SessionEntered,
    StaffSpoke,
)
_OWN = frozenset({"kf_reply", "kf_event_reply", "kf_handover", "kf_release"})


def cannot_wait(message: MessageReceived) -> bool:
    """Tell whether a message skips the wait for the rest: danger, a complaint, a person wanted.

    By its words alone: this is asked while news is stored, when no message has a vector yet, and
    a model would hold up that transaction. What only its meaning tells waits for the rest like
    any question (1.2 seconds as shipped), of minutes that a person has for it.
    """
    return red_flag(message.text) is not None or wants_person(message.text)


class Hearing:
    """Puts arrivals into the inbox together with all that follows from them at once."""

    def __init__(self, content: Content) -> None:
        self._content = content

    async def store(self, tx: Tx, arrivals: Sequence[Arrival], now: datetime) -> None:
        """Store arrivals; those that are stored already change nothing.

        A page may hold a thousand messages: what is read and written is so for all at once.
        """
        new = await tx.inbox.add_events(arrivals, now)
        news = [one for one in arrivals if one.key in new and isinstance(one.event, _OF_A_SESSION)]
        if not news:
            return
        await self._mirror(tx, news)
        fresh: dict[tuple[str, str], list[Event]] = {}
        for arrival in news:
            event = arrival.event
            if not arrival.past and isinstance(event, _OF_A_SESSION):
                fresh.setdefault((event.customer, event.account), []).append(event)
        lanes = list(dict.fromkeys(kf_lane(customer) for customer, _ in fresh))
        unsent = await tx.unsent.in_lanes(lanes)
        for (customer, account), events in fresh.items():
            left = [
                one
                for one in unsent.get(kf_lane(customer), [])
                if one.kind in _OWN and one.terms.account == account
            ]
            if left:
                await self._take_back_for(tx, customer, events, left, now)
        await self._time(tx, lanes, now)

    async def _mirror(self, tx: Tx, news: Sequence[Arrival]) -> None:
        """Move the sessions on, in the order in which WeCom told of them."""
        told = [one.event for one in news if isinstance(one.event, _OF_A_SESSION)]
        known = await tx.conversations.hold_all([(one.customer, one.account) for one in told])
        sessions = dict(known)
        for event in told:
            whose = (str(event.customer), str(event.account))
            sessions[whose] = heard(sessions[whose], event)
        changed = {whose: one for whose, one in sessions.items() if one != known[whose]}
        await tx.conversations.mirror(changed)

    async def _time(self, tx: Tx, lanes: Sequence[str], now: datetime) -> None:
        """Set when each question is complete."""
        patience = self._content.persona.patience
        moments: dict[int, datetime] = {}
        for waiting in (await tx.lanes.all_rows(lanes)).values():
            moments |= due_moments(waiting, patience, cannot_wait, now)
        await tx.lanes.time(moments)

    async def _take_back_for(
        self, tx: Tx, customer: str, events: list[Event], left: list[Left], now: datetime
    ) -> None:
        """Take back what must not be said any more, or not yet."""
        ready = [one for one in left if one.state == "ready"]
        if any(silences(event) for event in events):
            await self._take_back(tx, customer, ready, "person_has_session", now)
            return
        gone = {event.msgid for event in events if isinstance(event, MessageRecalled)}
        answering = [one for one in ready if one.terms.answers]
        recalled = [one for one in answering if gone.issuperset(one.terms.answers)]
        await self._take_back(tx, customer, recalled, "recalled", now)
        if any(isinstance(event, MessageReceived) for event in events):
            rest = [one for one in answering if one not in recalled]
            await self._supersede(tx, customer, rest, now)

    async def _supersede(self, tx: Tx, customer: str, answering: list[Left], now: datetime) -> None:
        """Take back answers of which nothing has left; their questions join the newest one."""
        asked: list[str] = []
        done: list[str] = []
        taken = [left for left in answering if left.terms.asked]
        for newest in dict.fromkeys(left.terms.answers[-1] for left in taken):
            if await tx.unsent.any_left(answer_keys(newest)):
                continue
            parts = [left for left in taken if left.terms.answers[-1] == newest]
            if await self._take_back(tx, customer, parts, "superseded", now):
                asked.append(parts[0].terms.asked)
                done += parts[0].terms.done
        if asked:
            account = taken[0].terms.account
            await self._join(tx, customer, account, "\n".join(asked), tuple(done))

    async def _join(
        self, tx: Tx, customer: str, account: str, asked: str, done: tuple[str, ...]
    ) -> None:
        """Put what is unanswered again in front of the first message that waits."""
        for row in await tx.lanes.rows(kf_lane(customer)):
            message = row.event
            if not isinstance(message, MessageReceived) or message.account != account:
                continue
            if not row.begun:
                both = f"{asked}\n{message.earlier}".strip()
                joined = {"earlier": both, "done": (*done, *message.done)}
                await tx.lanes.rewrite(row.id, message.model_copy(update=joined))
                return

    async def _take_back(
        self, tx: Tx, customer: str, lefts: Sequence[Left], reason: str, now: datetime
    ) -> list[str]:
        if not lefts:
            return []
        keys = await tx.unsent.take_back([left.key for left in lefts], reason, now)
        kind = "answer_superseded" if reason == "superseded" else "reply_taken_back"
        if keys:
            await tx.ledger.add(kind, customer, now, keys=keys, reason=reason)
        return keys
