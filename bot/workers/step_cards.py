"""Presses on the cards of steps: whoever sends, sees to something by hand, or puts it off."""

from __future__ import annotations

from datetime import datetime

from bot.domain.calling_back import DONE_BY_COLLEAGUE
from bot.domain.events import CardPressed
from bot.domain.runs import Run, RunStep, slot_key
from bot.domain.steps import SendBy
from bot.sop.filling import way_of
from bot.sop.fire import step_key
from bot.sop.places import kinds_of
from bot.storage.db import Tx
from bot.storage.quota import QuotaRow
from bot.workers.content import Content
from bot.workers.outcomes import Outcomes

_DONE = ("sent", "done")
_DONE_WORDS, _BY_COLLEAGUE = "已完成", "已由同事办好"
_PASSED_ON, _OVER = "已转给新群主", "这一步已经结束"


class StepCards:
    """Closes a step by the first press that says it was done, whoever has a card of it by now."""

    def __init__(self, content: Content, outcomes: Outcomes) -> None:
        self._content = content
        self._outcomes = outcomes

    async def pressed(
        self, tx: Tx, number: int, verb: str, event: CardPressed, now: datetime
    ) -> str:
        """Carry out a press and return what the card says from now on; empty for nothing new."""
        if verb not in (*_DONE, "skip"):
            return ""
        known = await tx.runs.find_step(number)
        run = await tx.runs.hold(known.run) if known is not None else None
        step = await tx.runs.find_step(number)  # as it stands once nobody else moves the run
        if run is None or step is None:
            return _OVER
        if step.state == "confirmed":
            return await self._again(tx, run, step, verb, event, now)
        if verb in _DONE:
            return await self._done(tx, run, step, verb, event, now)
        if _is_passed_on(step, run, event):
            return _PASSED_ON
        return await self._put_off(tx, run, step, now)

    async def _done(
        self, tx: Tx, run: Run, step: RunStep, verb: str, event: CardPressed, now: datetime
    ) -> str:
        over, passed_on = _is_taken_back(step), _is_passed_on(step, run, event)
        if step.state != "waiting" and not over and not (passed_on and step.state == "queued"):
            return _OVER
        await tx.runs.set_due(run.id, now)
        if over:
            await self._count(tx, run, step, now)
        elif step.state == "queued":
            await self._hold_back(tx, run, step, now)
        else:
            await tx.stops.tell_of_cards(
                await tx.stops.in_hand([step.id]), DONE_BY_COLLEAGUE, now, but=event.by
            )
        await tx.quota.confirm_many([(slot_key(run.id, step.step, step.round), now)])
        await tx.runs.set_step(step.id, now, state="confirmed", reason="")
        facts = {"step": step.step, "run": run.id, "by": event.by}
        await tx.ledger.add("step_confirmed", run.subject, now, **facts)
        if verb == "done":
            await self._outcomes.task_done(tx, run, step, event.by, now)
        return _DONE_WORDS

    async def _hold_back(self, tx: Tx, run: Run, step: RunStep, now: datetime) -> None:
        """Keep the next owner's card from leaving; one on its way is told of when it arrives."""
        key = step_key(run.id, step.step, step.iteration, step.round)
        await tx.unsent.take_back([key], DONE_BY_COLLEAGUE, now)

    async def _again(
        self, tx: Tx, run: Run, step: RunStep, verb: str, event: CardPressed, now: datetime
    ) -> str:
        """Answer a press on a step that is done; who did it once more is written down."""
        since = run.entered_at or step.opens_at
        entries = await tx.ledger.facts_of("step_confirmed", run.subject, since)
        mine = {"step": step.step, "run": run.id}
        by = [one["by"] for one in entries if mine.items() <= one.items()]
        if not by or event.by in by:
            return _DONE_WORDS
        if verb in _DONE:
            facts = {**mine, "by": event.by}
            await tx.ledger.add("step_done_again", run.subject, now, **facts)
        return _BY_COLLEAGUE

    async def _put_off(self, tx: Tx, run: Run, step: RunStep, now: datetime) -> str:
        if step.state != "waiting":
            return _OVER
        reason = "owner_declined"
        await tx.runs.set_due(run.id, now)
        await tx.quota.release_many([slot_key(run.id, step.step, step.round)])
        await tx.runs.set_step(step.id, now, state="skipped", reason=reason)
        await tx.ledger.add("step_skipped", run.subject, now, step=step.step, reason=reason)
        return "今天不发"

    async def _count(self, tx: Tx, run: Run, step: RunStep, now: datetime) -> None:
        """Take the place again that was given back when the step was skipped."""
        script = await self._content.script(tx, run.script, run.version)
        part = script.part(step.step) if script is not None else None
        if script is None or part is None:
            return
        way = SendBy(step.way) if step.way else way_of(part)
        place, priority = slot_key(run.id, step.step, step.round), script.priority_of(part)
        kinds = kinds_of(part, way, run.subject_kind)
        rows = [QuotaRow(run.subject, kind, place, now, priority) for kind in kinds]
        await tx.quota.use_many(rows)


def _is_taken_back(step: RunStep) -> bool:
    """Tell whether a step was taken out of somebody's hands, who may have sent it all the same."""
    return step.state == "skipped" or _is_anew(step)


def _is_anew(step: RunStep) -> bool:
    """Tell whether a step is about to be given to a group's new owner."""
    was_given = step.state == "planned" and step.iteration > 0
    return was_given and step.reason == "owner_changed"


def _is_passed_on(step: RunStep, run: Run, event: CardPressed) -> bool:
    """Tell whether a card is of an earlier owner's: its task names the try that it was made for."""
    given = event.task.rpartition("-")[2]
    of_earlier_try = given.isdigit() and int(given) < step.iteration
    return (of_earlier_try or _is_anew(step)) and event.by != run.owner
