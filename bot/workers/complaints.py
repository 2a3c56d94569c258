"""Errors that come again and again are told once a minute: a full disk must not fill the log."""

from __future__ import annotations

import random
import time

from bot.errors import DatabaseFailed
from bot.log import logger

log = logger(__name__)
_TELL_EVERY_S = 60.0
_PAUSE_S = 1.0
_SHORT_PAUSE_S = 0.05  # after a conflict with another process, which is over by then


class Complaints:
    """Who fails, since when, and how often since it was last told."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def note(self, who: str, error: Exception) -> None:
        """Tell of an error, unless the same one was told within the last minute."""
        what = error.reason if isinstance(error, DatabaseFailed) else type(error).__name__
        now = time.monotonic()
        told_at, times = self._told.get((who, what), (now - _TELL_EVERY_S, 0))
        if now - told_at < _TELL_EVERY_S:
            self._told[who, what] = (told_at, times + 1)
            return
        self._told[who, what] = (now, 0)
        if isinstance(error, DatabaseFailed):
            log.error("database_failed", who=who, reason=what, times=times + 1)
        else:
            log.error("worker_failed", who=who, times=times + 1, exc_info=error)

    def settled(self, who: str) -> None:
        """Tell that somebody works again who had failed."""
        failures = [key for key in self._told if key[0] == who]
        for key in failures:
            del self._told[key]
        if failures:
            log.info("worker_recovered", who=who)


def pause_after(error: Exception) -> float:
    """Return the seconds after which a failed step is worth another try."""
    if isinstance(error, DatabaseFailed) and error.reason == "conflict":
        return _SHORT_PAUSE_S * (1 + random.random())  # noqa: S311 - only to get out of step
    return _PAUSE_S
