"""What comes round by itself: leads that wait too long, files that were saved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.domain.script import SopScript, to_json
from bot.domain.script_parts import OnEdit, Status
from bot.errors import ContentError
from bot.leads.watch import LeadWatch
from bot.log import logger
from bot.ports import Clock
from bot.sop.enrol import plan_steps
from bot.storage.db import Database, Tx
from bot.workers.content import Content, Snapshot, read_snapshot, signature, version_of

log = logger(__name__)
_LOOK_EVERY = 1.0  # seconds


class LeadWorker:
    """Watches the time that leads wait."""

    watches = ("leads",)

    def __init__(self, database: Database, content: Content, clock: Clock) -> None:
        self._database = database
        self._content = content
        self._clock = clock

    async def step(self) -> int:
        """Look at the leads whose time has come; return how many there were."""
        async with self._database.begin() as tx:
            leads = await tx.leads.claim(self._clock.now())
            watch = LeadWatch(self._content.bank)
            for lead in leads:
                await watch.look(tx, lead, self._clock.now())
        return len(leads)


class ContentWorker:
    """Notices saved files; what passes every check is published, what does not is told."""

    watches: tuple[str, ...] = ()

    def __init__(
        self,
        database: Database,
        content: Content,
        index: Callable[[Snapshot], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._database = database
        self._content = content
        self._index = index
        self._clock = clock
        self._seen = signature(content.workspace)
        self._looked_at = time.monotonic()  # files change in the machine's time, not the clock's

    async def step(self) -> int:
        """Look at the files, at most once a second; return 1 where something changed."""
        if time.monotonic() - self._looked_at < _LOOK_EVERY:
            return 0
        self._looked_at = time.monotonic()
        seen = await asyncio.to_thread(signature, self._content.workspace)
        if seen == self._seen:
            return 0
        await self.reload()
        self._seen = seen  # only now: where the index could not be made, it is tried again
        return 1

    async def reload(self) -> bool:
        """Read every file anew; False, and nothing changes, where any has a problem."""
        today = self._clock.now().astimezone(self._content.bank.zone).date()
        try:
            snapshot = await asyncio.to_thread(read_snapshot, self._content.workspace, today)
        except ContentError as error:
            self._content.problems = error.problems
            for problem in error.problems:
                log.error("file_refused", file=problem.file, line=problem.line, what=problem.what)
            return False
        await self._index(snapshot)
        self._content.adopt(snapshot)
        await publish(self._database, self._content, self._clock.now())
        log.info("files_published", scripts=len(snapshot.scripts))
        return True


async def publish(database: Database, content: Content, now: datetime) -> None:
    """Make the current files the current versions, and move runs on that their file moves on."""
    async with database.begin() as tx:
        for script in content.snapshot.scripts.values():
            version = version_of(script)
            if not await tx.scripts.publish(script.id, version, to_json(script), now):
                continue
            await tx.ledger.add("script_published", script.id, now, version=version)
            if script.status is Status.PUBLISHED:
                await _look_at_groups(tx, now)
            if script.on_edit is OnEdit.UNDUE_STEPS and script.status is Status.PUBLISHED:
                await _move_runs(tx, script, version, content, now)


async def _look_at_groups(tx: Tx, now: datetime) -> None:
    """Have every group read again: a script that is published now may be for it."""
    for group in await tx.people.groups():
        if not group.dismissed:
            await tx.people.mark_group(group.id, now)


async def _move_runs(
    tx: Tx, script: SopScript, version: str, content: Content, now: datetime
) -> None:
    """Plan the steps anew that have not begun; those that have keep their day and words."""
    today = now.astimezone(content.bank.zone).date()
    for run in await tx.runs.of_script(script.id):
        if run.state != "running" or run.version == version:
            continue
        rows = await tx.runs.steps(run.id)
        begun = tuple(row for row in rows if row.state != "planned" or row.iteration > 0)
        await tx.runs.skip_removed(run.id, {part.id for part in script.parts}, now)
        await tx.runs.drop_planned(run.id)
        steps = plan_steps(
            script,
            run.anchor,
            run.branch,
            content.bank,
            content.tables,
            begun=begun,
            weekly_cap=run.weekly_cap,
            not_before=today,
        )
        await tx.runs.add_steps(run.id, steps, now)
        await tx.runs.change(run.id, version=version)
        await tx.runs.set_due(run.id, now)
