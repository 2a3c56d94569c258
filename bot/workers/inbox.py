"""Notices become events: each source is pulled by one hand, page by page, with its cursor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bot.errors import ChannelError, Retryable
from bot.log import logger
from bot.ports import Channel, Clock
from bot.storage.db import Database
from bot.storage.inbox import ClaimedNotice
from bot.storage.work import MAX_ATTEMPTS, POISON_ATTEMPTS, backoff

log = logger(__name__)


class InboxWorker:
    """Reads what callbacks announce."""

    watches = ("notices",)

    def __init__(self, database: Database, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock

    async def step(self) -> int:
        """Read one batch of notices; return how many there were."""
        async with self._database.begin() as tx:
            claimed = await tx.inbox.claim_notices(self._clock.now())
        for group in self._by_source(claimed):
            try:
                await self._read(group)
            except ChannelError as error:
                await self._put_off(group, error)
            except Exception as error:
                log.exception("notice_failed", notice=group[-1].id)
                await self._put_off(group, Retryable(type(error).__name__), POISON_ATTEMPTS)
        return len(claimed)

    def _by_source(self, claimed: list[ClaimedNotice]) -> list[list[ClaimedNotice]]:
        """Put doorbells of one source together: one pull reads the news of them all."""
        groups: dict[str, list[ClaimedNotice]] = {}
        for item in claimed:
            channel = self._channels[item.notice.channel]
            source = channel.cursor_of(item.notice)
            groups.setdefault(source or f"notice:{item.id}", []).append(item)
        return list(groups.values())

    async def _read(self, group: list[ClaimedNotice]) -> None:
        newest = group[-1]
        channel = self._channels[newest.notice.channel]
        source = channel.cursor_of(newest.notice)
        more = True
        while more:
            async with self._database.read() as tx:
                cursor = await tx.inbox.cursor(source) if source else ""
            received = await channel.receive(newest.notice, cursor)
            more = received.more
            async with self._database.begin() as tx:
                await tx.inbox.add_events(received.arrivals, self._clock.now())
                if source and received.cursor and received.cursor != cursor:
                    await tx.inbox.move_cursor(source, cursor, received.cursor)
                if not more:
                    for item in group:
                        await tx.inbox.finish_notice(item)

    async def _put_off(
        self, group: list[ClaimedNotice], error: ChannelError, tries: int = MAX_ATTEMPTS
    ) -> None:
        now = self._clock.now()
        async with self._database.begin() as tx:
            for item in group:
                pause = backoff(item.attempt)
                if isinstance(error, Retryable):
                    pause = max(pause, timedelta(seconds=error.after))
                again = now + pause if item.attempt < tries else None
                log.warning("notice_put_off", notice=item.id, reason=str(error), dead=again is None)
                await tx.inbox.retry_notice(item, again, str(error))
