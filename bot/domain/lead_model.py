"""What outcomes taught of leads: a chance for each, with the reasons for it; pure.

A logistic model over the figures of ``lead_score.FEATURES``, whose log-odds are turned into chances
by steps that were fitted to what came of leads (isotonic). No figure can pull the wrong way: its
weight is held to the sign that ``FEATURES`` gives it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from math import log

from pydantic import Field

from bot.domain.lead import Need, Reason
from bot.domain.lead_score import FEATURES, Scored, Weighed, features_of
from bot.domain.value import Value

AT_THRESHOLD = 40.0
"""The score of a chance that is a third of the usual one: as many points as the rules ask for."""
_WORTH_A_WORD = 0.05


class LeadModel(Value):
    """A fitted model: log-odds are ``intercept`` and each weight times its figure over ``scales``.

    ``odds`` and ``chances`` are the steps from log-odds to a chance, both growing. ``usual`` is the
    share of leads that came to something; ``means`` are the usual figures, against which reasons
    are told.
    """

    needs: tuple[Need, ...]
    weights: dict[str, float]
    means: dict[str, float]
    scales: dict[str, float]
    intercept: float
    odds: tuple[float, ...] = Field(min_length=1)
    chances: tuple[float, ...] = Field(min_length=1)
    usual: float = Field(gt=0, lt=1)

    def chance(self, features: Mapping[str, float]) -> float:
        """Return how likely a lead with these figures comes to something."""
        return self._chance(self._log_odds(features))

    def score(self, weighed: Weighed, now: datetime) -> Scored:
        """Return the score of a lead, from 0 to 100, and what each figure brings to it."""
        features = features_of(weighed, now)
        pulls = {name: self._pull(name, features[name]) for name in self.weights}
        total = self._points(self.chance(features))
        usual = self._points(self._chance(self._log_odds(self.means)))
        pulled = sum(pulls.values())
        each = (total - usual) / pulled if abs(pulled) > 1e-9 else 0.0
        reasons = [
            Reason(code=name, words=FEATURES[name][0], points=round(pull * each, 1))
            for name, pull in pulls.items()
            if abs(pull * each) >= _WORTH_A_WORD
        ]
        told = sum(one.points for one in reasons)
        base = Reason(code="usual", words="同类线索一般", points=round(total - told, 1))
        by_points = sorted([base, *reasons], key=lambda one: -one.points)
        return Scored(score=round(total, 1), reasons=tuple(by_points), features=features)

    def _pull(self, name: str, value: float) -> float:
        return self.weights[name] * (value - self.means[name]) / self.scales[name]

    def _log_odds(self, features: Mapping[str, float]) -> float:
        pulls = (
            weight * features[name] / self.scales[name] for name, weight in self.weights.items()
        )
        return self.intercept + sum(pulls)

    def _chance(self, log_odds: float) -> float:
        """Go along the steps; between two of them in a straight line."""
        right = bisect_right(self.odds, log_odds)
        if right == 0:
            return self.chances[0]
        if right == len(self.odds):
            return self.chances[-1]
        low, high = self.odds[right - 1], self.odds[right]
        share = (log_odds - low) / (high - low)
        return self.chances[right - 1] + share * (self.chances[right] - self.chances[right - 1])

    def _points(self, chance: float) -> float:
        """Return a chance as points: a third of the usual one is what opens a lead."""
        power = log(AT_THRESHOLD / 100) / log(self.usual / 3)
        return 100 * float(max(chance, 1e-6) ** power)
