"""A run with a token: it goes from step to step, sends, waits, branches and repeats; pure.

One token a run (sop_semantics B3). At a step it does in this order: 分流, place and send or skip;
once that has ended 动作, 等待, then 分支, 转到, or the next step of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bot.domain.flow import END_OF_RUN, Wait
from bot.domain.hold import LOOK_AGAIN_WHILE_PAUSED, PASSED_OVER, TERMINATED
from bot.domain.misfire import NEWEST, WINDOW_MISSED
from bot.domain.placing import NO_DAY_LEFT, Asked
from bot.domain.runs import FINAL_STEPS, Face, RunStep
from bot.domain.steps import SendBy, Step
from bot.domain.subject import Event
from bot.sop.anchors import no_day
from bot.sop.batch import Batch
from bot.sop.opener import Opener
from bot.sop.stride import Stride
from bot.sop.thought import Act, Advance, Played
from bot.sop.turn import PRECONDITION, repeat_over
from bot.sop.waiting import Heard, heard

MOST_HOPS = 50  # of one pass; the rest is the next one's
LATE_GRACE = timedelta(minutes=10)  # in which an event still arrives that came in time (W2)
SHIFTED = "shifted"
REPEAT_OVER = "repeat_over"


class Walker:
    """Moves the runs of one batch on that have a token."""

    def __init__(self, batch: Batch, opener: Opener) -> None:
        self._batch = batch
        self._opener = opener

    def advance(self, thought: Advance, played: Played, face: Face, row: RunStep | None) -> None:
        """Say what becomes of a run now; ``row`` is the step at which its token is."""
        run, now = thought.run, self._batch.now
        walk = Stride(
            batch=self._batch,
            thought=thought,
            played=played,
            face=face,
            row=row,
            node=run.node or played.script.steps[0].id,
            phase=run.phase or "arrive",
            at=run.node_at or now,
            round=run.round,
            shifted=run.shifted,
            arms=run.arms,
            been=run.been,
        )
        before = walk.token() if run.node else None
        if before is None:
            walk.note_arrival()
        thought.wake_at = now
        for _ in range(MOST_HOPS):
            thought.wake_at = None
            if not self._hop(walk) or thought.end:
                break
        else:
            thought.wake_at = now
        after = walk.token()
        thought.token = after if after != before else None

    def _hop(self, walk: Stride) -> bool:
        """Take one step further; False where the run sleeps from here."""
        step = walk.played.steps.get(walk.node)
        if step is None:
            walk.thought.leave("step_removed")
            return False
        match walk.phase:
            case "send":
                return self._sending(walk, step)
            case "wait" if step.wait is not None:
                return self._waiting(walk, step, step.wait)
            case "wait":
                return self._leave(walk, step)
            case _:
                return self._arrive(walk, step)

    def _arrive(self, walk: Stride, step: Step) -> bool:
        batch, run = self._batch, walk.run
        if batch.held(run, step.id, walk.face.owner):
            walk.thought.wake_at = batch.now + LOOK_AGAIN_WHILE_PAUSED
            return False
        if step.split is not None:
            walk.split(step.split)
        if why := batch.passed_over(run, step.id):
            return self._pass_over(walk, step, why)
        asked = walk.asked(step)
        if step.send_by and step.sends:
            return self._place(walk, step, asked)
        if asked is not None and (step.day or step.days_later or step.relative):
            due = batch.placer(run, walk.played).moment(asked)
            if due > batch.now:
                walk.thought.wake_at = due
                return False
        return self._ended(walk, step, acted=True)

    def _pass_over(self, walk: Stride, step: Step, why: str) -> bool:
        """Go on behind a step that people closed: it neither sends, acts, waits nor repeats."""
        if step.send_by and step.sends:
            batch = self._batch
            place = batch.placer(walk.run, walk.played).nowhere(
                Asked(step, batch.today, batch.now), why
            )
            walk.thought.places.append(walk.new_step(step, place))
        walk.thought.note("step_skipped", step=step.id, reason=why, round=walk.round)
        return self._leave(walk, step, again=False)

    def _place(self, walk: Stride, step: Step, asked: Asked | None) -> bool:
        batch, run, thought = self._batch, walk.run, walk.thought

        def obstacle(day: date, way: SendBy) -> str:
            return batch.obstacle(run, walk.played, step, walk.round, day, way)

        placer = batch.placer(run, walk.played)
        why = no_day(batch, run, step, asked)
        if asked is None or why:
            place = placer.nowhere(Asked(step, batch.today, batch.now), why)
        else:
            place = placer.place(asked, obstacle)
        if place.leave:
            thought.leave(place.skip)
            return False
        if place.skip == NO_DAY_LEFT and asked and asked.until == repeat_over(step, batch.zone):
            place = place._replace(skip=REPEAT_OVER)
        thought.places.append(walk.new_step(step, place))
        if place.way is None:
            thought.note("step_skipped", step=step.id, reason=place.skip, round=walk.round)
            return self._ended(walk, step, acted=True)
        facts = {"step": step.id, "round": walk.round, "on": str(place.on), "way": place.way.value}
        thought.note("step_placed", **facts)
        batch.reserve(thought, walk.played, step, walk.round, place.on, place.way)
        walk.phase, walk.at = "send", batch.now
        thought.wake_at = max(place.opens_at, batch.now)
        return False

    def _sending(self, walk: Stride, step: Step) -> bool:
        row, thought = walk.row, walk.thought
        if row is None or (row.step, row.round) != (walk.node, walk.round):
            walk.phase = "arrive"  # its row was taken away with an older version of the file
            return True
        if row.state in FINAL_STEPS:
            return self._go_on(walk, step, row.reason)
        if row.state == "queued":
            return False
        moment = row.opens_at if row.state == "planned" else row.closes_at
        if moment > self._batch.now:
            thought.wake_at = moment
            return False
        if row.state == "waiting":
            outcome = self._opener.close(thought, walk.played, row)
        else:
            outcome = self._opener.open(thought, walk.played, row, walk.face)
        match outcome:
            case "ended":
                reason = thought.changes[-1].reason if thought.changes else ""
                return not thought.end and self._go_on(walk, step, reason)
            case "shift":
                return self._shift(walk, row)
            case "newest":
                return self._newest(walk, step, row)
            case "queued" | "asleep":
                return False

    def _shift(self, walk: Stride, row: RunStep) -> bool:
        """Put a missed step on the next day that there is, and all that follow as much later."""
        batch, thought = self._batch, walk.thought
        later = self._opener.next_window(thought, walk.played, row, walk.face)
        if later is None:
            self._opener.skip(thought, row, WINDOW_MISSED)
            return self._ended(walk, walk.played.steps[walk.node], acted=True)
        day = later.opens_at.astimezone(batch.zone).date()
        walk.shifted += max(0, (day - row.planned_on).days)
        self._opener.move(thought, row, later, SHIFTED)
        step = walk.played.steps[walk.node]
        way = SendBy(row.way) if row.way else step.send_by[0]
        batch.reserve(thought, walk.played, step, row.round, day, way)
        return False

    def _newest(self, walk: Stride, step: Step, row: RunStep) -> bool:
        """Of a repeated step send only the round that came last; those before are passed over."""
        batch, repeat = self._batch, step.repeat
        late = (batch.today - row.planned_on).days // repeat.every_days if repeat else 0
        rounds = min(late, (repeat.times if repeat else 1) - walk.round)
        if repeat is None or rounds <= 0:
            later = self._opener.next_window(walk.thought, walk.played, row, walk.face)
            if later is None:
                self._opener.skip(walk.thought, row, WINDOW_MISSED)
                return self._ended(walk, step, acted=True)
            self._opener.move(walk.thought, row, later, NEWEST)
            return False
        self._opener.skip(walk.thought, row, NEWEST)
        walk.nominal = row.planned_on + timedelta(days=rounds * repeat.every_days)
        walk.round += rounds
        walk.phase, walk.at = "arrive", batch.now
        return True

    def _go_on(self, walk: Stride, step: Step, reason: str) -> bool:
        """Go on from a step whose row has ended for a reason; empty: it went out."""
        if reason in PASSED_OVER:
            return self._leave(walk, step, again=False)
        return self._ended(walk, step, acted=reason != PRECONDITION)

    def _ended(self, walk: Stride, step: Step, *, acted: bool) -> bool:
        """Go on from a step that has sent, was skipped, or sends nothing."""
        if step.actions and acted:
            walk.thought.acts.append(Act(step.id, walk.round))
        if step.wait is None:
            return self._leave(walk, step)
        walk.phase, walk.at = "wait", self._batch.now
        return True

    def _waiting(self, walk: Stride, step: Step, wait: Wait) -> bool:
        if self._batch.passed_over(walk.run, step.id) == TERMINATED:
            walk.thought.note("wait_ended", step=step.id, by=TERMINATED, round=walk.round)
            return self._leave(walk, step, again=False)
        deadline = walk.at + wait.at_most
        found = heard(wait, self._known(walk), walk.at, walk.run.entered_at, deadline)
        if found is None and self._batch.now < deadline + LATE_GRACE:
            walk.thought.wake_at = deadline + LATE_GRACE
            return False
        if found is None:
            found = Heard("timeout", deadline)
            walk.timed_out_at = deadline
        else:
            walk.heard_at = found.at
        walk.thought.note("wait_ended", step=step.id, by=found.kind, round=walk.round)
        return self._leave(walk, step)

    def _known(self, walk: Stride) -> Sequence[Event]:
        known = self._batch.facts.subjects.get(walk.run.subject)
        return () if known is None else known.happened

    def _leave(self, walk: Stride, step: Step, *, again: bool = True) -> bool:
        """Choose where the token goes: the first branch that is true, another round, or on."""
        to = self._branch(walk, step)
        if to is None and again and self._again(walk, step):
            return True
        if to is None:
            fallback = next((each.otherwise for each in step.branches if each.otherwise), None)
            to = fallback or step.goto or walk.played.following.get(step.id, END_OF_RUN)
            if fallback is not None:
                walk.thought.note("branch_taken", step=step.id, to=to, why=[])
        walk.go(to)
        return not walk.thought.end

    def _branch(self, walk: Stride, step: Step) -> str | None:
        """Return where the first true branch leads (B1), and note what made it true."""
        batch, run = self._batch, walk.run
        since = self._since(walk, step)
        seen = batch.seen(run, since, heard_at=walk.heard_at, until=walk.timed_out_at)
        for branch in step.branches:
            if branch.when is None or seen is None:
                continue
            condition = batch.read(branch.when)
            if condition.evaluate(seen) is True:
                why = [list(each) for each in condition.explain(seen)]
                walk.thought.note("branch_taken", step=step.id, to=branch.goto, why=why)
                return branch.goto
        return None

    def _since(self, walk: Stride, step: Step) -> datetime | None:
        """Return from when on an event counts for a branch: as 从 of the wait before it says."""
        wait = step.wait
        if wait is not None and (wait.already == "要新的" or wait.since == "本步后"):
            return walk.at
        return walk.run.entered_at if wait is None or wait.since == "进入后" else None

    def _again(self, walk: Stride, step: Step) -> bool:
        """Begin the next round of a repeated step (B2); False where there is none."""
        repeat = step.repeat
        if repeat is None or walk.round >= repeat.times:
            return False
        placed = [each.planned_on for each in walk.thought.places if each.step == step.id]
        if not placed and walk.row is not None:
            placed = [walk.row.planned_on]
        last = placed[-1] if placed else self._batch.today
        day = last + timedelta(days=repeat.every_days)
        if repeat.until is not None and day > repeat.until:
            return False
        walk.nominal = day
        walk.round += 1
        walk.phase, walk.at = "arrive", self._batch.now
        return True
