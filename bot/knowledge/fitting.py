"""The arithmetic of fitting: an order learned from lists, a yes or no learned from both kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

_STEPS = 60
_LONGEST_STEP = 1.0


class Lists(NamedTuple):
    """A set's questions with their candidates' numbers, and which of them answer.

    ``values`` is questions by candidates by numbers, ``right`` questions by candidates;
    ``there`` tells which candidates exist.
    """

    values: np.ndarray
    right: np.ndarray
    there: np.ndarray


def fit_order(sets: Sequence[Lists], prior: np.ndarray, ridge: float) -> np.ndarray:
    """Return the weights that put right candidates first, near ``prior`` where data say little.

    A listwise softmax (ListNet with one right place), every set weighing the same, by Newton's
    steps. The weights are for the numbers as they are; the ridge acts on them in spreads.
    """
    spread = _spread(sets)
    known = [_answered(one, spread) for one in sets]
    goal = prior * spread
    weights = goal.copy()
    for _ in range(_STEPS):
        slope = ridge * (weights - goal)
        bend = ridge * np.eye(len(weights))
        for one in known:
            more_slope, more_bend = _slope_and_bend(one, weights)
            slope += more_slope / len(known)
            bend += more_bend / len(known)
        step = np.linalg.solve(bend, slope)
        # Far from the mark a whole step may lead away.
        weights -= step * min(1.0, _LONGEST_STEP / float(np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-7:
            break
    plain: np.ndarray = weights / spread
    return plain


def _slope_and_bend(one: Lists, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the second derivative of a set's mean loss."""
    values, right, there = one
    scores = np.where(there, values @ weights, -np.inf)
    share = np.exp(scores - scores.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    middle = np.einsum("qc,qcn->qn", share, values)
    slope = (middle - np.einsum("qc,qcn->qn", right, values)).mean(axis=0)
    flat = (values * np.sqrt(share)[..., None]).reshape(-1, values.shape[2])
    bend = (flat.T @ flat - middle.T @ middle) / len(values)
    return slope, bend


def _spread(sets: Sequence[Lists]) -> np.ndarray:
    """Return how far each number spreads around its question's mean, on average over the sets."""
    spreads = []
    for values, _, there in sets:
        inside = values[there] - np.repeat(_means(values, there), there.sum(axis=1), axis=0)
        spreads.append(inside.std(axis=0))
    spread: np.ndarray = np.mean(spreads, axis=0)
    return np.where(spread > 1e-9, spread, 1.0)


def _means(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    means: np.ndarray = (values * there[..., None]).sum(axis=1) / there.sum(axis=1)[:, None]
    return means


def _answered(one: Lists, spread: np.ndarray) -> Lists:
    """Keep the questions whose answer is among the candidates, in spreads around their mean."""
    found = (one.right & one.there).any(axis=1)
    values, right, there = one.values[found], one.right[found], one.there[found]
    values = (values - _means(values, there)[:, None]) / spread * there[..., None]
    return Lists(values, right / right.sum(axis=1, keepdims=True), there)


def fit_yes(
    values: np.ndarray, truth: np.ndarray, share: np.ndarray, ridge: float
) -> tuple[np.ndarray, float]:
    """Return a logistic's weights and bias by Newton's steps; ``share`` weighs the examples."""
    mean, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    scaled = np.hstack([(values - mean) / spread, np.ones((len(values), 1))])
    brake = np.diag([ridge] * values.shape[1] + [1e-6])
    weights = np.zeros(values.shape[1] + 1)
    for _ in range(50):
        guess = 1 / (1 + np.exp(-np.clip(scaled @ weights, -60, 60)))
        slope = scaled.T @ (share * (guess - truth)) + brake @ weights
        bend = (scaled * (share * guess * (1 - guess))[:, None]).T @ scaled + brake
        step = np.linalg.solve(bend, slope)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    plain: np.ndarray = weights[:-1] / spread
    return plain, float(weights[-1] - plain @ mean)


def auroc(good: np.ndarray, bad: np.ndarray) -> float:
    """Return how often a good one stands over a bad one; ties count half."""
    order = np.sort(bad)
    below = np.searchsorted(order, good, side="left")
    upto = np.searchsorted(order, good, side="right")
    return float(((below + upto) / 2).mean() / len(bad))


def interval(good: np.ndarray, bad: np.ndarray, times: int = 1000) -> tuple[float, float]:
    """Return where the AUROC lies with 95 percent, by drawing both kinds again and again."""
    chance = np.random.default_rng(5)
    drawn = [
        auroc(chance.choice(good, len(good)), chance.choice(bad, len(bad))) for _ in range(times)
    ]
    return float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))


def named(names: Sequence[str], weights: np.ndarray) -> Mapping[str, float]:
    """Return weights by name, with as many digits as matter."""
    return {name: float(f"{one:.5g}") for name, one in zip(names, weights, strict=True)}
