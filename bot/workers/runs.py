"""Moves runs on: what is due is judged, worded and put into the outbox, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.domain.ids import CustomerId, RmId
from bot.domain.needs import Needs
from bot.domain.quota import planned_at
from bot.domain.runs import Run, Standing
from bot.errors import DatabaseFailed
from bot.log import logger
from bot.ports import Clock
from bot.sop.advance import Advance, Played, Thinker
from bot.sop.fire import Wordings
from bot.storage.db import Database, Tx
from bot.storage.quota import QuotaRow
from bot.storage.work import POISON_ATTEMPTS, backoff
from bot.workers.content import Content, Snapshot
from bot.workers.effects import Effects, Occasion
from bot.workers.ending import follow_up
from bot.workers.lead_desk import desk_of
from bot.workers.replanning import replan
from bot.workers.run_facts import Figures, by_kf, facts_of

log = logger(__name__)
_AT_ONCE = 600  # about a twentieth of a second's writing: callbacks wait no longer
_MOST_FOLLOW_UPS = 50  # of a batch: each enters a script, which is a plan of its own
_MOST_ACTS = 50  # of a batch: each opens leads and writes cards of its own


class RunWorker:
    """Works on runs whose next step has come, ``at_once`` in a transaction.

    A batch is read in a few statements, thought about purely, and written in a few. A run that
    cannot be thought about is put off alone; one that cannot be written is found by writing the
    batch again one run at a time, and then put off alone, too.
    """

    watches = ("enrolments",)

    def __init__(
        self,
        database: Database,
        content: Content,
        clock: Clock,
        *,
        effects: Effects | None = None,
        at_once: int = _AT_ONCE,
    ) -> None:
        self._database = database
        self._effects = effects or Effects(desk_of(content), content)
        self._content = content
        self._clock = clock
        self._at_once = at_once
        self._played: dict[tuple[str, str], Played] = {}
        self._needs: dict[tuple[str, str], Needs] = {}
        self._figures = Figures()
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
        for version in sorted({(run.script, run.version) for run in runs}):
            await self._learn(tx, version)
        taken = [
            (standing, self._played.get((standing.run.script, standing.run.version)))
            for standing in await self._standings(tx, runs, now)
        ]
        facts = await facts_of(tx, taken, self._content, now, self._needs, self._figures)
        thinker = Thinker(self._words(), facts, now, self._content.tables)
        advances = []
        for standing, played in taken:
            try:
                advances.append(thinker.advance(standing, played))
            except Exception as error:
                await self._put_off(tx, standing.run, error)
        return advances

    async def _standings(self, tx: Tx, runs: Sequence[Run], now: datetime) -> list[Standing]:
        """Return how runs stand: those with a token by it, the others by what is due."""
        with_token, planned, kf = [], [], False
        for run in runs:
            played = self._played.get((run.script, run.version))
            if played is not None and played.flows:
                with_token.append(run)
                kf = kf or by_kf(played.script)
            else:
                planned.append(run)
        standings = await tx.planning.standings(planned, now) if planned else []
        standings += await tx.walking.standings(with_token, now, by_kf=kf)
        return sorted(standings, key=lambda each: each.run.id)

    async def _learn(self, tx: Tx, version: tuple[str, str]) -> None:
        """Have the version at hand that runs are bound to; it never changes."""
        if version not in self._played:
            script = await self._content.script(tx, *version)
            if script is not None:
                self._played[version] = Played.of(script)

    async def _write(self, tx: Tx, advances: Sequence[Advance], now: datetime) -> None:
        written = list(_in_hand(advances))
        changes = [change for each in written for change in each.changes]
        if await tx.planning.change_steps(changes, now) != len(changes):
            raise RuntimeError("a step was changed by somebody who did not hold its run")
        exposures = [one for each in written for one in each.exposures]
        if exposures and not await tx.assignments.expose(exposures, now):
            raise RuntimeError("a unit was exposed to another arm meanwhile")
        await tx.planning.send([letter for each in written for letter in each.letters], now)
        await tx.planning.note([entry for each in written for entry in each.entries], now)
        placed = [(each.run.id, step) for each in written for step in each.places]
        await tx.moving.add_steps(placed, now)
        await self._reserve(tx, written)
        tokens = [(each.run, each.token) for each in written if each.token is not None]
        await tx.walking.put(tokens)
        await tx.planning.sleep([(each.run, each.wake_at) for each in written if not each.end])
        await replan(tx, [each for each in written if each.replan], self._content, now)
        await tx.planning.finish([each.run for each in written if each.end == "done"], now)
        for reason in sorted({each.reason for each in written if each.end == "exited"}):
            left = [each.run.id for each in written if each.reason == reason]
            await tx.runs.end_all(left, "exited", reason, now)
        for each in written:
            await self._carry_out(tx, each, now)

    async def _reserve(self, tx: Tx, written: Sequence[Advance]) -> None:
        """Keep the places that steps take among their subjects' messages, and give others back."""
        released = [key for each in written for key in each.released]
        if released:
            await tx.quota.release_many(released)
        zone = self._content.bank.zone
        rows = [
            QuotaRow(one.subject, kind, one.key, planned_at(one.day, zone), one.priority)
            for each in written
            for one in each.reserved
            for kind in one.kinds
        ]
        if rows:
            await tx.quota.place_many(rows)

    async def _carry_out(self, tx: Tx, each: Advance, now: datetime) -> None:
        """Carry out the 动作 of steps, and what follows the end of a run."""
        run, script = each.run, each.script
        if script is None:
            return
        for act in each.acts:
            step = script.part(act.step)
            actions = getattr(step, "actions", None) or ()
            occasion = Occasion(
                key=f"sop:{run.id}:{act.step}~{act.round}",
                customer=CustomerId(run.subject),
                quote="",
                at=now,
                source="剧本",
                owner=RmId(run.owner),
                chat=run.subject if run.subject_kind == "group" else "",
                script=run.script,
                step=act.step,
                run=run.id,
            )
            await self._effects.carry_out(tx, actions, occasion, now)
        if each.end == "done":
            node = each.token.node if each.token is not None else run.node
            await follow_up(tx, self._content, run, script, node, now)

    async def _put_off(self, tx: Tx, run: Run, error: Exception) -> None:
        """Try a run again later, a few times; then it waits for a person."""
        log.error("run_stumbled", run=run.id, attempt=run.attempt, exc_info=error)
        tried = run.attempt + 1
        until = self._clock.now() + backoff(tried) if tried < POISON_ATTEMPTS else None
        await tx.planning.put_off(run, until, type(error).__name__)

    def _words(self) -> Wordings:
        """Return the words made of the files as they stand; new files are worded anew."""
        if self._read_from is not self._content.snapshot:
            self._wordings = self._new_wordings()
        return self._wordings

    def _new_wordings(self) -> Wordings:
        content = self._content
        self._read_from = content.snapshot
        return Wordings(content.bank, content.product, content.kf_link)


def _in_hand(advances: Sequence[Advance]) -> Iterator[Advance]:
    """Give what is written in this transaction; the rest stays due, and comes first in the next."""
    following = acting = 0
    for each in advances:
        following += each.end == "done" and each.script is not None and bool(each.script.ending)
        acting += len(each.acts)
        if following > _MOST_FOLLOW_UPS or (acting > _MOST_ACTS and each.acts):
            continue
        yield each
