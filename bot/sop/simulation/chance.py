"""What people do in a simulation: drawn by hash, the same on every machine and for ever (D2)."""

from __future__ import annotations

from datetime import timedelta
from math import exp
from statistics import NormalDist

from bot.domain.audience import bucket

_STEPS = 10_000  # bucket places a unit in one of so many
_NORMAL = NormalDist()


class Chance:
    """Draws for one seed; what is drawn depends on its name only, not on what was drawn before."""

    def __init__(self, seed: int) -> None:
        self._seed = f"sim-{seed}:"

    def share(self, *about: object) -> float:
        """Return a number in (0, 1) for what is named."""
        return bucket(self._seed, "|".join(map(str, about))) + 0.5 / _STEPS

    def happens(self, probability: float, *about: object) -> bool:
        """Tell whether something of that probability happens."""
        return self.share(*about) < probability

    def between(self, least: int, most: int, *about: object) -> int:
        """Return a whole number from ``least`` to ``most``, both included."""
        return least + int(self.share(*about) * (most - least + 1))

    def count(self, expected: float, *about: object) -> int:
        """Return how often something happens: the whole part surely, one more by its fraction."""
        whole = int(expected)
        return whole + (expected > whole and self.happens(expected - whole, *about))

    def delay(self, median: timedelta, spread: float, *about: object) -> timedelta:
        """Return how long somebody takes, in whole minutes: lognormal around ``median``."""
        stretched = exp(spread * _NORMAL.inv_cdf(self.share(*about)))
        return timedelta(minutes=max(1, round(stretched * median.total_seconds() / 60)))
