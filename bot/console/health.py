"""Whether the bot is alive, and whether it can work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from bot.errors import DatabaseFailed
from bot.ports import Clock
from bot.storage.db import Database


@dataclass(frozen=True)
class Health:
    """What a process can say of itself."""

    database: Database
    clock: Clock
    role: str = "both"
    stopping: asyncio.Event | None = None
    files: Callable[[], Mapping[str, object]] | None = None
    knowledge: Callable[[], Mapping[str, object]] | None = None

    async def report(self) -> tuple[dict[str, object], bool]:
        """Return how the process is, and whether it can be given work.

        ``backlog_seconds`` is how long the oldest piece of work that nobody has in hand is due;
        ``last_sent_at`` is when any process last sent a message that WeCom took; ``files`` is what
        is wrong with the files that people edit, and what of them waits for people; ``knowledge``
        is how the index stands: a process that has none yet works, and says that it cannot look.
        """
        told: dict[str, object] = {"role": self.role, "instance": self.database.instance}
        now = self.clock.now()
        try:
            async with self.database.read() as tx:
                due = await tx.next_due()
                sent_at = await tx.last_sent_at()
        except (DatabaseFailed, OSError) as error:
            return told | {"status": "database unreachable", "reason": str(error)}, False
        told |= {
            "database": self.database.kind,
            "backlog_seconds": max(0.0, (now - due).total_seconds()) if due else 0.0,
            "last_sent_at": sent_at.isoformat() if sent_at else None,
        }
        if self.files is not None:
            told |= {"files": self.files()}
        if self.knowledge is not None:
            told |= {"knowledge": self.knowledge()}
        stopping = self.stopping is not None and self.stopping.is_set()
        return told | {"status": "stopping" if stopping else "ready"}, not stopping


def health_routes(health: Health, base_path: str = "") -> list[web.RouteDef]:
    """Return ``/healthz`` (the process answers) and ``/readyz`` (it can be given work)."""

    async def alive(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(request: web.Request) -> web.Response:
        told, can_work = await health.report()
        return web.json_response(told, status=200 if can_work else 503)

    return [web.get(base_path + "/healthz", alive), web.get(base_path + "/readyz", ready)]
