"""What managers do in a simulation: they press send on a task or a card, late, or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot.domain.batches import MOST_IN_A_CALL
from bot.domain.delivery import Terms
from bot.domain.happening import EventKind
from bot.domain.polling import REMINDERS
from bot.domain.runs import RunStep
from bot.domain.steps import SendBy, Step
from bot.domain.way_terms import not_done, waits_for_hand
from bot.sop.simulation.calls import Asked, count_moment, count_tasks
from bot.sop.simulation.chance import Chance
from bot.sop.simulation.player import Player
from bot.sop.simulation.stage import Stage
from bot.sop.simulation.talk import Talk

TASKS = frozenset({"broadcast", "customer_broadcast"})
_MEDIAN, _SPREAD = timedelta(minutes=25), 0.9  # of the time until a manager presses
_CALLS = {"moment": "moment", "kf_touch": "kf", "group_welcome": "welcome", "staff_card": "card"}


@dataclass(frozen=True, slots=True)
class Item:
    """One subject's message in a task or on a card; ``slot`` is the key of its places."""

    player: Player
    terms: Terms
    slot: str
    body: str


@dataclass(frozen=True, slots=True)
class _Task:
    kind: str
    owner: str
    items: Sequence[Item]
    made_at: datetime
    closes_at: datetime

    @property
    def by_task(self) -> bool:
        """Tell whether WeCom has a task for it, which is asked after and taken back."""
        return self.kind in TASKS

    @property
    def by_card(self) -> bool:
        """Tell whether a card in WeCom asks for it, which goes grey once it is pressed."""
        return self.kind in ("staff_card", "group_welcome")


