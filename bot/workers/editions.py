"""A new edition of the index is filled while the old one answers."""

from __future__ import annotations

from datetime import timedelta

from bot.errors import BotError
from bot.knowledge.index import KnowledgeIndex
from bot.log import logger
from bot.ports import Clock

log = logger(__name__)
_AGAIN_AFTER = timedelta(seconds=30)
_TELL_EVERY = 160  # passages, some seconds' work of the bundled model


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
