"""Compares everybody with WeCom each night, for callbacks can be lost (wecom_protocol §2.4).

The pass goes list by list and page by page, a checkpoint after each call: who stops in the middle
goes on there. Two calls a second at most, after a first handful: it never eats what answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from bot.domain.ids import RmId
from bot.domain.people import Customer
from bot.errors import ChannelError, Retryable
from bot.log import logger
from bot.ports import Clock, Directory
from bot.storage.db import Database, Tx
from bot.storage.polls import CUSTOMERS, HEAD, Poll
from bot.workers.content import Content
from bot.workers.relations import Relations

log = logger(__name__)
_AT_NIGHT = time(2, 30)
_REST = timedelta(minutes=5)  # after 45009: its shortest window is a minute
_RATE_LIMITED = "wecom_45009"
_GAP = timedelta(seconds=0.5)


class PeoplePass:
    """Reads every manager's customers and groups, once a night and at the first start."""

    watches: tuple[str, ...] = ("polls",)

    def __init__(
        self, database: Database, directory: Directory, content: Content, clock: Clock
    ) -> None:
        self._database = database
        self._directory = directory
        self._content = content
        self._relations = Relations(content)
        self._clock = clock

    async def step(self) -> int:
        """Make one call of the pass; return 1 where one was due."""
        async with self._database.begin() as tx:
            poll = await tx.polls.claim(self._clock.now())
        if poll is None:
            return 0
        try:
            await self._read(poll)
        except Retryable as error:
            await self._put_off(poll, error)
        except ChannelError as error:
            await self._refused(poll, str(error))
        return 1

    async def _read(self, poll: Poll) -> None:
        if poll.id == HEAD:
            await self._begin(poll)
        elif poll.id.startswith(CUSTOMERS):
            await self._customers(poll)
        else:
            await self._groups(poll)

    async def _begin(self, head: Poll) -> None:
        managers = await self._directory.managers()
        now = self._clock.now()
        async with self._database.begin() as tx:
            if await tx.polls.start_pass(head, managers, now):
                log.info("people_pass_began", managers=len(managers))
                await self._go_on(tx, head, now)

    async def _customers(self, poll: Poll) -> None:
        asked_at = self._clock.now()
        page, cursor = await self._directory.customers_of(RmId(poll.manager), poll.cursor)
        now = self._clock.now()
        async with self._database.begin() as tx:
            if cursor:
                if not await tx.polls.read_on(poll, cursor, now):
                    return
            elif not await tx.polls.finish(poll, now):
                return
            await self._keep(tx, poll, page, asked_at, now)
            if not cursor:
                await self._ask_for_unseen(tx, poll, now)
                await self._go_on(tx, poll, now)

    async def _keep(
        self,
        tx: Tx,
        poll: Poll,
        page: Sequence[Customer],
        asked_at: datetime,
        now: datetime,
    ) -> None:
        follows = {one.id: (one.follows or ())[0] for one in page}
        # Who was there before the bot looked for the first time was found, not added.
        since = await tx.polls.last_pass() or poll.pass_at
        new = await tx.follows.put_page(RmId(poll.manager), follows, asked_at)
        await tx.people.refresh({one.id: one.name for one in page}, now, asked=True)
        for customer in new:
            await self._relations.found(tx, customer, follows[customer], since, now)

    async def _ask_for_unseen(self, tx: Tx, poll: Poll, now: datetime) -> None:
        """Whom the whole list does not show is asked for singly: lists move while they are read."""
        if poll.pass_at is None:
            return
        unseen = await tx.follows.unseen(RmId(poll.manager), poll.pass_at)
        for number, customer in enumerate(unseen):
            await tx.people.mark_customers([customer], now + number * _GAP)

    async def _groups(self, poll: Poll) -> None:
        async with self._database.read() as tx:
            owners = [RmId(owner) for owner in await tx.polls.owners(poll)]
        chats, cursor = await self._directory.groups_of(owners, poll.cursor)
        now = self._clock.now()
        async with self._database.begin() as tx:
            if cursor:
                if not await tx.polls.read_on(poll, cursor, now):
                    return
            elif not await tx.polls.finish(poll, now):
                return
            for number, chat in enumerate(chats):
                await tx.people.mark_group(chat, now + number * _GAP)
            if not cursor:
                await self._go_on(tx, poll, now)

    async def _go_on(self, tx: Tx, poll: Poll, now: datetime) -> None:
        """Let the next list be read; after the last one look at what no list showed."""
        if await tx.polls.next_list(poll, now):
            return
        complete = await tx.polls.complete()
        if complete and poll.pass_at is not None:
            unlisted = await tx.people.unlisted_groups(poll.pass_at)
            for number, chat in enumerate(unlisted):
                await tx.people.mark_group(chat, now + number * _GAP)
        await tx.polls.end_pass(now, self._next_night(now))
        await tx.ledger.add("people_compared", "", now, complete=complete)
        log.info("people_pass_ended", complete=complete)

    def _next_night(self, now: datetime) -> datetime:
        zone = self._content.bank.zone
        tonight = datetime.combine(now.astimezone(zone).date(), _AT_NIGHT, tzinfo=zone)
        return tonight if tonight > now else tonight + timedelta(days=1)

    async def _put_off(self, poll: Poll, error: Retryable) -> None:
        rest = _REST if error.reason == _RATE_LIMITED else timedelta(seconds=max(error.after, 30))
        log.warning("people_pass_paused", list=poll.id, reason=error.reason)
        async with self._database.begin() as tx:
            await tx.polls.put_off(poll, self._clock.now() + rest, error.reason)

    async def _refused(self, poll: Poll, reason: str) -> None:
        """Leave out a list that WeCom does not give; nobody on it counts as lost."""
        now = self._clock.now()
        log.warning("people_list_refused", list=poll.id, reason=reason)
        async with self._database.begin() as tx:
            if poll.id == HEAD:
                await tx.polls.put_off(poll, self._next_night(now), reason)
            elif await tx.polls.finish(poll, now, reason):
                await self._go_on(tx, poll, now)


async def begin_comparing(database: Database, now: datetime) -> None:
    """Let the first pass begin now; a bot that ran before goes on with its own."""
    async with database.begin() as tx:
        await tx.polls.begin(now)
