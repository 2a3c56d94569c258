"""When to answer and when to decline: a logistic of a few scores, fitted by ``calibrate``."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import NamedTuple

from bot.domain.value import Value


class Evidence(NamedTuple):
    """What is known about the best document when it must be decided whether it answers."""

    dense: float
    dense_lead: float
    dense_rise: float
    lexical: float
    lexical_lead: float
    agreement: float
    coverage: float


class Abstention(Value):
    """The weights for one embedding model and the probability from which it answers."""

    bias: float
    weights: dict[str, float]
    threshold: float

    @classmethod
    def of(cls, model: str) -> Abstention:
        """Return the fitted weights; a model nobody fitted gets those that need no scale."""
        table = json.loads((files("bot.knowledge") / "weights.json").read_text("utf-8"))["models"]
        return cls.model_validate(table.get(model, table["*"]))

    def probability(self, evidence: Evidence) -> float:
        """Return how likely the best document answers the question."""
        values = evidence._asdict()
        logit = self.bias + sum(values[name] * weight for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))
