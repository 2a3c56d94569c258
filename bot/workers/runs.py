"""Moves runs on: what is due is judged, worded and put into the outbox, in one transaction."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from bot.domain.delivery import open_spans
from bot.domain.ids import GroupChatId, RmId
from bot.domain.lead import Need
from bot.domain.people import GroupChat
from bot.domain.runs import FINAL_STEPS, Run, RunStep
from bot.domain.script import SopScript
from bot.domain.script_parts import MissedRule
from bot.domain.steps import Overlay, Step
from bot.domain.variables import variables_for
from bot.log import logger
from bot.ports import Clock
from bot.sop.fire import Fired, GuardFacts, fire, guard_holds
from bot.storage.db import Database, Tx
from bot.storage.work import backoff
from bot.workers.content import Content
from bot.workers.gate import limits_of
from bot.workers.groups import enter
from bot.workers.settle import step_key

log = logger(__name__)
_WEEK = timedelta(days=7)
_SHORTEST_SPAN = timedelta(minutes=2)  # a task made later could not be confirmed in time


class RunWorker:
    """Works on runs whose next step has come, a hundred in a transaction."""

    watches = ("enrolments",)

    def __init__(self, database: Database, content: Content, clock: Clock) -> None:
        self._database = database
        self._content = content
        self._clock = clock

    async def step(self) -> int:
        """Move one batch of runs on; return how many there were."""
        async with self._database.begin() as tx:
            runs = await tx.runs.claim(self._clock.now())
            for run in runs:
                await self._move_safely(tx, run)
        return len(runs)

    async def _move_safely(self, tx: Tx, run: Run) -> None:
        """Move one run on; an error of its own leaves the others of the batch alone."""
        try:
            async with tx.connection.begin_nested():
                await self._move(tx, run)
        except Exception:
            log.exception("run_stumbled", run=run.id)
            await tx.runs.rewind(run, self._clock.now() + backoff(run.attempt))

    async def _move(self, tx: Tx, run: Run) -> None:
        now = self._clock.now()
        script = await self._content.script(tx, run.script, run.version)
        group = await tx.people.group(GroupChatId(run.subject))
        if script is None or group is None or group.dismissed:
            reason = "group_dismissed" if script else "script_gone"
            await tx.runs.end(run.id, "exited", reason, now)
            return
        for row in await tx.runs.steps(run.id):
            if row.state == "planned" and row.opens_at <= now:
                await self._fire(tx, script, run, row, group, now)
            elif row.state == "waiting" and row.closes_at <= now:
                await self._close(tx, script, run, row, now)
        await self._rest(tx, script, run, group, now)

    async def _fire(
        self,
        tx: Tx,
        script: SopScript,
        run: Run,
        row: RunStep,
        group: GroupChat,
        now: datetime,
    ) -> None:
        part = script.part(row.step)
        if part is None:
            await self._skip(tx, run, row, "step_removed", now)
            return
        zone = self._content.bank.zone
        spans = open_spans(row.opens_at, row.closes_at, limits_of(script, None).quiet, zone)
        left = [span for span in spans if span[1] - max(now, span[0]) >= _SHORTEST_SPAN]
        if not left:
            await self._missed(tx, script, run, row, now)
            return
        span = left[0]
        if span[0] > now:
            await tx.runs.set_step(row.id, now, opens_at=span[0])
            return
        if isinstance(part, Step) and part.guard is not None:
            facts = await self._guard_facts(tx, run, now)
            if not guard_holds(part.guard, facts, self._content.bank):
                await self._skip(tx, run, row, "precondition", now)
                return
        variables = self._variables(run, part, group, now)
        fired = fire(script, part, run, row, span, group, variables, zone)
        if isinstance(fired, str):
            await self._skip(tx, run, row, fired, now)
            return
        await self._put(tx, run, row, fired, now)

    async def _put(self, tx: Tx, run: Run, row: RunStep, fired: Fired, now: datetime) -> None:
        iteration = fired.terms.iteration
        key = step_key(run.id, row.step, iteration)
        await tx.outbox.put(key, fired.message, fired.terms, now)
        await tx.runs.set_step(
            row.id, now, state="queued", iteration=iteration, text=fired.text, reason=""
        )
        await tx.ledger.add("step_queued", run.subject, now, step=row.step, time=iteration)

    async def _missed(
        self, tx: Tx, script: SopScript, run: Run, row: RunStep, now: datetime
    ) -> None:
        """Apply 错过时间窗 to a step whose window is over."""
        one_day = timedelta(days=1)
        if script.missed.rule is MissedRule.NEXT_DAY and row.iteration == 0 and not row.reason:
            await tx.runs.set_step(
                row.id,
                now,
                opens_at=row.opens_at + one_day,
                closes_at=row.closes_at + one_day,
                reason="moved_a_day",
            )
            return
        await self._skip(tx, run, row, "window_missed", now)

    async def _close(
        self, tx: Tx, script: SopScript, run: Run, row: RunStep, now: datetime
    ) -> None:
        """End a step that waited for its owner's own hand; tasks are closed by their cancel."""
        part = script.part(row.step)
        by_task = isinstance(part, Overlay) or (isinstance(part, Step) and part.broadcast)
        if not by_task:
            await self._skip(tx, run, row, "owner_unconfirmed", now)

    async def _skip(self, tx: Tx, run: Run, row: RunStep, reason: str, now: datetime) -> None:
        await tx.runs.set_step(row.id, now, state="skipped", reason=reason)
        await tx.ledger.add("step_skipped", run.subject, now, step=row.step, reason=reason)

    async def _rest(
        self, tx: Tx, script: SopScript, run: Run, group: GroupChat, now: datetime
    ) -> None:
        """Sleep until the next step opens or closes; end the run once nothing is left."""
        rows = await tx.runs.steps(run.id)
        if all(row.state in FINAL_STEPS for row in rows):
            await tx.runs.end(run.id, "done", "", now)
            await tx.ledger.add("run_done", run.subject, now, script=run.script)
            await self._follow_up(tx, script, group, now)
            return
        moments = [row.opens_at for row in rows if row.state == "planned"]
        moments += [row.closes_at for row in rows if row.state == "waiting" and row.closes_at > now]
        await tx.runs.rewind(run, min(moments, default=None))

    async def _follow_up(self, tx: Tx, script: SopScript, group: GroupChat, now: datetime) -> None:
        ending = script.ending
        if ending is None:
            return
        tagged = group.model_copy(update={"tags": group.tags | set(ending.group_tags)})
        await tx.people.put_group(tagged, now)
        following = self._content.snapshot.scripts.get(ending.follow_up or "")
        if following is not None:
            await enter(tx, following, tagged, self._content, now)

    async def _guard_facts(self, tx: Tx, run: Run, now: datetime) -> GuardFacts:
        zone = self._content.bank.zone
        local = now.astimezone(zone).date()
        tomorrow = datetime.combine(local + timedelta(days=1), time(0), tzinfo=zone)
        needs = [need for need in Need if await tx.leads.any_in_group(run.subject, need.value)]
        return GuardFacts(
            today=local,
            needs_in_group=frozenset(need.value for need in needs),
            complaints_this_week=await tx.leads.opened_in_group_since(
                run.subject, Need.COMPLAINT.value, now - _WEEK
            ),
            products_this_week=await tx.quota.used(
                run.subject, "product", tomorrow - _WEEK, tomorrow
            ),
        )

    def _variables(
        self, run: Run, part: Step | Overlay, group: GroupChat, now: datetime
    ) -> dict[str, str]:
        bank = self._content.bank
        product = part.product if isinstance(part, Step) else None
        return variables_for(
            bank,
            today=now.astimezone(bank.zone).date(),
            manager=RmId(group.owner),
            branch=run.branch or None,
            kf_link=self._content.kf_link,
            product=self._content.product(product) if product else None,
        )
