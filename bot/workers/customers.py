"""Asks WeCom again for customers of whom something changed."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.ids import CustomerId
from bot.errors import ChannelError, Retryable
from bot.log import logger
from bot.ports import Clock, Directory
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.relations import Relations

log = logger(__name__)
_RETRY = timedelta(minutes=1)


class CustomerWorker:
    """Reads single customers whole: name, managers, tags."""

    watches = ("customers",)

    def __init__(
        self, database: Database, directory: Directory, content: Content, clock: Clock
    ) -> None:
        self._database = database
        self._directory = directory
        self._relations = Relations(content)
        self._clock = clock

    async def step(self) -> int:
        """Read a few customers; return how many there were."""
        async with self._database.begin() as tx:
            claimed = await tx.people.claim_customers(self._clock.now())
        for customer, attempt in claimed:
            await self._read(customer, attempt)
        return len(claimed)

    async def _read(self, customer: CustomerId, attempt: int) -> None:
        asked_at = self._clock.now()
        try:
            found = await self._directory.customer(customer)
        except ChannelError as error:
            log.warning("customer_not_read", reason=str(error))
            again = None
            if isinstance(error, Retryable):
                again = asked_at + max(_RETRY, timedelta(seconds=error.after))
            async with self._database.begin() as tx:
                await tx.people.finish_customer(customer, attempt, again)
            return
        async with self._database.begin() as tx:
            since = await tx.polls.last_pass()
            await self._relations.learned(tx, found, asked_at, since, self._clock.now())
            await tx.people.finish_customer(customer, attempt)
