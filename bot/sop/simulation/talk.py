"""What customers do in a simulation: they answer, ask, come, refuse, complain; each at a rate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.domain.actions import (
    Action,
    HandOver,
    OpenLead,
    PauseMarketing,
    PlainAction,
    PutTag,
    SlowDown,
)
from bot.domain.happening import Concerned, EventKind, Happened, Part, reason_of, stops_run
from bot.domain.lead import Need
from bot.domain.runs import RunStep
from bot.domain.steps import Listen, Step
from bot.domain.subject import Event
from bot.sop.simulation.case import ASKED
from bot.sop.simulation.chance import Chance
from bot.sop.simulation.events import events_of
from bot.sop.simulation.player import Player
from bot.sop.simulation.stage import Stage

_SOON, _LATER, _SPREAD = timedelta(minutes=40), timedelta(hours=20), 1.0
_AT_ONCE = frozenset({"客户回复", "点击链接", "客户拒收", "投诉", "活动报名", "删好友"})


class Talk:
    """The customers of the audience."""

    def __init__(self, stage: Stage, chance: Chance) -> None:
        self._stage = stage
        self._chance = chance
        kinds = events_of(stage.case.script, stage.case.bank)
        self._kinds = [kind for kind in kinds if kind != EventKind.TASK_DONE]  # a press tells it
        stage.doer = self

    def act(self, player: Player, step: str, now: datetime) -> None:
        """Carry out a step's own 动作."""
        part = self._stage.played.parts.get(step)
        if isinstance(part, Step) and part.actions is not None:
            self._stage.diary.note(now, "acted", player.run.subject, step=step)
            self.carry_out(player, part.actions, 1, now)

    def delivered(self, player: Player, row: RunStep, now: datetime) -> None:
        """Let the readers of a message react to it."""
        part = self._stage.played.parts.get(row.step)
        about = (player.run.subject, row.step, row.round)
        for kind in self._kinds:
            times = self._times(player, kind, kind, *about)
            if times:
                after = _SOON if kind in _AT_ONCE else _LATER
                self._later(player, kind, times, now, after, *about)
        for listen in part.listens if isinstance(part, Step) else ():
            if listen.keywords is None:
                continue  # being defrauded is too rare to be drawn
            times = self._times(player, ASKED, "asks", listen.keywords[0], *about)
            if times:
                after = self._chance.delay(_SOON, _SPREAD, "asks", listen.keywords[0], *about)
                self._stage.at(now + after, _Said(self, player, listen, times))

    def _times(self, player: Player, rate: str, *about: object) -> int:
        share = self._stage.case.manners.rate(rate)
        return self._chance.count(player.size * share, *about) if share else 0

    def _later(
        self,
        player: Player,
        kind: str,
        times: int,
        now: datetime,
        median: timedelta,
        *about: object,
    ) -> None:
        if kind == EventKind.REPLIED and not self._matters(kind):
            self._stage.diary.heard[kind] += times  # they are counted, and change nothing
            return
        after = self._chance.delay(median, _SPREAD, "when", kind, *about)
        self._stage.at(now + after, lambda at: self.happens(player, kind, times, at))

    def _matters(self, kind: str) -> bool:
        return kind in self._stage.asked_events

    def happens(self, player: Player, kind: str, times: int, now: datetime) -> None:
        """Let an event happen: it is kept for those who wait, and stops what it is to stop."""
        stage = self._stage
        stage.diary.heard[kind] += times
        number = len(player.happened)
        player.happened += [Event(kind, now, f"{kind}-{number + n}") for n in range(times)]
        stage.diary.note(now, "happened", player.run.subject, event=kind, times=times)
        if kind == EventKind.COMPLAINED:
            player.needs.add(Need.COMPLAINT.value)
        if player.run.state != "running":
            return
        part = self._stops(player, kind, now)
        if part is not None:
            self._stop(player, part, reason_of(kind), now)
        elif player.run.phase == "wait":
            stage.wake(player, now)

    def _stops(self, player: Player, kind: str, now: datetime) -> Part | None:
        run, of_group = player.run, player.run.subject_kind == "group"
        itself = not of_group or kind == EventKind.GROUP_DISMISSED
        member = run.subject if itself else f"{run.subject}-member"
        happened = Happened(
            key=f"{run.id}-{len(player.happened)}",
            kind=kind,
            subject=member,
            at=now,
            chat=run.subject if of_group else "",
        )
        concerned = Concerned(
            id=run.id,
            script=run.script,
            version=run.version,
            subject=run.subject,
            of_group=of_group,
            owner=run.owner,
            entered_at=run.entered_at or self._stage.case.begins_at,
        )
        return stops_run(happened, concerned, self._stage.case.script)

    def _stop(self, player: Player, part: Part, reason: str, now: datetime) -> None:
        if part == "全部":
            self._stage.end(player, reason, now)
            return
        flag = "marketing_stopped" if part == "营销类" else "product_stopped"
        player.run = player.run.model_copy(update={flag: True})
        self._stage.diary.note(now, flag, player.run.subject)

    def carry_out(
        self, player: Player, actions: Iterable[Action], times: int, now: datetime
    ) -> None:
        """Do what a file asks for, so far as it changes anything of the run."""
        for action in actions:
            self._one(player, action, times, now)

    def _one(self, player: Player, action: Action, times: int, now: datetime) -> None:
        heard, subject = self._stage.diary.heard, player.run.subject
        match action:
            case OpenLead(need=need) | HandOver(need=need):
                player.needs.add(need.value)
                heard[f"lead:{need.value}"] += times
                if need is Need.COMPLAINT:
                    self.happens(player, EventKind.COMPLAINED, 1, now)
            case PutTag(tag=tag):
                heard[f"tag:{tag}"] += times
                self._stage.diary.call("tag", now.astimezone(self._stage.zone), times)
                player.tags.add(tag)
            case SlowDown(per_week=count):
                cap = min(count, player.run.weekly_cap or count)
                player.run = player.run.model_copy(update={"weekly_cap": cap})
                heard["slowed_down"] += 1
                self._stage.diary.note(now, "slowed_down", subject, per_week=count)
            case PlainAction.RECORD_REFUSAL | PlainAction.WITHDRAW_CONSENT:
                self.happens(player, EventKind.REFUSED, 1, now)
            case PlainAction.EXIT if player.run.state == "running":
                self._stage.end(player, "asked_to_stop", now)
            case PauseMarketing() if player.run.subject_kind == "customer":
                self._stop(player, "营销类", "", now)
            case _:
                pass  # an answer, or a word to staff: it changes nothing of the run


class _Said:
    """Somebody says what a step listens for."""

    def __init__(self, talk: Talk, player: Player, listen: Listen, times: int) -> None:
        self._talk = talk
        self._player = player
        self._listen = listen
        self._times = times

    def __call__(self, now: datetime) -> None:
        self._talk.carry_out(self._player, self._listen.actions, self._times, now)
