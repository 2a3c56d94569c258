"""Gives each event to whoever works on it, one at a time in each lane."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from bot.domain.delivery import REPLIES_PER_MESSAGE
from bot.domain.events import (
    CardPressed,
    CustomerChanged,
    GroupChanged,
    GroupMessageReceived,
    MessageRecalled,
    MessageReceived,
    SendFailed,
    SessionChanged,
    SessionEntered,
    StaffSpoke,
)
from bot.domain.ids import CustomerId
from bot.domain.people import Customer
from bot.errors import Retryable
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedEvent
from bot.storage.work import MAX_ATTEMPTS, POISON_ATTEMPTS, backoff
from bot.workers.group_talk import GroupTalk
from bot.workers.groups import dismiss
from bot.workers.loop import Manner, side_by_side
from bot.workers.staff import StaffDesk
from bot.workers.talk import Talk

log = logger(__name__)
_AT_ONCE = 20
_MEMBERS_KNOWN_FOR = timedelta(days=30)  # changes are told by events; groups have many members


class EventWorker:
    """Claims events and has them worked on; an error puts off its own lane only."""

    watches = ("events",)

    def __init__(
        self,
        database: Database,
        talk: Talk,
        group_talk: GroupTalk,
        staff: StaffDesk,
        clock: Clock,
        *,
        manner: Manner = side_by_side,
    ) -> None:
        self._database = database
        self._talk = talk
        self._group_talk = group_talk
        self._staff = staff
        self._clock = clock
        self._manner = manner

    async def step(self) -> int:
        """Work on one batch of events; return how many it held."""
        async with self._database.begin() as tx:
            claimed = await tx.inbox.claim_events(self._clock.now(), limit=_AT_ONCE)
        await self._manner(self._work(item) for item in claimed)
        return len(claimed)

    async def _work(self, claimed: ClaimedEvent) -> None:
        try:
            await self._dispatch(claimed)
        except Retryable as error:
            await self._put_off(claimed, error.reason, error.after, MAX_ATTEMPTS)
        except Exception as error:
            log.exception("event_failed", key=claimed.key)
            await self._put_off(claimed, type(error).__name__, 0, POISON_ATTEMPTS)

    async def _dispatch(self, claimed: ClaimedEvent) -> None:
        event = claimed.event
        match event:
            case MessageReceived():
                await self._talk.message(claimed, event)
            case GroupMessageReceived():
                if not event.staff:
                    await self._talk.meet(CustomerId(event.sender), again_after=_MEMBERS_KNOWN_FOR)
                await self._group_talk.message(claimed, event)
            case _:
                now = self._clock.now()
                async with self._database.begin() as tx:
                    if await tx.inbox.finish_event(claimed):
                        await self._record(tx, claimed, now)

    async def _record(  # noqa: C901 - one flat case for each kind of event
        self, tx: Tx, claimed: ClaimedEvent, now: datetime
    ) -> None:
        """Work on what needs no thinking, inside the transaction that ends the event."""
        event = claimed.event
        match event:
            case SessionEntered():
                await self._talk.entered(tx, event, now)
            case SessionChanged():
                await self._talk.session_changed(tx, event, now)
            case StaffSpoke():
                await self._talk.staff_spoke(tx, event, now)
            case SendFailed():
                await self._talk.send_failed(tx, event, now)
            case MessageRecalled():
                parts = range(1, REPLIES_PER_MESSAGE + 1)
                keys = [f"kf:{event.msgid}:answer:{number}" for number in parts]
                keys.append(f"kf:{event.msgid}:handover")
                await tx.outbox.void(keys, "recalled", now)
                await tx.ledger.add("message_recalled", event.customer, now)
            case CardPressed():
                await self._staff.pressed(tx, event, now)
            case CustomerChanged():
                await self._customer_changed(tx, event, now)
            case GroupChanged(change="dismissed"):
                await dismiss(tx, event.chat, now)
            case GroupChanged():
                await tx.people.mark_group(event.chat, now)
            case MessageReceived() | GroupMessageReceived():
                raise AssertionError("worked on above")
            case _:
                assert_never(event)

    async def _customer_changed(self, tx: Tx, event: CustomerChanged, now: datetime) -> None:
        known = await tx.people.customer(event.customer) or Customer(id=event.customer)
        others = tuple(manager for manager in known.managers if manager != event.manager)
        managers = others if event.change == "lost" else (event.manager, *others)
        # Seen long ago: the name and tags are asked for when the customer next writes.
        await tx.people.put_customer(
            known.model_copy(update={"managers": managers}), now - timedelta(days=365)
        )
        await tx.ledger.add(f"customer_{event.change}", event.customer, now, by=event.manager)

    async def _put_off(self, claimed: ClaimedEvent, reason: str, after: float, tries: int) -> None:
        now = self._clock.now()
        pause = max(backoff(claimed.attempt), timedelta(seconds=after))
        again = now + pause if claimed.attempt < tries else None
        log.warning("event_put_off", key=claimed.key, reason=reason, dead=again is None)
        async with self._database.begin() as tx:
            await tx.inbox.retry_event(claimed, again, reason)
