"""The fitted numbers: which order candidates come in, and whether the first is to be answered."""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.resources import files

import numpy as np
from pydantic import Field

from bot.domain.value import Value
from bot.knowledge.evidence import Evidence, Features


class Ranking(Value):
    """How much each number of a candidate counts for its place."""

    weights: dict[str, float]

    def scores(self, seen: Features) -> np.ndarray:
        """Return one score for each candidate; only their differences mean something."""
        total = np.zeros(len(seen["fused"]))
        for name, weight in self.weights.items():
            total += weight * seen[name]
        return total


class Abstention(Value):
    """How much each piece of evidence counts, and the probability from which it answers.

    ``bounds`` are the least and the most that was seen of each when the weights were fitted:
    what lies beyond counts as much as that, since nothing is known of it. A bank that would
    rather decline than be wrong answers from ``careful`` on.
    """

    bias: float
    weights: dict[str, float]
    bounds: dict[str, tuple[float, float]] = Field(default_factory=dict)
    threshold: float
    careful: float

    def probability(self, evidence: Evidence) -> float:
        """Return how likely the best document answers the question."""
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, self.logit(evidence)))))

    def logit(self, evidence: Evidence) -> float:
        """Return the same as the logarithm of its odds, which tells the very sure apart."""
        return self.bias + sum(
            self._bounded(name, evidence[name]) * weight for name, weight in self.weights.items()
        )

    def _bounded(self, name: str, value: float) -> float:
        least, most = self.bounds.get(name, (-math.inf, math.inf))
        return min(max(value, least), most)

    def says_yes(self, evidence: Evidence, *, careful: bool = False) -> bool:
        """Tell whether that is enough to answer."""
        return self.probability(evidence) >= (self.careful if careful else self.threshold)


class Weights(Value):
    """Both for one set of embedding models, as ``calibrate`` fitted them."""

    ranking: Ranking
    abstention: Abstention

    @classmethod
    def of(cls, models: str) -> Weights:
        """Return the fitted weights; models nobody fitted get those that need no scale.

        ``models`` is the first model's name, with "+" and the second's where there is one.
        """
        return _fitted(models)


@cache
def _fitted(models: str) -> Weights:
    text = (files("bot.knowledge") / "weights.json").read_text("utf-8")
    table = json.loads(text)["models"]
    _, plus, second = models.partition("+")
    return Weights.model_validate(table.get(models) or table[f"*{plus}{second}"])
