"""Gives each event to whoever works on it, one at a time in each lane."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from bot.domain.events import (
    AnswerRated,
    ArchiveUnreadable,
    CardPressed,
    CustomerChanged,
    GroupChanged,
    GroupMessageReceived,
    KfNoted,
    MessageRecalled,
    MessageReceived,
    PrivateMessageReceived,
    RejectionSwitched,
    SendFailed,
    SessionChanged,
    SessionEntered,
    StaffAsked,
    StaffCame,
    StaffSpoke,
    TagsChanged,
)
from bot.domain.ids import CustomerId
from bot.errors import DatabaseFailed, Retryable
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.inbox import EVENT_LEASE, ClaimedEvent
from bot.storage.work import MAX_ATTEMPTS, POISON_ATTEMPTS, backoff
from bot.workers.archive import Rereader
from bot.workers.group_talk import GroupTalk
from bot.workers.loop import Manner, one_by_one, side_by_side
from bot.workers.patience import surely
from bot.workers.people_desk import PeopleDesk
from bot.workers.private_talk import PrivateTalk
from bot.workers.sessions import SessionDesk
from bot.workers.slots import Slots
from bot.workers.staff import StaffDesk
from bot.workers.staff_talk import StaffTalk
from bot.workers.talk import Talk

log = logger(__name__)
_AT_ONCE = 20
_RENEW_AFTER = EVENT_LEASE / 3
_RENEWALS = 15  # about ten minutes: whatever takes longer hangs, and is begun anew
_MEMBERS_KNOWN_FOR = timedelta(days=30)  # changes are told by events; groups have many members


class EventWorker:
    """Claims events and has them worked on; an error puts off its own lane only.

    Up to 20 are in hand at once: a slow model holds up its own customer and nobody else.
    """

    watches = ("events",)

    def __init__(
        self,
        database: Database,
        talk: Talk,
        sessions: SessionDesk,
        group_talk: GroupTalk,
        private_talk: PrivateTalk,
        staff: StaffDesk,
        staff_talk: StaffTalk,
        people: PeopleDesk,
        rereader: Rereader,
        clock: Clock,
        *,
        manner: Manner = side_by_side,
    ) -> None:
        self._database = database
        self._talk = talk
        self._sessions = sessions
        self._group_talk = group_talk
        self._private_talk = private_talk
        self._staff = staff
        self._staff_talk = staff_talk
        self._people = people
        self._rereader = rereader
        self._clock = clock
        self._slots = Slots(_AT_ONCE, in_turn=manner is one_by_one)

    async def step(self) -> int:
        """Set going what there is room for; return how many events that were."""
        await self._slots.wait_for_room()
        async with self._database.begin() as tx:
            claimed = await tx.inbox.claim_events(self._clock.now(), limit=self._slots.room())
        for item in claimed:
            await self._slots.start(self._work(item))
        return len(claimed)

    async def drain(self) -> None:
        """Return once every event in hand is worked to its end."""
        await self._slots.drain()

    async def _work(self, claimed: ClaimedEvent) -> None:
        keeping = asyncio.create_task(self._keep(claimed))
        try:
            await self._dispatch(claimed)
        except Retryable as error:
            await self._put_off(claimed, error.reason, error.after, MAX_ATTEMPTS)
        except DatabaseFailed as error:
            log.warning("event_left", key=claimed.key, reason=error.reason)
            await surely(partial(self._give_back, claimed))
        except Exception as error:
            log.exception("event_failed", key=claimed.key)
            await self._put_off(claimed, type(error).__name__, 0, POISON_ATTEMPTS)
        finally:
            keeping.cancel()

    async def _give_back(self, claimed: ClaimedEvent) -> None:
        """Let an event be claimed again at once, not only when its lease has run out."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            await tx.inbox.retry_event(claimed, now, "database_failed")

    async def _keep(self, claimed: ClaimedEvent) -> None:
        """Renew the lease while an event is worked on, so that nobody begins it beside us."""
        for _ in range(_RENEWALS):
            await self._clock.wait_until(self._clock.now() + _RENEW_AFTER)
            try:
                async with self._database.begin() as tx:
                    if not await tx.inbox.keep_event(claimed, self._clock.now() + EVENT_LEASE):
                        return
            except DatabaseFailed as error:  # there is time for two more tries
                log.warning("event_not_kept", key=claimed.key, reason=error.reason)

    async def _dispatch(self, claimed: ClaimedEvent) -> None:
        event = claimed.event
        match event:
            case MessageReceived():
                await self._talk.message(claimed, event)
            case GroupMessageReceived():
                if not event.staff:
                    await self._talk.meet(CustomerId(event.sender), again_after=_MEMBERS_KNOWN_FOR)
                await self._group_talk.message(claimed, event)
            case PrivateMessageReceived():
                if not event.staff:
                    await self._talk.meet(event.customer, again_after=_MEMBERS_KNOWN_FOR)
                await self._private_talk.message(claimed, event)
            case StaffAsked():
                await self._staff_talk.asked(claimed, event)
            case CardPressed():
                asked = self._staff_talk.is_choice(event)
                await (self._staff_talk if asked else self._staff).pressed(claimed, event)
            case ArchiveUnreadable():
                await self._rereader.again(claimed, event)
            case _:
                now = self._clock.now()
                async with self._database.begin() as tx:
                    if await tx.inbox.finish_event(claimed):
                        await self._record(tx, claimed, now)

    async def _record(self, tx: Tx, claimed: ClaimedEvent, now: datetime) -> None:
        """Work on what needs no thinking, inside the transaction that ends the event."""
        event = claimed.event
        match event:
            case (
                SessionEntered()
                | SessionChanged()
                | StaffSpoke()
                | SendFailed()
                | MessageRecalled()
                | RejectionSwitched()
                | KfNoted()
            ):
                await self._sessions.record(tx, claimed, event, now)
            case StaffCame():
                await self._staff_talk.came(tx, event, now)
            case AnswerRated():
                await self._staff_talk.rated(tx, event, now)
            case CustomerChanged() | GroupChanged() | TagsChanged():
                await self._people.record(tx, event, now)
            case (
                MessageReceived()
                | GroupMessageReceived()
                | PrivateMessageReceived()
                | StaffAsked()
                | CardPressed()
                | ArchiveUnreadable()
            ):
                raise AssertionError("worked on above")
            case _:
                assert_never(event)

    async def _put_off(self, claimed: ClaimedEvent, reason: str, after: float, tries: int) -> None:
        now = self._clock.now()
        pause = max(backoff(claimed.attempt), timedelta(seconds=after))
        again = now + pause if claimed.attempt < tries else None
        log.warning("event_put_off", key=claimed.key, reason=reason, dead=again is None)
        async with self._database.begin() as tx:
            await tx.inbox.retry_event(claimed, again, reason)
