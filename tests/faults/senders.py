"""The senders alone: ``python -m tests.faults.senders WORKSPACE``, one short life a line.

Everything is imported once; for each line of JSON a child is forked that sends what is in the
database until somebody kills it, so that a hundred deaths take minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from bot.bench.ground import content_of
from bot.channels.app import AppChannel
from bot.channels.contact import ContactChannel
from bot.channels.kf import KfChannel
from bot.channels.made import MadeTasks
from bot.channels.tags import TagIds
from bot.clock import FakeClock
from bot.log import set_up_logs
from bot.storage.db import Database
from bot.storage.tokens import DatabaseTokens
from bot.wecom.app import AppApi
from bot.wecom.client import WeComClient
from bot.wecom.contact import ContactApi
from bot.wecom.kf import KfApi
from bot.workers.content import Content, read_snapshot
from bot.workers.loop import run_for_ever
from bot.workers.outbox import OutboxWorker
from bot.workers.reconcile import DoubtWorker
from bot.workspace import Workspace

AGENT, SECRET, REPEATED = 1000002, "app-secret", 40058


@dataclass(frozen=True)
class Life:
    """Where a child works, and what time it is there."""

    database: str
    wecom: str
    corp: str
    now: str


async def live(life: Life, content: Content) -> None:
    """Send and clear up doubts until the end, which comes from outside."""
    clock = FakeClock(datetime.fromisoformat(life.now), running=True)
    database = await Database.open(life.database)
    await database.take_over(clock.now())
    client = WeComClient(life.wecom, life.corp, SECRET, DatabaseTokens(database, clock), clock)
    contact = ContactApi(client)
    no_media = cast("Any", None)
    channels: dict[str, Any] = {
        "kf": KfChannel(KfApi(client), clock, REPEATED),
        "app": AppChannel(AppApi(client, AGENT)),
        "contact": ContactChannel(contact, no_media, TagIds(contact)),
    }
    workers = [
        OutboxWorker(database, channels, content, clock),
        DoubtWorker(database, MadeTasks(contact), content, clock),
    ]
    sys.stdout.write(f"up {os.getpid()}\n")
    sys.stdout.flush()
    await run_for_ever(workers, database, clock, asyncio.Event())


def main() -> None:
    """Fork a child for each line; the dead are not waited for."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    workspace = Workspace(Path(sys.argv[1]))
    first = sys.stdin.readline()
    set_up_logs("WARNING")
    now = datetime.fromisoformat(Life(**json.loads(first)).now)
    content = content_of(workspace, read_snapshot(workspace, now.date()), now)
    line = first
    while line:
        if os.fork() == 0:
            try:
                asyncio.run(live(Life(**json.loads(line)), content))
            finally:
                os._exit(1)
        line = sys.stdin.readline()


if __name__ == "__main__":
    main()
