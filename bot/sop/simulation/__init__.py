"""Plays a script for a whole made-up audience on a simulated clock, with the engine's own code."""

from bot.sop.simulation.case import ASKED, RATES, Case, Manners, Occasion
from bot.sop.simulation.diary import Note
from bot.sop.simulation.own_data import disagreement
from bot.sop.simulation.play import Outcome, simulate
from bot.sop.simulation.report import report_of
from bot.sop.simulation.who import read_occasion

__all__ = [
    "ASKED",
    "RATES",
    "Case",
    "Manners",
    "Note",
    "Occasion",
    "Outcome",
    "disagreement",
    "read_occasion",
    "report_of",
    "simulate",
]
