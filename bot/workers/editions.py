"""The index is made while the bot works: the first one, and a new edition beside the old one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.errors import BotError
from bot.knowledge.edition import Progress
from bot.knowledge.index import KnowledgeIndex
from bot.log import logger
from bot.ports import Clock
from bot.workers.content import Content, Snapshot

log = logger(__name__)
_AGAIN_AFTER = timedelta(seconds=30)
_FIRST_WORDS = "您好"
_TELL_EVERY = 160  # passages, some seconds' work of the bundled model


class FirstIndex:
    """The publishing that a process begins with; a long one goes on while the bot works."""

    def __init__(
        self, index: KnowledgeIndex, content: Content, clock: Clock, progress: Progress | None
    ) -> None:
        self.index = index
        self._content = content
        self._clock = clock
        self._progress = progress
        self._hurried = False
        self._task: asyncio.Task[None] | None = None

    async def begin(self, wait_for: float | None, *, load: bool) -> None:
        """Publish; go on without it after so many seconds of the machine's time, if any are named.

        Raise what the models and stores raise within that time. ``load`` loads the models of
        this process first: at a question they would hold up callbacks.
        """
        # An older edition may answer first only where somebody goes on filling the new one.
        self._hurried = wait_for is not None
        if load:
            await asyncio.gather(*(one.query(_FIRST_WORDS) for one in self.index.embedders))
        self._task = asyncio.create_task(self._publish())
        done, _ = await asyncio.wait({self._task}, timeout=wait_for)
        if done:
            self._task.result()
        else:
            log.warning("index_not_ready", waited_s=wait_for)

    async def _publish(self) -> None:
        documents = self._content.snapshot.documents()
        await self.index.publish(documents, self._progress, hurried=self._hurried)

    async def again(self, snapshot: Snapshot) -> None:
        """Make the index of files that were saved since; it waits for what is being made."""
        await self.index.publish(snapshot.documents(), self._progress)

    async def finish(self) -> None:
        """Go on until the newest edition answers, however often its models or stores fail."""
        late = self._task is not None and not self._task.done()
        while self._task is not None:
            try:
                await self._task
                break
            except BotError as error:
                log.warning("index_not_filled", reason=str(error))
                await self._clock.wait_until(self._clock.now() + _AGAIN_AFTER)
                self._task = asyncio.create_task(self._publish())
        if late:
            log.info("index_ready", models=self.index.models)
        await go_over(self.index, self._clock)

    async def close(self) -> None:
        """Give it up; what was embedded is kept."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def go_over(index: KnowledgeIndex, clock: Clock) -> None:
    """Fill the newest edition and go over to it, however often its models or stores fail."""
    while index.behind:
        try:
            await index.catch_up(tell_progress)
            log.info("index_changed_over", models=index.models)
        except BotError as error:
            log.warning("index_not_filled", reason=str(error))
            await clock.wait_until(clock.now() + _AGAIN_AFTER)


def tell_progress(done: int, total: int) -> None:
    """Log now and then how far the vectors are."""
    if done == total or done % _TELL_EVERY == 0:
        log.info("passages_embedded", done=done, total=total)
