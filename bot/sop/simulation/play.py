"""Plays a case from its first day to its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.sop.advance import Played
from bot.sop.simulation.case import Case
from bot.sop.simulation.chance import Chance
from bot.sop.simulation.crowd import Entered, enter
from bot.sop.simulation.diary import Diary
from bot.sop.simulation.hands import Hands
from bot.sop.simulation.post import Outgoing
from bot.sop.simulation.replanning import Replanning
from bot.sop.simulation.stage import Stage
from bot.sop.simulation.talk import Talk
from bot.sop.simulation.who import Fate

LONGEST_DAYS = 400  # no run is longer than a year; what waits for its owner ends soon after


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a simulation came to."""

    case: Case
    entered: Entered
    diary: Diary
    last_day: date


def simulate(case: Case) -> Outcome:
    """Let the whole audience run through the script; nothing leaves, nothing is stored."""
    diary = Diary()
    stage = Stage(case, diary, Played.of(case.script))
    chance = Chance(case.seed)
    talk = Talk(stage, chance)
    hands = Hands(stage, chance, talk)
    Outgoing(stage, hands)
    Fate(stage, talk)
    Replanning(stage)
    entered = enter(case, stage, chance)
    last_day = case.start + timedelta(days=(case.days or LONGEST_DAYS) - 1)
    stage.play(datetime.combine(last_day + timedelta(days=1), time(0), tzinfo=case.bank.zone))
    hands.count_up()
    return Outcome(case, entered, diary, last_day)
