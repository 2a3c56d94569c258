"""What became of leads, in true ratios and in spreads: never a mean, never a share of nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from typing import NamedTuple

from bot.domain.lead import Lead
from bot.domain.lead_words import NO_ANSWER
from bot.domain.value import Value
from bot.storage.timers import Over

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
    ended, ``agreed`` of the customers who were asked and said yes or no. ``late_again`` is of the
    customers' later messages, ``unresolved`` of the leads whose outcome came or was due.
    """

    opened: int
    open_now: int
    taken: Ratio
    in_time: Ratio
    late: Ratio
    won: Ratio
    invalid: Ratio
    agreed: Ratio
    late_again: Ratio
    unresolved: Ratio
    accepting: Spread
    answering: Spread
    answering_again: Spread
    resolving: Spread


def spread(lasted: Iterable[timedelta]) -> Spread:
    """Return the spread of some durations, each figure one that was really seen."""
    ordered = sorted(lasted)
    if not ordered:
        return Spread()
    return Spread(len(ordered), *(_at(ordered, share) for share in (0.5, 0.9, 0.99)))


def report_of(
    leads: Iterable[Lead],
    now: datetime,
    lasted: Lasted | None = None,
    limits: Mapping[int, Sequence[Over]] | None = None,
) -> LeadReport:
    """Sum up leads; ``lasted`` counts time, on the wall where none is given.

    ``limits`` are those of each lead that are over, besides the first answer's.
    """
    every = list(leads)
    count = lasted or _on_the_wall
    offered = [one for one in every if one.stage not in ("asking", "refused") and not _mute(one)]
    taken = [one for one in offered if one.taken_at is not None]
    answered = [one for one in offered if one.first_response_at is not None]
    overdue = sum(_overdue(one, now) for one in offered)
    late = sum(not _by(one.first_response_at, one.respond_by) for one in answered)
    told = [(one, over) for one in every for over in (limits or {}).get(one.id, ())]
    again = [(one, over) for one, over in told if over.kind == "next"]
    whole = [(one, over) for one, over in told if over.kind == "resolve"]
    won, invalid, agreed = _ends(every)
    return LeadReport(
        opened=len(every),
        open_now=sum(one.closed_at is None for one in every),
        taken=Ratio(len(taken), len(offered)),
        in_time=Ratio(sum(_by(one.taken_at, one.respond_by) for one in taken), len(taken)),
        late=Ratio(overdue + late, overdue + len(answered)),
        won=won,
        invalid=invalid,
        agreed=agreed,
        late_again=_missed(over for _, over in again),
        unresolved=_missed(over for _, over in whole),
        accepting=_spread(((one, one.opened_at, one.taken_at) for one in taken), count),
        answering=_spread(((one, one.opened_at, one.first_response_at) for one in answered), count),
        answering_again=_spread(((one, over.began_at, over.done_at) for one, over in again), count),
        resolving=_spread(((one, one.opened_at, one.closed_at) for one, _ in whole), count),
    )


def _ends(every: Sequence[Lead]) -> tuple[Ratio, Ratio, Ratio]:
    """Return how many were won, were invalid, and how many customers agreed who were asked."""
    by_stage = [one.stage for one in every]
    won, lost, invalid = (by_stage.count(stage) for stage in ("won", "lost", "invalid"))
    ended = won + lost + invalid + sum(one.stage == "closed" and not _mute(one) for one in every)
    said_no = by_stage.count("refused")
    said_yes = sum(one.stage not in ("asking", "refused") and _was_asked(one) for one in every)
    return Ratio(won, won + lost), Ratio(invalid, ended), Ratio(said_yes, said_yes + said_no)


def _missed(limits: Iterable[Over]) -> Ratio:
    missed = [over.missed for over in limits]
    return Ratio(sum(missed), len(missed))


def _spread(spans: Iterable[tuple[Lead, datetime, datetime | None]], count: Lasted) -> Spread:
    """Return how long spans took, of those that are over."""
    return spread(count(one, begin, end) for one, begin, end in spans if end is not None)


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
    return lead.stage == "closed" and lead.outcome_reason == NO_ANSWER


def _was_asked(lead: Lead) -> bool:
    """Tell whether the customer was asked before anybody was told."""
    return lead.asked and not _mute(lead)
