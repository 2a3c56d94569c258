"""One subject's way with events that somebody chose: she replies on day 2 (D6)."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from functools import partial

from bot.domain.runs import RunStep
from bot.domain.steps import Step
from bot.sop.listening import Had, Listening, Playing
from bot.sop.simulation.case import NOT_PRESSED, Occasion
from bot.sop.simulation.player import Player
from bot.sop.simulation.stage import Stage
from bot.sop.simulation.talk import Talk

_WRITTEN = re.compile(r"\s*(\d{1,3})(?:@([01]?\d|2[0-3]):([0-5]\d))?\s*[:：]\s*(\S.*?)\s*")
_NOON = time(12, 0)


def read_occasion(text: str) -> Occasion | None:
    """Read 2:客户回复, 20@15:30:少发点 or 3:不点; None where it is written otherwise."""
    match = _WRITTEN.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= 400:
        return None
    at = time(int(match[2]), int(match[3])) if match[2] else _NOON
    return Occasion(int(match[1]), at, match[4])


class Fate:
    """Has the chosen events happen to everybody who enters."""

    def __init__(self, stage: Stage, talk: Talk) -> None:
        self._stage = stage
        self._talk = talk
        stage.on_entry = self.befall

    def befall(self, player: Player) -> None:
        """Arrange the events of one who has entered, each on its day of the run."""
        for one in self._stage.case.occasions:
            if one.what == NOT_PRESSED:
                continue  # the manager's own affair: see Case.is_idle
            day = player.run.anchor + timedelta(days=one.day - 1)
            moment = datetime.combine(day, one.at, tzinfo=self._stage.zone)
            self._stage.at(moment, partial(self._happen, player, one.what))

    def _happen(self, player: Player, what: str, now: datetime) -> None:
        if what in self._stage.case.bank.event_names or what == "群解散":
            self._talk.happens(player, what, 1, now)
        else:
            self._said(player, what, now)

    def _said(self, player: Player, text: str, now: datetime) -> None:
        """Hold words against what the script listens for, as they would be in earnest."""
        script, run = self._stage.case.script, player.run.id
        had = [
            Had(run, part, script, player.delivered_at[row.id])
            for row in self._had(player)
            if isinstance(part := self._stage.played.parts.get(row.step), Step)
        ]
        playing = (Playing(run, script),) if player.run.state == "running" else ()
        listening = Listening(playing, tuple(reversed(had)))
        note, subject = self._stage.diary.note, player.run.subject
        if (refusal := listening.refuses(text, ())) is not None:
            note(now, "said", subject, text=text, heard="refusal", reply=refusal.reply)
            self._talk.carry_out(player, refusal.actions, 1, now)
            return
        heard = listening.hears(text) or listening.hears_anything(now)
        if heard is None:
            note(now, "said", subject, text=text, heard="")
        else:
            reply = heard.listen.ask_first or heard.listen.reply or ""
            note(now, "said", subject, text=text, heard=heard.step or script.id, reply=reply)
            self._talk.carry_out(player, heard.listen.actions, 1, now)
        self._talk.happens(player, "客户回复", 1, now)

    def _had(self, player: Player) -> list[RunStep]:
        rows = [row for row in player.ended if row.id in player.delivered_at]
        return sorted(rows, key=lambda row: player.delivered_at[row.id])
