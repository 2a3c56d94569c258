"""Moves runs on: what is due is judged, worded and put into the outbox, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from bot.domain.ids import GroupChatId
from bot.domain.lead import Need
from bot.domain.runs import Run, Standing
from bot.domain.script import SopScript
from bot.errors import DatabaseFailed
from bot.log import logger
from bot.ports import Clock
from bot.sop.advance import Advance, GroupFacts, Played, Thinker
from bot.sop.fire import Wordings
from bot.storage.db import Database, Tx
from bot.storage.work import POISON_ATTEMPTS, backoff
from bot.workers.content import Content, Snapshot
from bot.workers.groups import enter

log = logger(__name__)
_AT_ONCE = 500  # about a twentieth of a second's writing: callbacks wait no longer
_MOST_FOLLOW_UPS = 50  # of a batch: each enters a script, which is a plan of its own
_WEEK = timedelta(days=7)


class RunWorker:
    """Works on runs whose next step has come, ``at_once`` in a transaction.

    A batch is read in a few statements, thought about purely, and written in a few. A run that
    cannot be thought about is put off alone; one that cannot be written is found by writing the
    batch again one run at a time, and then put off alone, too.
    """

    watches = ("enrolments",)

    def __init__(
        self, database: Database, content: Content, clock: Clock, *, at_once: int = _AT_ONCE
    ) -> None:
        self._database = database
        self._content = content
        self._clock = clock
        self._at_once = at_once
        self._played: dict[tuple[str, str], Played] = {}
        self._read_from: Snapshot | None = None
        self._wordings = self._new_wordings()

    async def step(self) -> int:
        """Move one batch of runs on; return how many there were."""
        in_hand: list[Run] = []
        try:
            return await self._batch(self._at_once, in_hand)
        except DatabaseFailed:
            raise
        except Exception:
            if not in_hand:
                raise
            log.exception("batch_stumbled", runs=len(in_hand))
        for _ in range(len(in_hand)):
            await self._alone()
        return len(in_hand)

    async def _alone(self) -> None:
        """Move one run on by itself; put it off where that cannot be written."""
        in_hand: list[Run] = []
        try:
            await self._batch(1, in_hand)
        except DatabaseFailed:
            raise
        except Exception as error:
            if not in_hand:
                raise
            async with self._database.begin() as tx:
                await self._put_off(tx, in_hand[0], error)

    async def _batch(self, limit: int, in_hand: list[Run]) -> int:
        now = self._clock.now()
        async with self._database.begin() as tx:
            in_hand += await tx.planning.take(now, limit=limit)
            if in_hand:
                await self._write(tx, await self._think(tx, in_hand, now), now)
        return len(in_hand)

    async def _think(self, tx: Tx, runs: Sequence[Run], now: datetime) -> list[Advance]:
        """Read what the runs are judged by, and judge each."""
        for run in runs:
            await self._learn(tx, run)
        taken = [
            (standing, self._played.get((standing.run.script, standing.run.version)))
            for standing in await tx.planning.standings(runs, now)
        ]
        thinker = Thinker(self._words(), await self._facts(tx, taken, now), now)
        advances = []
        for standing, played in taken:
            try:
                advances.append(thinker.advance(standing, played))
            except Exception as error:
                await self._put_off(tx, standing.run, error)
        return advances

    async def _learn(self, tx: Tx, run: Run) -> None:
        """Have the version at hand that a run is bound to; it never changes."""
        version = (run.script, run.version)
        if version not in self._played:
            script = await self._content.script(tx, *version)
            if script is not None:
                self._played[version] = Played.of(script)

    async def _write(self, tx: Tx, advances: Sequence[Advance], now: datetime) -> None:
        following = 0
        written = []
        for each in advances:
            if each.end == "done" and each.script is not None and each.script.ending is not None:
                following += 1
                if following > _MOST_FOLLOW_UPS:
                    continue  # it stays due, and is among the first of the next batch
            written.append(each)
        changes = [change for each in written for change in each.changes]
        if await tx.planning.change_steps(changes, now) != len(changes):
            raise RuntimeError("a step was changed by somebody who did not hold its run")
        await tx.planning.send([letter for each in written for letter in each.letters], now)
        await tx.planning.note([entry for each in written for entry in each.entries], now)
        await tx.planning.sleep([(each.run, each.wake_at) for each in written if not each.end])
        await tx.planning.finish([each.run for each in written if each.end == "done"], now)
        for reason in sorted({each.reason for each in written if each.end == "exited"}):
            left = [each.run.id for each in written if each.reason == reason]
            await tx.runs.end_all(left, "exited", reason, now)
        for each in written:
            if each.end == "done" and each.script is not None:
                await self._follow_up(tx, each.run, each.script, now)

    async def _put_off(self, tx: Tx, run: Run, error: Exception) -> None:
        """Try a run again later, a few times; then it waits for a person."""
        log.error("run_stumbled", run=run.id, attempt=run.attempt, exc_info=error)
        tried = run.attempt + 1
        until = self._clock.now() + backoff(tried) if tried < POISON_ATTEMPTS else None
        await tx.planning.put_off(run, until, type(error).__name__)

    async def _follow_up(self, tx: Tx, run: Run, script: SopScript, now: datetime) -> None:
        ending = script.ending
        group = await tx.people.group(GroupChatId(run.subject)) if ending else None
        if ending is None or group is None:
            return
        tagged = group.model_copy(update={"tags": group.tags | set(ending.group_tags)})
        await tx.people.put_group(tagged, now)
        following = self._content.snapshot.scripts.get(ending.follow_up or "")
        if following is not None:
            await enter(tx, following, tagged, self._content, now)

    async def _facts(
        self, tx: Tx, taken: Sequence[tuple[Standing, Played | None]], now: datetime
    ) -> GroupFacts:
        """Read what 前提 ask for, of the groups only whose steps ask."""
        groups = {each.run.subject for each, played in taken if played and played.asks(each)}
        if not groups:
            return GroupFacts()
        zone = self._content.bank.zone
        local = now.astimezone(zone).date()
        tomorrow = datetime.combine(local + timedelta(days=1), time(0), tzinfo=zone)
        complaint = Need.COMPLAINT.value
        return GroupFacts(
            needs=frozenset(await tx.planning.leads_in(groups)),
            complaints=await tx.planning.leads_since(groups, complaint, now - _WEEK),
            products=await tx.planning.slots_used(groups, "product", tomorrow - _WEEK, tomorrow),
        )

    def _words(self) -> Wordings:
        """Return the words made of the files as they stand; new files are worded anew."""
        if self._read_from is not self._content.snapshot:
            self._wordings = self._new_wordings()
        return self._wordings

    def _new_wordings(self) -> Wordings:
        content = self._content
        self._read_from = content.snapshot
        return Wordings(content.bank, content.product, content.kf_link)
