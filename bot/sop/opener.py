"""Opens a step whose time has come, or says why it is put off or not to be; pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from bot.domain import way_terms
from bot.domain.hold import LOOK_AGAIN_WHILE_PAUSED
from bot.domain.misfire import SHORTEST_SPAN, WINDOW_MISSED, Later, span_left
from bot.domain.opening import Span, spread
from bot.domain.placing import Asked
from bot.domain.quota import CAP_REASONS
from bot.domain.runs import Face, RunStep, slot_key
from bot.domain.script_parts import WhenFull
from bot.domain.steps import SendBy, Step
from bot.domain.withdrawal import WITHDRAWN
from bot.sop.alike import Alike, Ready
from bot.sop.batch import Batch
from bot.sop.fire import called, fire, step_key, ways_of
from bot.sop.stencil import FOR_MANY, Stencil
from bot.sop.thought import Advance, Played
from bot.sop.turn import Turn
from bot.storage.letters import Letter, seal

NO_ROOM = "no_room"

WAY_NAMES = {way: way.value for way in SendBy}  # as they are stored

Outcome = Literal["queued", "asleep", "ended", "shift", "newest"]
"""What became of a step: it goes out, waits (``wake_at`` is when it is looked at again), is over,
or needs its run moved: everything later, or on to the newest round."""


class Opener:
    """Opens the due steps of one batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        # The windows of a batch are few: those of one day of one script.
        self._spans: dict[tuple[datetime, datetime, str, str], Span | None] = {}
        self._stencils = batch.wordings.letters(batch.today)
        self._alike = Alike(batch)

    def open(self, thought: Advance, played: Played, row: RunStep, face: Face) -> Outcome:
        """Say what becomes of a planned step now."""
        if self._alike.send(thought, played, row, face):
            return "queued"
        part = played.parts.get(row.step)
        if part is None:
            return self.skip(thought, row, "step_removed")
        batch, run = self._batch, thought.run
        if batch.held(run, row.step, face.owner):
            thought.wake_at = batch.now + LOOK_AGAIN_WHILE_PAUSED
            return "asleep"
        if why := batch.passed_over(run, row.step):
            return self.skip(thought, row, why)
        step = part if isinstance(part, Step) else None
        turn = Turn(batch, thought, run, played, part, step, row, face)
        span = self._span(turn, row.opens_at, turn.until)
        if span is None:
            return self._missed(turn)
        if span[0] > batch.now:
            opens_at = spread(span, batch.share(run, part, face.owner))
            thought.put_off(row, opens_at, row.closes_at, row.reason)
            thought.wake_at = opens_at
            return "asleep"
        if why := turn.refusal():
            return self.skip(thought, row, why)
        return self._send(turn, span)

    def next_window(
        self, thought: Advance, played: Played, row: RunStep, face: Face
    ) -> Later | None:
        """Return the hours of a missed step that come next while its words are true."""
        part = played.parts[row.step]
        step = part if isinstance(part, Step) else None
        turn = Turn(self._batch, thought, thought.run, played, part, step, row, face)
        late = self._batch.late(thought.run, played)
        return late.today_or_next(row, turn.expires_at(), step.on_holiday if step else None)

    def close(self, thought: Advance, played: Played, row: RunStep) -> Outcome:
        """End a step that waited for somebody's own hand; tasks are closed by their cancel."""
        part = played.parts.get(row.step)
        way = SendBy(row.way) if row.way else None if part is None else ways_of(part)[0]
        if way in (SendBy.BROADCAST, SendBy.MOMENTS):
            return "asleep"
        return self.skip(thought, row, way_terms.not_done(way or SendBy.NUDGE_OWNER))

    def _send(self, turn: Turn, span: Span) -> Outcome:
        thought, row, part, batch = turn.thought, turn.row, turn.part, self._batch
        variant, exposure = turn.variant()
        withdrawn = batch.withdrawn
        if withdrawn is not None and withdrawn.covers(turn.played.script.id, part, variant):
            return self.skip(thought, row, WITHDRAWN)
        way, why = self._way(turn)
        if way is None:
            return self._full(turn, why) if why in CAP_REASONS else self.skip(thought, row, why)
        closes_at = turn.closes_at(way)
        if closes_at != row.closes_at:
            span = turn.longer(span, way, closes_at)
        span = turn.within_the_day(span, way)
        if span[1] - batch.now < SHORTEST_SPAN:
            thought.wake_at = batch.midnight
            return "asleep"
        written = self._letter(turn, span, way, variant, closes_at)
        if isinstance(written, str):
            return self.skip(thought, row, written)
        letter, text, stencil = written
        if exposure is not None:
            batch.expose(thought, exposure)
        if (row.way and way != row.way) or turn.is_later():
            batch.reserve(thought, turn.played, part, row.round, batch.today, way)
        elif stencil is not None:
            ready = Ready(stencil, text, closes_at, way, WAY_NAMES[way], part)
            self._alike.keep(turn.run, row, turn.face, ready)
        thought.letters.append(letter)
        iteration = row.iteration + 1
        thought.queue(row, iteration, text, closes_at, WAY_NAMES[way], variant)
        thought.note("step_queued", step=row.step, time=iteration, round=row.round)
        return "queued"

    def _way(self, turn: Turn) -> tuple[SendBy | None, str]:
        """Choose the first of the file's ways that can be used now and has room."""
        batch, first = self._batch, ""
        parts = 1 + len(turn.part.attachments)
        for way in ways_of(turn.part) or (SendBy.BROADCAST,):
            why = way_terms.way_usable(way, turn.face, batch.now, parts) or batch.obstacle(
                turn.run, turn.played, turn.part, turn.row.round, batch.today, way
            )
            if not why:
                return way, ""
            if not first or (why in CAP_REASONS and first not in CAP_REASONS):
                first = why  # what passes by itself is waited for
        return None, first

    def _full(self, turn: Turn, why: str) -> Outcome:
        """Apply 额度用完 to a step for which no way has room today."""
        thought, row, batch = turn.thought, turn.row, self._batch
        step = turn.step
        if step is not None and step.when_full is WhenFull.EXIT:
            thought.leave(why)
            return "ended"
        if step is None or turn.dated or step.when_full is WhenFull.SKIP:
            return self.skip(thought, row, why)
        until = turn.expires_at() or thought.run.expires_at
        asked = Asked(step, batch.today + timedelta(days=1), batch.now, until=until)

        def obstacle(day: date, way: SendBy) -> str:
            return batch.obstacle(turn.run, turn.played, turn.part, row.round, day, way)

        place = batch.placer(turn.run, turn.played).place(asked, obstacle)
        if place.way is None:
            return self.skip(thought, row, why)
        thought.put_off(row, place.opens_at, place.closes_at, NO_ROOM, place.way.value)
        thought.note("step_put_off", step=row.step, reason=why, on=str(place.on))
        batch.reserve(thought, turn.played, turn.part, row.round, place.on, place.way)
        thought.wake_at = place.opens_at
        return "asleep"

    def _missed(self, turn: Turn) -> Outcome:
        """Apply 错过时间窗 to a step whose window is over."""
        thought, row, script = turn.thought, turn.row, turn.played.script
        late = self._batch.late(turn.run, turn.played)
        expires_at = turn.expires_at()
        on_holiday = turn.step.on_holiday if turn.step is not None else None
        judged = late.judge(script.missed_for(turn.part), row, expires_at, on_holiday)
        if judged == "shift" and turn.dated:
            judged = "skip"  # a date does not move
        if judged == "exit":
            thought.leave(WINDOW_MISSED)
            return "ended"
        if judged == "shift":
            return "shift"
        if judged == "newest" and not turn.dated:
            return "newest"
        if isinstance(judged, Later):
            return self.move(thought, row, judged, judged.reason)
        return self.skip(thought, row, WINDOW_MISSED)

    def move(self, thought: Advance, row: RunStep, later: Later, reason: str) -> Outcome:
        """Give a step another window; one that is open already is opened at once after this."""
        thought.put_off(row, later.opens_at, later.closes_at, reason)
        thought.wake_at = max(later.opens_at, self._batch.now)
        return "asleep"

    def _letter(
        self, turn: Turn, span: Span, way: SendBy, variant: str, closes_at: datetime
    ) -> tuple[Letter, str, Stencil | None] | str:
        """Write what a step becomes, with its words; a string is the reason for nothing.

        With the stencil comes what differs from another's letter in the names alone.
        """
        run, row, face = turn.run, turn.row, turn.face
        key = step_key(run.id, row.step, row.iteration + 1, row.round)
        same = (
            *(run.script, run.version, row.step, row.round, row.iteration, variant),
            *(way, face.owner, run.branch, span, closes_at),
        )
        known = self._stencils.get(same)
        if known is None:
            fresh = self._fresh(turn, key, span, way, variant, closes_at)
            if not isinstance(fresh, Stencil):
                return fresh if isinstance(fresh, str) else (*fresh, None)
            known = self._stencils[same] = fresh, turn.wording(variant).text
        stencil, text = known
        return stencil.letter(key, run, row.id, called(face)), text, stencil

    def _fresh(
        self, turn: Turn, key: str, span: Span, way: SendBy, variant: str, closes_at: datetime
    ) -> Stencil | tuple[Letter, str] | str:
        """Write a letter of its own, or what all those have in common that get the same words."""
        script, part, run, face = turn.played.script, turn.part, turn.run, turn.face
        wording, zone = turn.wording(variant), self._batch.zone
        row = turn.row.model_copy(
            update={"variant": variant, "way": WAY_NAMES[way], "closes_at": closes_at}
        )
        own = way not in FOR_MANY or self._batch.wordings.personal(part, variant)
        if own or wording.no_text or not wording.contents:
            fired = fire(script, part, run, row, span, face, wording, zone, way=way)
            if isinstance(fired, str):
                return fired
            return seal(key, fired.message, fired.terms), wording.text
        return Stencil.of(
            script, part, row, span, face, wording, zone, version=run.version, way=way
        )

    def _span(self, turn: Turn, opens_at: datetime, closes_at: datetime) -> Span | None:
        run = turn.run
        key = (opens_at, closes_at, run.script, run.version)
        if key not in self._spans:
            hours = self._batch.hours(run, turn.played)
            span = span_left(hours, opens_at, closes_at, self._batch.now)
            if span is not None and span[0] == opens_at:
                span = (hours.opened(opens_at), span[1])
            self._spans[key] = span
        return self._spans[key]

    def skip(self, thought: Advance, row: RunStep, reason: str) -> Outcome:
        """Write that a step is not to be, and give back its place among the subject's messages."""
        thought.skip(row, reason)
        self._batch.release(thought, slot_key(thought.run.id, row.step, row.round))
        return "ended"
