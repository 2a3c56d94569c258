"""What became of leads, in true ratios and in spreads: never a mean, never a share of nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from typing import NamedTuple

from bot.domain.lead import Lead
from bot.domain.value import Value

Lasted = Callable[[Lead, datetime, datetime], timedelta]
"""How much time passed between two moments, as it counts for a lead: opening hours, say."""


class Ratio(NamedTuple):
    """A part of a whole, both as they were counted."""

    part: int = 0
    whole: int = 0

    @property
    def rate(self) -> float | None:
        """Return the share; None of nothing."""
        return self.part / self.whole if self.whole else None

    @property
    def percent(self) -> str:
        """Return the share with two places, 37.50%; — of nothing."""
        if not self.whole:
            return "—"
        exact = Decimal(100 * self.part) / Decimal(self.whole)
        return f"{exact.quantize(Decimal('0.01'), ROUND_HALF_UP)}%"

    @property
    def words(self) -> str:
        """Return the share with what it is of: 3/8（37.50%）."""
        return f"{self.part}/{self.whole}（{self.percent}）" if self.whole else "—"


class Spread(NamedTuple):
    """How long things took: of how many, and within what half, nine and ninety-nine of them."""

    seen: int = 0
    p50: timedelta | None = None
    p90: timedelta | None = None
    p99: timedelta | None = None


class LeadReport(Value):
    """What became of some leads.

    ``taken`` is of those that were offered, ``in_time`` of those taken. ``late`` is of those a
    person answered or whose time to be answered is over: who may still be answered in time is in
    neither. ``won`` is of those that ended in a deal or without one, ``invalid`` of all that people
    ended, ``agreed`` of the customers who were asked and said yes or no.
    """

    opened: int
    open_now: int
    taken: Ratio
    in_time: Ratio
    late: Ratio
    won: Ratio
    invalid: Ratio
    agreed: Ratio
    accepting: Spread
    answering: Spread


def spread(lasted: Iterable[timedelta]) -> Spread:
    """Return the spread of some durations, each figure one that was really seen."""
    ordered = sorted(lasted)
    if not ordered:
        return Spread()
    return Spread(len(ordered), *(_at(ordered, share) for share in (0.5, 0.9, 0.99)))


def report_of(leads: Iterable[Lead], now: datetime, lasted: Lasted | None = None) -> LeadReport:
    """Sum up leads; ``lasted`` counts time, on the wall where none is given."""
    every = list(leads)
    count = lasted or _on_the_wall
    offered = [one for one in every if one.stage not in ("asking", "refused") and not _mute(one)]
    taken = [one for one in offered if one.taken_at is not None]
    answered = [one for one in offered if one.first_response_at is not None]
    overdue = [one for one in offered if _overdue(one, now)]
    by_stage = [one.stage for one in every]
    won, lost, invalid = (by_stage.count(stage) for stage in ("won", "lost", "invalid"))
    ended = won + lost + invalid + sum(one.stage == "closed" and not _mute(one) for one in every)
    said_no = by_stage.count("refused")
    said_yes = sum(one.stage not in ("asking", "refused") and _was_asked(one) for one in every)
    return LeadReport(
        opened=len(every),
        open_now=sum(one.closed_at is None for one in every),
        taken=Ratio(len(taken), len(offered)),
        in_time=Ratio(sum(_by(one.taken_at, one.respond_by) for one in taken), len(taken)),
        late=Ratio(
            len(overdue) + sum(not _by(one.first_response_at, one.respond_by) for one in answered),
            len(overdue) + len(answered),
        ),
        won=Ratio(won, won + lost),
        invalid=Ratio(invalid, ended),
        agreed=Ratio(said_yes, said_yes + said_no),
        accepting=spread(count(one, one.opened_at, one.taken_at) for one in taken if one.taken_at),
        answering=spread(
            count(one, one.opened_at, one.first_response_at)
            for one in answered
            if one.first_response_at
        ),
    )


def grouped(leads: Iterable[Lead], by: Callable[[Lead], str]) -> dict[str, list[Lead]]:
    """Return leads by what they are grouped by (need, branch, whoever has them), the most first."""
    found: dict[str, list[Lead]] = {}
    for one in leads:
        found.setdefault(by(one), []).append(one)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def _at(ordered: Sequence[timedelta], share: float) -> timedelta:
    return ordered[ceil(share * len(ordered)) - 1]


def _on_the_wall(lead: Lead, begin: datetime, end: datetime) -> timedelta:
    return end - begin


def _by(moment: datetime | None, limit: datetime) -> bool:
    return moment is not None and moment <= limit


def _overdue(lead: Lead, now: datetime) -> bool:
    """Tell whether nobody answered by the limit; who was closed before it needed no answer."""
    until = lead.closed_at or now
    return lead.first_response_at is None and until > lead.respond_by


def _mute(lead: Lead) -> bool:
    """Tell whether a lead ended by itself: the customer was asked and said nothing."""
    return lead.stage == "closed" and lead.outcome_reason == "no_answer"


def _was_asked(lead: Lead) -> bool:
    """Tell whether the customer was asked before anybody was told."""
    return lead.asked and not _mute(lead)
