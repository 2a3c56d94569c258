"""A new process takes over at once what a dead one held: on SQLite only one may work at a time."""

from __future__ import annotations

import fcntl
import os
from datetime import datetime
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import ConfigError
from bot.storage.tables import events, notices, outbox


class Ownership:
    """The right to work on an SQLite file; the system takes it back when the process ends."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._handle = -1

    def take(self) -> None:
        """Become the owner; raise ``ConfigError`` where another process is."""
        if self._handle >= 0:
            return
        handle = os.open(f"{self._database}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise ConfigError(
                f"另一个知邻正在用数据库 {self._database}。"
                "请先停掉它；要开几个进程，请把 [database] url 换成 PostgreSQL。"
            ) from error
        self._handle = handle

    def give_up(self) -> None:
        """Let another process become the owner."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


async def release(connection: AsyncConnection, now: datetime) -> int:
    """Make due what was claimed and not finished; return how many rows that were.

    A claim is a lease of a minute or two, and whoever held it is dead. What was put off after a
    failure is tried again a little early, which does no harm.
    """
    held = (
        update(notices).where(notices.c.due_at > now, notices.c.attempt > 0),
        update(events).where(events.c.due_at > now, events.c.state == "running"),
        update(outbox).where(outbox.c.due_at > now, outbox.c.state == "sending"),
    )
    released = 0
    for statement in held:
        released += (await connection.execute(statement.values(due_at=now))).rowcount
    return released
