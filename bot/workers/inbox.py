"""Notices become events: each source is pulled by one hand, page by page, with its cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.domain.events import Arrival, Received
from bot.errors import ChannelError, DatabaseFailed, Retryable
from bot.log import logger
from bot.ports import Channel, Clock
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedNotice
from bot.storage.work import MAX_ATTEMPTS, POISON_ATTEMPTS, backoff
from bot.workers.loop import Manner, side_by_side
from bot.workers.patience import surely

log = logger(__name__)
_AT_ONCE = 100
_LEASE = timedelta(seconds=60)  # of one page; it is renewed with each
# A doorbell is rung for all that follows, so its lane tries again soon, and for a day and more.
_LANE_CAP_S = 60.0
_LANE_ATTEMPTS = 2000
OWN_LOOK = "look:"  # so begins the key of a look of our own, which no doorbell told of
_MOST_EMPTY_PAGES = 20  # pages with nothing in them and more to come, on which a cursor may stay


Store = Callable[[Tx, Sequence[Arrival], datetime], Awaitable[None]]


async def store_as_it_is(tx: Tx, arrivals: Sequence[Arrival], now: datetime) -> None:
    """Put arrivals into the inbox; what must follow from them at once is another's business."""
    await tx.inbox.add_events(arrivals, now)


class InboxWorker:
    """Reads what callbacks announce.

    A notice either is the news itself, or a doorbell: then its source is pulled up to the end,
    which answers every doorbell of that lane that was there before the last page was asked for.
    """

    watches = ("notices",)
    hands = 4

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        store: Store = store_as_it_is,
        manner: Manner = side_by_side,
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._store = store
        self._manner = manner

    async def step(self) -> int:
        """Read one batch of notices; return how many there were."""
        async with self._database.begin() as tx:
            claimed = await tx.inbox.claim_notices(self._clock.now(), limit=_AT_ONCE, lease=_LEASE)
        news: list[ClaimedNotice] = []
        sources: dict[str, list[ClaimedNotice]] = {}
        for item in claimed:
            channel = self._channels.get(item.notice.channel)
            source = channel.cursor_of(item.notice) if channel is not None else None
            if source is None:
                news.append(item)
            else:
                sources.setdefault(source, []).append(item)
        works = [self._pull_safely(source, group) for source, group in sources.items()]
        if news:
            works.insert(0, self._take_safely(news))
        await self._manner(works)
        return len(claimed)

    async def _pull_safely(self, source: str, group: list[ClaimedNotice]) -> None:
        try:
            await self._pull(source, group)
        except DatabaseFailed as error:
            log.warning("source_left", source=source, reason=error.reason)
            await surely(partial(self._give_back, group))
        except ChannelError as error:
            await self._put_off(group, error)
        except Exception as error:
            log.exception("notice_failed", notice=group[-1].id)
            await self._put_off(group, Retryable(type(error).__name__), POISON_ATTEMPTS)

    async def _pull(self, source: str, group: list[ClaimedNotice]) -> None:
        """Pull a source page by page; the cursor is stored together with what it leads past."""
        newest = group[-1].notice
        channel = self._channels[newest.channel]
        stuck = 0
        while stuck < _MOST_EMPTY_PAGES:
            async with self._database.read() as tx:
                cursor = await tx.inbox.cursor(source)
                waiting = await tx.inbox.waiting(newest.lane) if newest.lane else []
            # The newest doorbell's token lives longest.
            received = await channel.receive(waiting[-1][1] if waiting else newest, cursor)
            answered = [number for number, _ in waiting]
            if not await self._keep_page(source, cursor, group, answered, received):
                log.warning("source_left_to_another", source=source)
                return
            if not received.more:
                return
            moved = received.arrivals or received.cursor not in (None, "", cursor)
            stuck = 0 if moved else stuck + 1
        raise Retryable("source_stands_still")

    async def _keep_page(
        self,
        source: str,
        cursor: str,
        group: list[ClaimedNotice],
        answered: list[int],
        received: Received,
    ) -> bool:
        """Store a page; False, and nothing of it is, where another has the source by now."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            for item in group:
                held = (
                    await tx.inbox.keep_notice(item, now + _LEASE)
                    if received.more
                    else await tx.inbox.finish_notice(item)
                )
                if not held:
                    return False
            await self._store(tx, received.arrivals, now)
            if received.cursor and received.cursor != cursor:
                await tx.inbox.move_cursor(source, cursor, received.cursor)
            if answered and not received.more:
                await tx.inbox.finish_waiting(answered)
        return True

    async def _take_safely(self, news: list[ClaimedNotice]) -> None:
        try:
            await self._take(news)
        except DatabaseFailed as error:
            log.warning("notices_left", reason=error.reason)
            await surely(partial(self._give_back, news))

    async def _give_back(self, group: Sequence[ClaimedNotice]) -> None:
        """Let notices be claimed again at once, not only when their lease has run out."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            for item in group:
                await tx.inbox.retry_notice(item, now, "database_failed")

    async def _take(self, news: list[ClaimedNotice]) -> None:
        """Store the events of notices that are the news themselves: one commit for them all."""
        read: list[tuple[ClaimedNotice, tuple[Arrival, ...]]] = []
        for item in news:
            try:
                channel = self._channels[item.notice.channel]
                read.append((item, (await channel.receive(item.notice, "")).arrivals))
            except ChannelError as error:
                await self._put_off([item], error)
            except Exception as error:
                log.exception("notice_failed", notice=item.id)
                await self._put_off([item], Retryable(type(error).__name__), POISON_ATTEMPTS)
        try:
            await self._keep_news(read)
        except DatabaseFailed:
            raise
        except Exception:
            for one in read:  # one that cannot be stored must not hold up the others
                await self._keep_alone(one)

    async def _keep_news(self, read: list[tuple[ClaimedNotice, tuple[Arrival, ...]]]) -> None:
        async with self._database.begin() as tx:
            for item, arrivals in read:
                if await tx.inbox.finish_notice(item) and arrivals:
                    await self._store(tx, arrivals, self._clock.now())

    async def _keep_alone(self, one: tuple[ClaimedNotice, tuple[Arrival, ...]]) -> None:
        try:
            await self._keep_news([one])
        except DatabaseFailed:
            raise
        except Exception as error:
            log.exception("notice_failed", notice=one[0].id)
            await self._put_off([one[0]], Retryable(type(error).__name__), POISON_ATTEMPTS)

    async def _put_off(
        self, group: list[ClaimedNotice], error: ChannelError, tries: int = 0
    ) -> None:
        now = self._clock.now()
        async with self._database.begin() as tx:
            for item in group:
                if item.notice.key.startswith(OWN_LOOK) and not isinstance(error, Retryable):
                    # An account that was taken from us, say; another look comes in its time.
                    log.warning("source_not_read", source=item.notice.lane, reason=str(error))
                    await tx.inbox.finish_notice(item)
                    continue
                lane = bool(item.notice.lane)
                most = tries or (_LANE_ATTEMPTS if lane else MAX_ATTEMPTS)
                pause = backoff(item.attempt, cap=_LANE_CAP_S if lane else 900.0)
                if isinstance(error, Retryable):
                    pause = max(pause, timedelta(seconds=error.after))
                again = now + pause if item.attempt < most else None
                log.warning("notice_put_off", notice=item.id, reason=str(error), dead=again is None)
                await tx.inbox.retry_notice(item, again, str(error))
