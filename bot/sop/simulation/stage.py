"""The simulated clock: jumps to whatever comes next, and lets the engine judge what is due."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Protocol

from bot.domain.opening import Hours
from bot.domain.quota import Slot
from bot.domain.runs import NewStep, RunStep, Standing
from bot.domain.subject import SubjectFacts
from bot.sop.advance import Advance, BatchFacts, Played, Thinker
from bot.sop.fire import Wordings
from bot.sop.simulation.case import Case
from bot.sop.simulation.diary import Diary
from bot.sop.simulation.events import asked_events
from bot.sop.simulation.player import Player
from bot.storage.letters import Letter

Act = Callable[[datetime], None]
_WEEK = timedelta(days=7)


class Post(Protocol):
    """Where messages are brought."""

    def deliver(self, letters: Sequence[tuple[Player, Letter]], now: datetime) -> None:
        """Judge messages that are due, in their order."""


class Doer(Protocol):
    """Who carries out a step's 动作."""

    def act(self, player: Player, step: str, now: datetime) -> None:
        """Do what a step asks for besides its words."""


class Stage:
    """Plays runs in memory: the same thinking as the worker's, on a clock of its own (I9, D1)."""

    def __init__(self, case: Case, diary: Diary, played: Played) -> None:
        self.case = case
        self.diary = diary
        self.played = played
        self.zone = case.bank.zone
        self.hours = Hours(case.script.rails, case.tables, case.bank.zone)
        self.players: dict[int, Player] = {}
        self.asked_events = asked_events(case.script, case.bank)
        self.post: Post | None = None
        self.doer: Doer | None = None
        self.on_entry: Callable[[Player], None] | None = None
        self.replan: Callable[[Player, date, datetime], None] | None = None
        self._wordings = Wordings(case.bank, case.product, case.kf_link)
        self._exposed: dict[tuple[str, str], str] = {}
        self._acts: list[tuple[datetime, int, Act]] = []
        self._moments: list[datetime] = []
        self._asleep: dict[datetime, set[int]] = {}
        self._count = 0
        self._rows = 0

    def add(self, player: Player, wake_at: datetime | None) -> None:
        """Take a run in."""
        self.players[player.run.id] = player
        self.wake(player, wake_at)
        if self.on_entry is not None:
            self.on_entry(player)

    def new_row(self, run: int, planned: NewStep) -> RunStep:
        """Make a step's row, as the table would."""
        self._rows += 1
        return RunStep(
            id=self._rows,
            run=run,
            step=planned.step,
            kind=planned.kind,
            planned_on=planned.planned_on,
            opens_at=planned.opens_at,
            closes_at=planned.closes_at,
            state="skipped" if planned.skip else "planned",
            reason=planned.skip,
            round=planned.round,
            way=planned.way,
            variant=planned.variant,
            priority=planned.priority,
        )

    def at(self, moment: datetime, act: Act) -> None:
        """Have something done at a moment, before the runs that are due then."""
        self._count += 1
        heapq.heappush(self._acts, (moment, self._count, act))

    def wake(self, player: Player, moment: datetime | None) -> None:
        """Have a run looked at, at a moment instead of the one set before; None: by others."""
        player.wake_at = moment
        if moment is None:
            return
        if moment not in self._asleep:
            self._asleep[moment] = set()
            heapq.heappush(self._moments, moment)
        self._asleep[moment].add(player.run.id)

    def end(self, player: Player, reason: str, now: datetime) -> None:
        """End a run before its last step; what waited in a list is taken back (X2)."""
        player.leave(reason)
        self.diary.note(now, "exited", player.run.subject, run=player.run.id, reason=reason)
        self.wake(player, None)

    def play(self, until: datetime) -> None:
        """Let everything happen that comes before ``until``."""
        while (now := self._next()) is not None and now < until:
            while self._acts and self._acts[0][0] == now:
                heapq.heappop(self._acts)[2](now)
            while self._moments and self._moments[0] == now:
                heapq.heappop(self._moments)
                numbers = sorted(self._asleep.pop(now))
                awake = [self.players[number] for number in numbers]
                self._move_on([each for each in awake if each.wake_at == now], now)

    def _next(self) -> datetime | None:
        heads = [self._moments[0]] if self._moments else []
        heads += [self._acts[0][0]] if self._acts else []
        return min(heads, default=None)

    def _move_on(self, players: Sequence[Player], now: datetime) -> None:
        if not players:
            return
        standings = [
            (player, standing)
            for player in players
            if not self._sleeps_on(player, standing := player.standing(now), now)
        ]
        facts = self._facts(standings, now)
        thinker = Thinker(self._wordings, facts, now, self.case.tables)
        letters: list[tuple[Player, Letter]] = []
        for player, standing in standings:
            thought = thinker.advance(standing, self.played)
            self._take(player, thought, now)
            letters += [(player, letter) for letter in thought.letters]
        if self.post is not None:
            self.post.deliver(letters, now)

    def _sleeps_on(self, player: Player, standing: Standing, now: datetime) -> bool:
        """Let a planned run sleep on that was only told of a step's end; the rest needs thought."""
        run = player.run
        over = run.expires_at is not None and now >= run.expires_at
        if self.played.flows or standing.due or not standing.unfinished or over:
            return False
        self.wake(player, standing.later)
        return True

    def _facts(self, standings: Sequence[tuple[Player, Standing]], now: datetime) -> BatchFacts:
        """Gather what the steps of a batch are judged by, of those only who ask."""
        local = now.astimezone(self.zone).date()
        tomorrow = datetime.combine(local + timedelta(days=1), time(0), tzinfo=self.zone)
        needs, complaints, products = {}, {}, {}
        subjects: dict[str, SubjectFacts] = {}
        slots: dict[str, Sequence[Slot]] = {}
        last_seen: dict[str, datetime | None] = {}
        for player, standing in standings:
            subject = player.run.subject
            if self.played.asks(standing):
                needs[subject] = player.needs
                complaints[subject] = player.complaints_since(now - _WEEK)
                products[subject] = player.used("product", tomorrow - _WEEK, tomorrow)
            if self.played.asks_facts(standing):
                subjects[subject] = player.subject()
            if self.played.asks_slots(standing):
                slots[subject] = player.slots
                last_seen[subject] = player.subject().last_seen
        return BatchFacts(
            needs=needs,
            complaints=complaints,
            products=products,
            subjects=subjects,
            assignments=self._exposed,
            slots=slots,
            last_seen=last_seen,
            tenant=self.case.tenant,
        )

    def _take(self, player: Player, thought: Advance, now: datetime) -> None:
        """Write down what was thought of a run."""
        self._write_steps(player, thought)
        for exposure in thought.exposures:
            self._exposed.setdefault((exposure.experiment, exposure.unit), exposure.arm)
        self._hold_places(player, thought)
        for kind, subject, facts in thought.entries:
            self.diary.note(now, kind, subject, **facts)
        if thought.token is not None:
            player.stand(thought.token)
        if thought.end == "exited":
            player.leave(thought.reason)
        elif thought.end:
            player.run = player.run.model_copy(update={"state": thought.end})
        self.wake(player, None if thought.end else thought.wake_at)
        if thought.replan is not None and self.replan is not None:
            self.replan(player, thought.replan, now)
        for act in thought.acts:
            if self.doer is not None:
                self.doer.act(player, act.step, now)

    def _write_steps(self, player: Player, thought: Advance) -> None:
        for change in thought.changes:
            values = change._asdict()
            del values["id"], values["was"]
            player.put(player.steps[change.id].model_copy(update=values))
        for planned in thought.places:
            player.put(self.new_row(player.run.id, planned))

    def _hold_places(self, player: Player, thought: Advance) -> None:
        for key in thought.released:
            player.release(key)
        for held in thought.reserved:
            player.release(held.key)
            player.hold(held, self.zone)
