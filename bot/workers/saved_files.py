"""Notices saved files and people's orders; what passes every check is put in force at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bot.config.parts import SopSettings
from bot.errors import BotError, Problem
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database
from bot.workers.content import Content, Snapshot, inspect, signature
from bot.workers.file_news import tell_owners
from bot.workers.files import (
    RememberedKnowledge,
    Stamps,
    mere_expiry,
    of_a_script,
    of_knowledge,
)
from bot.workers.in_force import stamp
from bot.workers.publish import Sweeper, publish

log = logger(__name__)
_LOOK_EVERY = 1.0  # seconds, at orders that other processes gave
_GLANCE_EVERY = 0.2  # seconds, at the files; a folder that takes long to list is looked at less
_SHARE = 20  # of the time may go into looking: one part in so many
_LONGEST_PAUSE = 10.0


class ContentWorker:
    """Keeps what is in force in step with the files and with what people decided.

    A save counts once the folder stood still between two glances, so that a file half written,
    or written in two goes, is never read.
    """

    watches: tuple[str, ...] = ()

    def __init__(
        self,
        database: Database,
        content: Content,
        index: Callable[[Snapshot], Awaitable[None]],
        clock: Clock,
        settings: SopSettings | None = None,
        files: Snapshot | None = None,
        seen: Stamps | None = None,
    ) -> None:
        self._database = database
        self._content = content
        self._index = index
        self._clock = clock
        self._settings = settings or SopSettings()
        self._files = files or content.snapshot  # as they were read last, in force or not
        self._seen = seen if seen is not None else signature(content.workspace)
        self._settling: Stamps | None = None
        self._told: frozenset[Problem] = frozenset()
        self._to_tell = self._files.left_out  # what was left out already as the bot began
        self._content.problems = self._content.problems or self._to_tell
        self._mark: tuple[object, ...] | None = None
        self._to_index = False
        self._knowledge = RememberedKnowledge()
        self._turn = asyncio.Lock()
        self._sweeper = Sweeper(database, content, clock)
        self._looked_at = -_LOOK_EVERY  # files change in the machine's time, not the clock's

    async def step(self) -> int:
        """Look at everything, at most once a second; return how much was done."""
        if time.monotonic() - self._looked_at < _LOOK_EVERY and not self._to_index:
            return 0
        self._looked_at = time.monotonic()
        return await self.look()

    async def look(self) -> int:
        """Look at files, decisions and sweeps now; return how much was done."""
        async with self._turn:
            if self._to_tell:
                await self._tell(self._to_tell)
            worked = await self._glance() + await self._decided()
        worked += await self._sweeper.sweep()
        return worked + await self._index_what_is_new()

    async def watch(self, stopping: asyncio.Event) -> None:
        """Look at the files several times a second until told to stop."""
        pause = _GLANCE_EVERY
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)
                return
            began = time.monotonic()
            try:
                async with self._turn:
                    began = time.monotonic()
                    read = await self._glance()
            except (BotError, OSError) as error:
                log.warning("files_not_looked_at", reason=str(error))
                read = 0
            took = time.monotonic() - began
            pause = (
                _GLANCE_EVERY if read else min(_LONGEST_PAUSE, max(_GLANCE_EVERY, took * _SHARE))
            )

    async def reload(self) -> bool:
        """Read every file anew; False where any has a problem, whose last good version goes on."""
        async with self._turn:
            self._seen = await self._stamps()
            good = await self._read()
        await self._sweeper.sweep()
        return good

    async def _glance(self) -> int:
        """Read the files where they were saved and have stood still since the last glance."""
        stamps = await self._stamps()
        if stamps == self._seen:
            self._settling = None
            return 0
        if stamps != self._settling:
            self._settling = stamps
            return 0
        await self._read()
        if await self._stamps() == stamps:  # else somebody saved while it was read
            self._seen, self._settling = stamps, None
        return 1

    async def _stamps(self) -> Stamps:
        return await asyncio.to_thread(signature, self._content.workspace)

    async def _read(self) -> bool:
        today = self._clock.now().astimezone(self._content.bank.zone).date()
        workspace, knowledge = self._content.workspace, self._knowledge
        read, problems = await asyncio.to_thread(inspect, workspace, today, knowledge)
        serious = tuple(problem for problem in problems if not mere_expiry(problem))
        if read is not None and all(of_a_script(one) or of_knowledge(one) for one in serious):
            blocked = await self._put_in_force(self._with_last_good(read, serious))
            serious, problems = (*serious, *blocked), (*problems, *blocked)
        if serious:
            await self._tell(serious)
        else:
            self._told = frozenset()
        self._content.problems = problems
        return not serious

    def _with_last_good(self, read: Snapshot, problems: Sequence[Problem]) -> Snapshot:
        """Add, of the files that are broken now, what they said before."""
        broken = {problem.file for problem in problems}
        before = self._files
        knowledge = read.knowledge.with_unreadable(before.knowledge, broken)
        read = replace(read, knowledge=knowledge)
        kept = {
            key: script
            for key, script in before.scripts.items()
            if key not in read.scripts and before.places.get(key) in broken
        }
        if not kept:
            return read
        places = {key: before.places[key] for key in kept}
        return replace(read, scripts={**read.scripts, **kept}, places={**places, **read.places})

    async def _put_in_force(self, files: Snapshot) -> tuple[Problem, ...]:
        """Publish; return why anything of it had to be refused.

        The index comes after it: until then questions are answered from what was indexed before.
        """
        published = await publish(self._database, files, self._clock.now(), self._settings)
        self._files = files
        self._adopt(published.snapshot)  # only now: what is not published must not be worked by
        log.info("files_published", scripts=len(files.scripts), fresh=list(published.fresh))
        return published.problems

    async def _decided(self) -> int:
        """Put in force what people decided since the last look, in whatever process."""
        async with self._database.read() as tx:
            mark = await stamp(tx)
        if mark == self._mark:
            return 0
        first = self._mark is None
        published = await publish(self._database, self._files, self._clock.now(), self._settings)
        self._mark = mark
        if published.snapshot == self._content.snapshot:
            return 0
        problems = self._content.problems
        self._adopt(published.snapshot)
        self._content.problems = problems
        return 0 if first else 1

    def _adopt(self, snapshot: Snapshot) -> None:
        before = self._content.snapshot.documents()
        self._content.adopt(snapshot)
        self._to_index = self._to_index or snapshot.documents() != before

    async def _index_what_is_new(self) -> int:
        """Have found what the files teach now; what cannot be indexed is tried again."""
        if not self._to_index:
            return 0
        snapshot = self._content.snapshot
        await self._index(snapshot)
        self._to_index = self._content.snapshot is not snapshot
        return 1

    async def _tell(self, problems: Sequence[Problem]) -> None:
        """Say what is wrong, once for each set of problems."""
        self._to_tell = ()
        if frozenset(problems) == self._told:
            return
        for problem in problems:
            log.error("file_refused", file=problem.file, line=problem.line, what=problem.what)
        async with self._database.begin() as tx:
            await tell_owners(tx, problems, self._files, self._clock.now())
        self._told = frozenset(problems)

    def report(self) -> dict[str, Any]:
        """Return how the files stand: what is wrong with them, and what waits for people."""
        listed = [
            {"file": p.file, "line": p.line, "key": p.key, "what": p.what, "mend": p.mend}
            for p in self._content.problems
        ]
        return {
            "problems": listed,
            "waiting": dict(self._content.snapshot.waiting),
            "not_approved": sorted(self._content.snapshot.silent),
        }