class Hands:
    """The managers of the audience."""

    def __init__(self, stage: Stage, chance: Chance, talk: Talk) -> None:
        self._stage = stage
        self._chance = chance
        self._talk = talk
        self._asked: list[Asked] = []
        self._lapsed: set[tuple[int, int]] = set()  # a run and its step that are asked for anew

    def count_up(self) -> None:
        """Count the calls that tasks cost after their making; once everything has happened."""
        count_tasks(self._asked, self._stage.diary, self._stage.zone)

    def receive(self, kind: str, items: Sequence[Item], now: datetime) -> None:
        """Give a manager a task or a card, which wait for a press; 微信客服 speaks by itself."""
        for begin in range(0, len(items), MOST_IN_A_CALL):
            self._one(kind, items[begin : begin + MOST_IN_A_CALL], now)

    def _one(self, kind: str, items: Sequence[Item], now: datetime) -> None:
        diary, local, terms = self._stage.diary, now.astimezone(self._stage.zone), items[0].terms
        owner = _owner(items[0])
        task = _Task(kind, owner, items, now, terms.closes_at or now)
        said = terms.parts if kind == "kf_touch" else 1
        diary.call("send" if task.by_task else _CALLS.get(kind, kind), local, said)
        if kind == "group_welcome":
            diary.call("card", local)  # it asks the owner to attach the welcome
        if not waits_for_hand(SendBy(terms.way)):
            self._pressed(task, now)
            return
        for item in items:
            self._set(item, "waiting")
            run = item.player.run
            about: dict[str, object] = {"step": item.terms.step, "owner": owner, "run": run.id}
            made = "task_created" if task.by_task else "card_sent"
            if (item.player.run.id, item.terms.run_step or 0) in self._lapsed:
                about["anew"] = True
            diary.note(now, made, run.subject, **about)
            if not task.by_task:
                self._stage.wake(item.player, now)  # it has to know when this step closes
        diary.task(owner, local)
        self._await(task)

    def _await(self, task: _Task) -> None:
        """Draw when the manager presses; whoever does not is asked again, then given up."""
        first, run = task.items[0].terms, task.items[0].player.run
        alone = "" if task.by_task else run.subject
        case, local = self._stage.case, task.made_at.astimezone(self._stage.zone)
        presses = not case.is_idle((local.date() - run.anchor).days + 1)
        about = (task.owner, first.step, first.iteration, f"{local:%Y%m%d}", alone)
        after = press_after(self._chance, case.manners.confirm, *about) if presses else None
        pressed_at = task.closes_at if after is None else task.made_at + after
        in_time = pressed_at < task.closes_at
        self._keep(task, pressed_at if in_time else None)
        if in_time:
            self._stage.at(pressed_at, partial(self._pressed, task))
        elif not task.by_card:
            self._stage.at(task.closes_at, partial(self._not_pressed, task))

    def _keep(self, task: _Task, pressed_at: datetime | None) -> None:
        """Remember a task until its calls are counted."""
        diary, zone, first = self._stage.diary, self._stage.zone, task.items[0]
        if task.kind == "moment":
            count_moment(task.made_at, task.closes_at, pressed_at, diary, zone)
        elif task.by_task:
            part = self._stage.played.parts.get(first.terms.step)
            said = part.unconfirmed if isinstance(part, Step) else None
            most = REMINDERS if said is None else said.reminders
            span = task.made_at, task.closes_at
            self._asked.append(Asked(task.owner, *span, len(task.items), most, pressed_at))

    def _pressed(self, task: _Task, now: datetime) -> None:
        if task.by_card:
            self._stage.diary.call("card_update", now.astimezone(self._stage.zone))
        for item in task.items:
            player, terms = item.player, item.terms
            row = player.steps.get(terms.run_step or 0)
            if row is None or row.state not in ("waiting", "queued"):
                continue  # the run has ended meanwhile
            player.delivered_at[row.id] = now
            self._set(item, "confirmed")
            about = {"step": terms.step, "by": task.owner, "run": player.run.id}
            self._stage.diary.note(now, "step_confirmed", player.run.subject, **about)
            if self._stage.played.flows or not player.steps:
                self._stage.wake(player, now)  # else it sleeps until its next step
            if terms.way == SendBy.TASK_FOR_MANAGER:  # no customer reads it: a colleague did it
                self._talk.happens(player, EventKind.TASK_DONE, 1, now)
            else:
                self._talk.delivered(player, row, now)

    def _not_pressed(self, task: _Task, now: datetime) -> None:
        """Use what is left of the step's window for another task, or skip the step."""
        for item in task.items:
            player, terms = item.player, item.terms
            row = player.steps.get(terms.run_step or 0)
            if row is None or row.state != "waiting":
                continue
            player.release(item.slot)
            again = self._later(row, now) if task.by_task else None
            if again is not None:
                self._lapse(item, row, task.owner, again, now)
            else:
                reason = not_done(SendBy(terms.way))
                self._set(item, "skipped", reason=reason)
                about = {"step": terms.step, "reason": reason, "run": player.run.id}
                self._stage.diary.note(now, "step_skipped", player.run.subject, **about)
            self._stage.wake(player, now)

    def _lapse(self, item: Item, row: RunStep, owner: str, again: datetime, now: datetime) -> None:
        """Take a task back whose hours are over, to make it anew in the step's next ones."""
        run = item.player.run
        self._lapsed.add((run.id, row.id))
        self._set(item, "planned", opens_at=again)
        about = {"step": row.step, "owner": owner, "run": run.id, "again_at": again.isoformat()}
        self._stage.diary.note(now, "task_lapsed", run.subject, **about)

    def _later(self, row: RunStep, now: datetime) -> datetime | None:
        begins = self._stage.hours.begins(row.opens_at, row.closes_at)
        return next((each for each in begins if each >= now), None)

    def _set(self, item: Item, state: str, **values: object) -> None:
        row = item.player.steps[item.terms.run_step or 0]
        item.player.put(row.model_copy(update={"state": state, **values}))


def _owner(item: Item) -> str:
    """Return whose hand a message waits for."""
    body = json.loads(item.body)
    return str(body.get("owner") or body.get("manager") or body.get("to") or item.player.run.owner)


def press_after(chance: Chance, likely: float, *about: object) -> timedelta | None:
    """Return how long somebody takes to press; None for whoever never does."""
    if not chance.happens(likely, "press", *about):
        return None
    return chance.delay(_MEDIAN, _SPREAD, "pace", *about)
